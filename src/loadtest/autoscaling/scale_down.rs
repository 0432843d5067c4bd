//! How long an HPA may take to scale down: computed from its own behaviour, so that a slow policy is no failure and a
//! stuck one is.

use std::time::Duration;

use crate::core::hpa::{Controller, Hpa, Rules, down_limit};

/// From one look of the controller to the next, in seconds (`--horizontal-pod-autoscaler-sync-period`).
const SYNC: i32 = 15;
/// For the metric to show the quiet load, and for the controller to look: a rate window of a minute, four syncs.
const SLACK: Duration = Duration::from_secs(120);

/// Longest time to get from so many replicas to the fewest, once the load is gone: the stabilization window, then one
/// step of the policies for each of their periods, and two minutes. `None` where the policies never get there.
pub fn deadline(hpa: &Hpa, from: i32) -> Option<Duration> {
    let rules = hpa.behavior.as_ref().map(|behavior| &behavior.down);
    let without = Controller::default().downscale_stabilization;
    let seconds = rules.map_or(Some(without), |rules| time(rules, from, hpa.min))?;
    Some(Duration::from_secs(u64::try_from(seconds).ok()?) + SLACK)
}

/// The first step comes with the end of the window; each further one when the longest period of a policy is over, which
/// the controller notices with its next look.
fn time(rules: &Rules, from: i32, min: i32) -> Option<i32> {
    let period = rules.longest_period();
    let period = period.saturating_add(SYNC - 1) / SYNC * SYNC;
    let (mut replicas, mut seconds) = (from, rules.window);
    while replicas > min {
        let next = down_limit(rules, replicas).max(min);
        if next == replicas {
            return None;
        }
        if replicas != from {
            seconds = seconds.saturating_add(period);
        }
        replicas = next;
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
    use serde_json::{Value, json};

    use super::*;

    fn of(behavior: &Value, from: i32) -> Option<u64> {
        let object = json!({"spec": {"minReplicas": 2, "maxReplicas": 10, "behavior": behavior,
            "scaleTargetRef": {"kind": "Deployment", "name": "api"}}});
        let object: HorizontalPodAutoscaler = serde_json::from_value(object).unwrap();
        let hpa = Hpa::read(&object, &Controller::default());
        deadline(&hpa, from).map(|deadline| deadline.as_secs())
    }

    #[test]
    fn the_gateways_policies_take_forty_minutes_from_ten_to_two() {
        let gateway = json!({"scaleDown": {"stabilizationWindowSeconds": 300, "policies": [
            {"type": "Percent", "value": 10, "periodSeconds": 300}, {"type": "Pods", "value": 1, "periodSeconds": 300}]}});
        assert_eq!(of(&gateway, 10), Some(300 + 7 * 300 + 120));
        assert_eq!(of(&gateway, 2), Some(300 + 120));
    }

    #[test]
    fn periods_are_noticed_when_the_controller_looks() {
        let fast = json!({"scaleDown": {"stabilizationWindowSeconds": 12,
            "policies": [{"type": "Pods", "value": 4, "periodSeconds": 4}]}});
        assert_eq!(of(&fast, 10), Some(12 + 15 + 120));
    }

    #[test]
    fn without_behavior_the_controllers_window_counts_and_disabled_never_gets_there() {
        assert_eq!(of(&Value::Null, 10), Some(300 + 120));
        assert_eq!(of(&json!({"scaleDown": {"selectPolicy": "Disabled"}}), 10), None);
        // Ten percent of five replicas is none.
        let stuck =
            json!({"scaleDown": {"policies": [{"type": "Percent", "value": 0, "periodSeconds": 60}]}});
        assert_eq!(of(&stuck, 5), None);
    }
}
