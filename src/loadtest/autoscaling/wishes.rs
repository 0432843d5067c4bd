//! What the user of an autoscaling test asks for. What was left open follows from the HPA.

use std::time::Duration;

use super::{
    assertions::Asserted,
    course::{self, Course},
};

/// The load that the user asks for.
#[derive(Clone, Copy, Debug)]
pub struct CourseWishes {
    /// Replicas that the load needs at its peak; by default as many as the HPA allows.
    pub replicas: Option<u32>,
    /// Load at the peak, in requests (journeys) per second; by default what the replicas carry at the HPA's
    /// target for the request rate.
    pub peak: Option<f64>,
    /// Load before and after the peak; by default a share of what the fewest replicas carry at that target, or
    /// a tenth of the peak.
    pub base: Option<f64>,
    /// Time at the base before the ramp.
    pub before: Duration,
    /// Time from the base to the peak.
    pub ramp: Duration,
    /// Time at the peak.
    pub hold: Duration,
}

/// The assertions that the user asks for.
#[derive(Clone, Copy, Debug)]
pub struct AssertionWishes {
    /// Longest time from the load to enough Ready pods.
    pub scale_up: Duration,
    /// Allowed replicas above what the load needs, as a share of that.
    pub overshoot: f64,
    /// Allowed share of the time (0 to 1) with fewer replicas than the load needs.
    pub under_provisioned: f64,
    /// Whether and how fast the replicas must go again.
    pub scale_down: ScaleDown,
}

/// Whether and how fast the replicas must go again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleDown {
    /// In the time that the HPA's behavior allows.
    AsAllowed,
    /// Within this time.
    Within(Duration),
    /// The test ends with the load and does not wait for the replicas to go.
    NotTested,
}

/// Why the load cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum CourseError {
    /// The load that one replica carries is not known.
    #[error(
        "the load that needs more replicas is not known, as the HPA has no metric of type Pods, or several, or the scenario has journeys of several requests: give it with --peak-rate"
    )]
    NoPeak,
    /// The peak is not above the base.
    #[error("--base-rate {base} is not less than the peak of {peak}")]
    NoRise {
        /// Load before the ramp, per second.
        base: f64,
        /// Load at the peak, per second.
        peak: f64,
    },
}

impl CourseWishes {
    /// Replicas that the load needs. `bounds` are the fewest and the most replicas of the HPA.
    pub fn replicas(&self, (_, most): (u32, u32)) -> u32 {
        self.replicas.unwrap_or(most)
    }

    /// The course of the load. `per_replica` is the load that one replica is meant for, and `after` the longest
    /// time that scaling down may take.
    ///
    /// # Errors
    /// When the peak is not known, or not above the base.
    pub fn course(
        &self,
        bounds: (u32, u32),
        per_replica: Option<f64>,
        after: Duration,
    ) -> Result<Course, CourseError> {
        let for_replicas = || per_replica.map(|per| course::peak_for(self.replicas(bounds), per));
        let peak = self.peak.or_else(for_replicas).ok_or(CourseError::NoPeak)?;
        let base = self
            .base
            .unwrap_or_else(|| per_replica.map_or(peak / 10.0, |per| course::base_for(bounds.0, per)));
        if base >= peak {
            return Err(CourseError::NoRise { base, peak });
        }
        Ok(Course {
            base,
            peak,
            before: self.before,
            ramp: self.ramp,
            hold: self.hold,
            after,
        })
    }
}

impl AssertionWishes {
    /// Longest time that scaling down may take; `None` if it is not tested. `allowed` is the time that the
    /// HPA's behavior allows.
    pub fn scale_down(&self, allowed: Option<Duration>) -> Option<Duration> {
        match self.scale_down {
            ScaleDown::AsAllowed => allowed,
            ScaleDown::Within(limit) => Some(limit),
            ScaleDown::NotTested => None,
        }
    }

    /// The assertions. `wanted` replicas have to come; `needed` replicas are what the load needs.
    pub fn asserted(&self, wanted: u32, needed: u32, scale_down: Option<Duration>) -> Asserted {
        Asserted {
            wanted,
            needed: needed.max(wanted),
            scale_up: self.scale_up,
            overshoot: self.overshoot,
            scale_down,
            under_provisioned: self.under_provisioned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: CourseWishes = CourseWishes {
        replicas: None,
        peak: None,
        base: None,
        before: Duration::from_secs(30),
        ramp: Duration::from_secs(60),
        hold: Duration::from_secs(300),
    };

    #[test]
    fn the_peak_follows_from_the_hpa_or_is_given_and_is_above_the_base() {
        let course = |wishes: CourseWishes, per| wishes.course((2, 10), per, Duration::ZERO);
        let found = course(COURSE, Some(100.0)).unwrap();
        assert!(
            (found.base - 60.0).abs() < 1e-9 && (found.peak - 999.9).abs() < 0.1,
            "{found:?}"
        );
        let of_fifty = CourseWishes {
            peak: Some(50.0),
            ..COURSE
        };
        let given = course(of_fifty, None).unwrap();
        assert!((given.base - 5.0).abs() < 1e-9, "{given:?}");
        assert!(
            course(COURSE, None)
                .unwrap_err()
                .to_string()
                .contains("--peak-rate")
        );
        let flat = CourseWishes {
            base: Some(50.0),
            ..of_fifty
        };
        assert!(course(flat, None).is_err());
    }

    #[test]
    fn the_time_to_scale_down_is_the_hpas_unless_it_is_given_or_not_tested() {
        let allowed = Some(Duration::from_secs(2520));
        let found = |scale_down| {
            let wishes = AssertionWishes {
                scale_up: Duration::from_secs(300),
                overshoot: 0.25,
                under_provisioned: 0.1,
                scale_down,
            };
            wishes.scale_down(allowed)
        };
        assert_eq!(found(ScaleDown::AsAllowed), allowed);
        let ten = Duration::from_secs(600);
        assert_eq!(found(ScaleDown::Within(ten)), Some(ten));
        assert_eq!(found(ScaleDown::NotTested), None);
    }
}
