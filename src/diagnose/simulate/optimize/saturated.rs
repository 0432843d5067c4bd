//! What a pod that has more load than it can carry shows, and whether an HPA scales up for it.
//!
//! Invariant: the answer is the one of the replay, where a pod serves its capacity and never more. Must not: judge
//! queues, which grow without a bound.

use serde_json::Value;
use vas_core::{
    hpa::{Hpa, Milli},
    k8s::quantity,
    replay::{Assumptions, Kind},
};

/// Pods at their capacity, and the HPA that reads their metrics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saturated<'a> {
    pub(super) assumptions: &'a Assumptions,
    pub(super) hpa: &'a Hpa,
    /// CPU that each pod requests.
    pub(super) request: Option<Milli>,
}

impl Saturated<'_> {
    /// Whether the HPA scales up where each pod is at its capacity. Example: with a capacity of 100 requests/s and the
    /// default tolerance of 10 %, it does with a target of 90 (a ratio of 1.11), and does not with 91 (1.099).
    pub(super) fn scales_up(&self, target: &Value, form: &str, kind: Kind) -> bool {
        let Some(shown) = self.shown(form, kind) else {
            return true;
        };
        let text = match target {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        quantity::parse_str(&text).is_ok_and(|target| {
            self.hpa
                .scales_up_at(&self.assumptions.controller, shown / target.as_f64())
        })
    }

    /// What a pod at its capacity shows in a metric; `None` where that has no bound, or is not about one pod.
    fn shown(&self, form: &str, kind: Kind) -> Option<f64> {
        let capacity = self.assumptions.capacity;
        match (kind, form) {
            (Kind::Rate { .. }, "averageValue") => Some(capacity),
            (Kind::Cpu { per_request, .. }, "averageValue") => Some(capacity * per_request),
            #[expect(clippy::cast_precision_loss, reason = "a request has few digits")]
            (Kind::Cpu { per_request, .. }, "averageUtilization") => {
                let request = self.request.filter(|request| *request > 0)? as f64 / 1000.0;
                Some(100.0 * capacity * per_request / request)
            }
            _ => None,
        }
    }

    /// What is to say of a written target for which the HPA never scales up.
    pub(super) fn warning(&self, metric: &str, target: &Value) -> String {
        let target = match target {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        format!(
            "The target {target} of the metric {metric} never makes the HPA scale up in this replay: a pod at its capacity of \
             {} requests/s does not show more than the target and its tolerance. Lower the target, or correct --capacity. Settings that \
             keep it are not recommended, unless another target makes the HPA scale up.",
            (self.assumptions.capacity * 100.0).round() / 100.0
        )
    }
}
