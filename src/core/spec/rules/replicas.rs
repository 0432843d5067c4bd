//! Rules of the replica bounds: `minReplicas <= maxReplicas`, and what scaling to zero needs.

use super::findings::Scope;
use crate::{
    schedule::{Bounds, Schedules},
    spec::{
        field_path::FieldPath,
        model::{Behavior, Metric, Series, Source},
    },
};
use vas_api::v1alpha1::{PolicyType, SelectPolicy, Workload};

/// The lowest `minReplicas` that a workload ever has, and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Lowest {
    /// The number.
    pub(super) min: i32,
    /// The field that it comes from.
    pub(super) path: FieldPath,
    /// The entry of the schedule that asks for it; `None` for the workload itself.
    entry: Option<String>,
}

impl Lowest {
    /// The number, with the entry that asks for it.
    pub(super) fn words(&self) -> String {
        match &self.entry {
            None => self.min.to_string(),
            Some(entry) => format!("{} of schedule entry {entry}", self.min),
        }
    }
}

/// Parses the bounds of the workload itself. A `maxReplicas` that is not set is refused, and is then the largest `i32`.
pub(super) fn check(workload: &Workload, path: &FieldPath, scope: &mut Scope<'_>) -> Bounds {
    let bounds = Bounds {
        // 1 is the HPA's default.
        min: workload.min_replicas.unwrap_or(1),
        max: workload.max_replicas.unwrap_or(i32::MAX),
    };
    if workload.max_replicas.is_none() {
        scope.refuse(
            &path.field("maxReplicas"),
            "is required with metrics: an HPA has a maximum",
        );
    }
    if bounds.min > bounds.max {
        scope.refuse_any(
            &[&path.field("minReplicas"), &path.field("maxReplicas")],
            format_args!(
                "minReplicas must not be greater than maxReplicas, here {} and {}",
                bounds.min, bounds.max
            ),
        );
    }
    bounds
}

/// The lowest minimum of the workload and its schedule.
pub(super) fn lowest(base: Bounds, schedules: Option<&Schedules>, path: &FieldPath) -> Lowest {
    let own = Lowest {
        min: base.min,
        path: path.field("minReplicas"),
        entry: None,
    };
    let entries = schedules.into_iter().flat_map(Schedules::entries);
    let of_entries = entries.filter_map(|entry| Some((entry.min?, &entry.name)));
    match of_entries.min_by_key(|(min, _)| *min) {
        Some((min, name)) if min < base.min => Lowest {
            min,
            path: path.field("schedules").named(name).field("minReplicas"),
            entry: Some(name.clone()),
        },
        _ => own,
    }
}

/// Checks that a workload that may have no replicas comes back from zero. `metrics` is `None` if they did not parse;
/// then they have violations of their own.
pub(super) fn check_zero(
    lowest: &Lowest,
    metrics: Option<&[Metric]>,
    behavior: &Behavior,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) {
    // Two things lead away from zero: a metric that has a value without pods, and a policy that allows a
    // step from zero.
    if lowest.min == 0 {
        if metrics.is_some_and(|metrics| !metrics.iter().any(works_without_pods)) {
            scope.refuse(
                &lowest.path,
                "minReplicas 0 needs a queueDepth, queueAge or prometheus metric: the others have no value without pods, so it would never come back from zero",
            );
        }
        check_leaving_zero(behavior, &lowest.path, path, scope);
    }
}

/// Whether the HPA can read the metric while there is no pod.
fn works_without_pods(metric: &Metric) -> bool {
    match &metric.source {
        Source::Resource { .. } | Source::ContainerResource { .. } => false,
        Source::Prometheus(prometheus) => match prometheus.series {
            Series::RequestRate { .. } | Series::PodGauge { .. } | Series::PodQuery { .. } => false,
            Series::Gauge { .. } | Series::Query { .. } => true,
        },
    }
}

/// Refuses rules with which the HPA can never leave zero. A percentage of zero pods is zero pods, so Percent
/// policies alone allow no step up. Neither does `selectPolicy: Min` with one of them.
fn check_leaving_zero(behavior: &Behavior, min_path: &FieldPath, path: &FieldPath, scope: &mut Scope<'_>) {
    let rules = &behavior.scale_up;
    let rules_path = path.field("behavior").field("scaleUp");
    match rules.select_policy {
        SelectPolicy::Max => {}
        SelectPolicy::Min => scope.refuse_any(
            &[&rules_path.field("selectPolicy"), min_path],
            "with minReplicas 0, scaleUp.selectPolicy must not be Min: a percentage of zero pods is zero, so it would never leave zero; use Max",
        ),
        SelectPolicy::Disabled => scope.refuse_any(
            &[&rules_path.field("selectPolicy"), min_path],
            "with minReplicas 0, scaleUp.selectPolicy must not be Disabled: it would never leave zero; use suspend to hold the replicas for a while",
        ),
    }
    if rules
        .policies
        .iter()
        .all(|policy| policy.type_ == PolicyType::Percent)
    {
        scope.refuse_any(
            &[&rules_path.field("policies"), min_path],
            "with minReplicas 0, scaleUp.policies needs one of type Pods: a percentage of zero pods is zero, so it would never leave zero",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::spec::rules::testing::{accepts, refuses};

    #[test]
    fn min_above_max_is_refused_at_min() {
        refuses(
            json!({"minReplicas": 4, "maxReplicas": 3}),
            "spec.workloads[0].minReplicas",
            "4 and 3",
        );
    }

    #[test]
    fn min_defaults_to_one() {
        accepts(json!({"minReplicas": null, "maxReplicas": 1, "disruption": null}));
    }

    #[test]
    fn zero_needs_a_metric_that_exists_without_pods() {
        let zero = json!({"minReplicas": 0, "disruption": null});
        refuses(zero.clone(), "spec.workloads[0].minReplicas", "queueDepth");
        let mut with_queue = zero;
        with_queue["metrics"] =
            json!([{"name": "depth", "queueDepth": {"gauge": "g", "target": {"averageValue": "5"}}}]);
        accepts(with_queue.clone());
        with_queue["metrics"] = json!([
            {"name": "depth", "enabled": false, "queueDepth": {"gauge": "g", "target": {"averageValue": "5"}}},
            {"name": "rate", "requestRate": {"counter": "c", "target": {"averageValue": "5"}}},
        ]);
        refuses(with_queue, "spec.workloads[0].minReplicas", "queueDepth");
    }

    #[test]
    fn zero_needs_a_way_up_from_zero() {
        let with_scale_up = |rules: serde_json::Value| {
            json!({
                "minReplicas": 0,
                "disruption": null,
                "metrics": [{"name": "depth", "queueDepth": {"gauge": "g", "target": {"averageValue": "5"}}}],
                "behavior": {"scaleUp": rules},
            })
        };
        for select in ["Min", "Disabled"] {
            refuses(
                with_scale_up(json!({"selectPolicy": select})),
                "spec.workloads[0].behavior.scaleUp.selectPolicy",
                "never leave zero",
            );
        }
        refuses(
            with_scale_up(json!({"policies": [{"type": "Percent", "value": 100, "periodSeconds": 30}]})),
            "spec.workloads[0].behavior.scaleUp.policies",
            "type Pods",
        );
    }
}
