//! What objects of the cluster tell of a workload: small copies, taken once when a watch brings the object.
//!
//! Invariant: no reading takes part in a decision. Nothing is reconciled because a reading changed.

pub mod hpa;
mod proposed;

use serde_json::Value;

use hpa::HpaReading;

/// What a child tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Bounds, replicas and metrics, which a HorizontalPodAutoscaler tells.
    Hpa(HpaReading),
    /// Ready pods and pods that may go, which a PodDisruptionBudget tells.
    Budget(BudgetReading),
}

/// What a PodDisruptionBudget tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetReading {
    /// Pods that are Ready.
    pub healthy: i64,
    /// Pods that may go at this moment.
    pub disruptions_allowed: i64,
}

impl Reading {
    /// The reading of an object, from its `spec` and `status`; `None` for an object without one, and for one whose
    /// controller has not reported yet.
    pub fn of(spec: &Value, status: &Value) -> Option<Self> {
        if spec.get("maxReplicas").is_some() {
            return HpaReading::of(spec, status).map(Self::Hpa);
        }
        let number = |field: &str| status.get(field).and_then(Value::as_i64);
        // The controller sets both at once. `observedGeneration` 0 is a status that nobody has written.
        number("observedGeneration").filter(|seen| *seen > 0)?;
        Some(Self::Budget(BudgetReading {
            healthy: number("currentHealthy")?,
            disruptions_allowed: number("disruptionsAllowed")?,
        }))
    }

    /// Goes on counting where the reading before this one of the same object ended.
    pub fn follow(&mut self, before: &Self) {
        if let (Self::Hpa(now), Self::Hpa(before)) = (self, before) {
            now.follow(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_budget_tells_what_its_controller_has_counted() {
        let spec = json!({"selector": {}, "minAvailable": 1});
        let counted = json!({"observedGeneration": 1, "currentHealthy": 3, "disruptionsAllowed": 0});
        let reading = BudgetReading {
            healthy: 3,
            disruptions_allowed: 0,
        };
        assert_eq!(Reading::of(&spec, &counted), Some(Reading::Budget(reading)));
        assert_eq!(
            Reading::of(&spec, &json!({"currentHealthy": 0, "disruptionsAllowed": 0})),
            None
        );
        assert_eq!(Reading::of(&spec, &json!(null)), None);
        assert_eq!(Reading::of(&json!([1]), &json!("x")), None);
    }
}
