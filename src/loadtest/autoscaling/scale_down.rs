//! How long an HPA may take to scale down. The time follows from the HPA's own behavior, so that a slow
//! policy passes and a stuck HPA fails.

use std::time::Duration;

use vas_core::hpa::{Controller, Hpa, Rules, down_limit};

/// The controller's sync period, in seconds (`--horizontal-pod-autoscaler-sync-period`).
const SYNC: i32 = 15;
/// Extra time until the metric shows the quiet load and the controller acts: a rate window of one minute and
/// four syncs.
const SLACK: Duration = Duration::from_secs(120);

/// Longest time to scale down from `from` replicas to the fewest, once the load is gone. It is the
/// stabilization window, one period of the policies for each further step, and two minutes. `None` if the
/// policies never get there. Example: from 8 to 2 with at most half of the pods per 60 s and a window of 300
/// s: 8 -> 4 after 300 s, 4 -> 2 after 360 s, so 480 s.
pub fn deadline(hpa: &Hpa, from: i32) -> Option<Duration> {
    let rules = hpa.behavior.as_ref().map(|behavior| &behavior.down);
    let without = Controller::default().downscale_stabilization;
    let seconds = rules.map_or(Some(without), |rules| time(rules, from, hpa.min))?;
    Some(Duration::from_secs(u64::try_from(seconds).ok()?) + SLACK)
}

/// Seconds to the fewest replicas. The first step comes at the end of the window. Each further step comes
/// when the longest period of a policy is over, rounded up to the next sync of the controller.
fn time(rules: &Rules, from: i32, min: i32) -> Option<i32> {
    let period = rules.longest_period();
    let period = period.saturating_add(SYNC - 1) / SYNC * SYNC;
    let (mut replicas, mut seconds) = (from, rules.window);
    while replicas > min {
        let next = down_limit(rules, replicas, |_| replicas).max(min);
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
        // Ten percent of five replicas are no whole replica.
        let stuck =
            json!({"scaleDown": {"policies": [{"type": "Percent", "value": 0, "periodSeconds": 60}]}});
        assert_eq!(of(&stuck, 5), None);
    }
}
