//! The course of the load in an autoscaling test: quiet, a ramp, a plateau, and quiet until the workload is
//! scaled down.

use std::time::Duration;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use crate::scenario::rate::Profile;
use vas_core::{hpa::TOLERANCE, k8s::quantity};

/// Quiet load, as a share of the load that the fewest replicas are meant for.
const BASE: f64 = 0.3;

/// The course of the load, in requests (journeys) per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// Load before the ramp and after the plateau.
    pub base: f64,
    /// Load of the plateau.
    pub peak: f64,
    /// Duration of the quiet time before the ramp.
    pub before: Duration,
    /// Duration of the ramp; zero for a step.
    pub ramp: Duration,
    /// Duration of the plateau.
    pub hold: Duration,
    /// Longest duration of the quiet time after the plateau, for scaling down.
    pub after: Duration,
}

impl Course {
    /// The load over time, as a profile.
    pub fn profile(&self) -> Profile {
        let mut profile = Profile::default();
        profile.line(self.base, self.base, self.before);
        profile.line(self.base, self.peak, self.ramp);
        profile.line(self.peak, self.peak, self.hold);
        profile.line(self.base, self.base, self.after);
        profile
    }

    /// Seconds from the beginning until the load falls again.
    pub fn release(&self) -> f64 {
        (self.before + self.ramp + self.hold).as_secs_f64()
    }
}

/// Requests per second that one replica is meant for: the target of the HPA's request rate, which is its only
/// metric of type Pods. `None` if the HPA has no such metric, or several.
pub fn per_replica(hpa: &HorizontalPodAutoscaler) -> Option<f64> {
    let mut rates = hpa
        .spec
        .metrics
        .iter()
        .flatten()
        .filter_map(|metric| metric.pods.as_ref());
    let rate = rates.next().filter(|_| rates.next().is_none())?;
    let target = rate.target.average_value.as_ref()?;
    let target = quantity::parse(target).ok()?.as_f64();
    (target > 0.0).then_some(target)
}

/// The least load that needs this many replicas, whatever the number of replicas before. Coming from one
/// replica fewer, the load must be beyond the HPA's tolerance. For 4 replicas of 100/s each that is 350/s,
/// above 3 * 100/s * 1.1 * 1.01 = 333/s.
pub fn peak_for(replicas: u32, per_replica: f64) -> f64 {
    let wanted = f64::from(replicas);
    // Rates are measured, so the load is 1 % above the edge.
    let beyond = (wanted - 1.0) * (1.0 + TOLERANCE) * 1.01;
    // The load is also at least in the middle between two counts, so that noise does not decide.
    per_replica * beyond.max(wanted - 0.5)
}

/// A load that the fewest replicas carry easily.
pub fn base_for(min: u32, per_replica: f64) -> f64 {
    BASE * f64::from(min) * per_replica
}

/// The number of replicas that a load needs.
pub fn needed(load: f64, per_replica: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of replicas; casts saturate"
    )]
    let needed = (load / per_replica).ceil().max(0.0) as u32;
    needed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_course_is_quiet_a_ramp_a_plateau_and_quiet_again() {
        let seconds = Duration::from_secs;
        let course = Course {
            base: 60.0,
            peak: 1000.0,
            before: seconds(30),
            ramp: seconds(60),
            hold: seconds(300),
            after: seconds(100),
        };
        let profile = course.profile();
        let levels = [0.0, 60.0, 90.0, 389.0, 391.0, 489.0, 491.0].map(|at| profile.level(at));
        let expected = [60.0, 530.0, 1000.0, 1000.0, 60.0, 60.0, 0.0];
        let same = |(level, expected): (&f64, &f64)| (level - expected).abs() < 1e-6;
        assert!(levels.iter().zip(&expected).all(same), "{levels:?}");
        assert!((course.release() - 390.0).abs() < 1e-9);
        let step = Course {
            ramp: Duration::ZERO,
            ..course
        };
        assert!((step.profile().level(30.0) - 1000.0).abs() < 1e-9);
    }

    #[test]
    fn a_peak_needs_its_replicas_and_is_beyond_the_tolerance_from_one_fewer() {
        for replicas in 2..200 {
            let peak = peak_for(replicas, 100.0);
            assert!(needed(peak, 100.0) >= replicas, "{replicas}: {peak}");
            let ratio = peak / (100.0 * f64::from(replicas - 1));
            assert!(ratio > 1.0 + TOLERANCE, "{replicas}: {ratio}");
        }
        assert_eq!(needed(peak_for(10, 100.0), 100.0), 10);
        assert!(needed(base_for(2, 100.0), 100.0) <= 2);
    }

    #[test]
    fn the_load_of_one_replica_is_the_target_of_the_only_pods_metric() {
        let pods = |value: &str| {
            json!({"type": "Pods", "pods": {"metric": {"name": "rate"},
                "target": {"type": "AverageValue", "averageValue": value}}})
        };
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}});
        let of = |metrics: serde_json::Value| {
            let hpa = json!({"spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "x"}, "metrics": metrics}});
            per_replica(&serde_json::from_value(hpa).unwrap())
        };
        assert_eq!(of(json!([cpu, pods("2500m")])), Some(2.5));
        assert_eq!(of(json!([cpu])), None);
        assert_eq!(of(json!([pods("1"), pods("2")])), None);
        assert_eq!(of(json!([pods("0")])), None);
    }
}
