//! Whether a suspension has reached an HPA.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

/// Whether an HPA follows no metric, in either direction: what the operator makes of a suspended workload.
pub fn is_frozen(hpa: &HorizontalPodAutoscaler) -> bool {
    let Some(behavior) = &hpa.spec.behavior else {
        return false;
    };
    [&behavior.scale_up, &behavior.scale_down]
        .into_iter()
        .all(|rules| {
            let select = rules.as_ref().and_then(|rules| rules.select_policy.as_deref());
            select == Some("Disabled")
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_hpa_is_frozen_when_both_directions_are() {
        let hpa = |up: &str, down: &str| -> HorizontalPodAutoscaler {
            serde_json::from_value(
                json!({"spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "x"},
                "behavior": {"scaleUp": {"selectPolicy": up}, "scaleDown": {"selectPolicy": down}}}}),
            )
            .unwrap()
        };
        assert!(is_frozen(&hpa("Disabled", "Disabled")));
        assert!(!is_frozen(&hpa("Max", "Disabled")));
    }
}
