//! Flags of `vas test autoscaling`: the course of the load, and the assertions on replicas.

use std::time::Duration;

use crate::leader_election::parse_duration;
use vas_loadtest::autoscaling::{
    assertions::Asserted,
    course::{self, Course},
};

/// The course of the load.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub(super) struct CourseArgs {
    /// Replicas that the load needs at its peak. Default: maxReplicas
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replicas: Option<u32>,
    /// Load at the peak, in requests (journeys) per second. Default: what --replicas carry at the HPA's
    /// target for the request rate
    #[arg(long, value_name = "RATE", value_parser = super::load_args::parse_rate)]
    peak_rate: Option<f64>,
    /// Load before and after the peak. Default: 30 % of what minReplicas carry at that target, or a tenth of
    /// --peak-rate
    #[arg(long, value_name = "RATE", value_parser = super::load_args::parse_rate)]
    base_rate: Option<f64>,
    /// Time at the base rate before the ramp
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    before: Duration,
    /// Time from the base rate to the peak
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = parse_duration)]
    ramp: Duration,
    /// Time at the peak
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    hold: Duration,
}

/// The assertions on replicas.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Assertions")]
pub(super) struct LimitArgs {
    /// Longest time from the load to --replicas Ready pods
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    max_scale_up: Duration,
    /// Most replicas above what the load needs, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 25.0, value_parser = parse_percent)]
    max_overshoot: f64,
    /// Largest share of the time with fewer replicas than the load needs, in percent; only with --capacity
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0, value_parser = parse_percent)]
    max_under_provisioned: f64,
    /// Longest time from the end of the load to minReplicas. Default: what the HPA's scaleDown behavior
    /// allows, plus 2m
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_scale_down: Option<Duration>,
    /// End with the load, and do not wait for the replicas to go
    #[arg(long, conflicts_with = "max_scale_down")]
    no_scale_down: bool,
}

/// Reasons why the load cannot be planned.
#[derive(Debug, thiserror::Error)]
pub(super) enum CourseError {
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

impl CourseArgs {
    /// Replicas that the load needs.
    pub(super) fn replicas(&self, (_, max): (u32, u32)) -> u32 {
        self.replicas.unwrap_or(max)
    }

    /// The course of the load. `after` is the longest time that scaling down may take.
    ///
    /// # Errors
    /// When the peak is not known, or not above the base.
    pub(super) fn course(
        &self,
        bounds: (u32, u32),
        per_replica: Option<f64>,
        after: Duration,
    ) -> Result<Course, CourseError> {
        let for_replicas = || per_replica.map(|per| course::peak_for(self.replicas(bounds), per));
        let peak = self.peak_rate.or_else(for_replicas).ok_or(CourseError::NoPeak)?;
        let base = self
            .base_rate
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

impl LimitArgs {
    /// Whether the test ends with the load, without waiting for scaling down.
    pub(super) fn without_scale_down(&self) -> bool {
        self.no_scale_down
    }

    /// Longest time that scaling down may take; `None` if it is not tested. `allowed` is the time that the
    /// HPA's behavior allows.
    pub(super) fn scale_down(&self, allowed: Option<Duration>) -> Option<Duration> {
        if self.no_scale_down {
            return None;
        }
        self.max_scale_down.or(allowed)
    }

    /// The assertions. `wanted` replicas have to come; `needed` replicas are what the load needs.
    pub(super) fn asserted(&self, wanted: u32, needed: u32, scale_down: Option<Duration>) -> Asserted {
        Asserted {
            wanted,
            needed: needed.max(wanted),
            scale_up: self.max_scale_up,
            overshoot: self.max_overshoot / 100.0,
            scale_down,
            under_provisioned: self.max_under_provisioned / 100.0,
        }
    }
}

fn parse_percent(text: &str) -> Result<f64, &'static str> {
    let percent = text
        .parse()
        .ok()
        .filter(|percent| (0.0..=1000.0).contains(percent));
    percent.ok_or("must be a number of percent")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Flags {
        #[command(flatten)]
        course: CourseArgs,
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn flags(flags: &[&str]) -> Flags {
        Flags::parse_from(std::iter::once(&"test").chain(flags))
    }

    #[test]
    fn the_peak_follows_from_the_hpa_or_is_given_and_is_above_the_base() {
        let course = |given: &[&str], per| flags(given).course.course((2, 10), per, Duration::ZERO);
        let found = course(&[], Some(100.0)).unwrap();
        assert!(
            (found.base - 60.0).abs() < 1e-9 && (found.peak - 999.9).abs() < 0.1,
            "{found:?}"
        );
        let given = course(&["--peak-rate=50"], None).unwrap();
        assert!((given.base - 5.0).abs() < 1e-9, "{given:?}");
        assert!(course(&[], None).unwrap_err().to_string().contains("--peak-rate"));
        assert!(course(&["--base-rate=50", "--peak-rate=50"], None).is_err());
    }

    #[test]
    fn the_time_to_scale_down_is_the_hpas_unless_it_is_given_or_not_tested() {
        let allowed = Some(Duration::from_secs(2520));
        let found = |given: &[&str]| flags(given).limits.scale_down(allowed);
        assert_eq!(found(&[]), allowed);
        assert_eq!(found(&["--max-scale-down=10m"]), Some(Duration::from_secs(600)));
        assert_eq!(found(&["--no-scale-down"]), None);
    }
}
