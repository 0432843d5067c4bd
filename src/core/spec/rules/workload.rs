//! Checks one workload of one environment, part by part, and puts the parts together.

use super::{
    behavior, disruption,
    findings::Scope,
    metrics, replicas, schedules,
    vertical::{self, Neighbours},
};
use crate::{
    schedule::{Bounds, Schedules},
    spec::{
        field_path::FieldPath,
        model::{self, Behavior, Metric, Series, Source},
    },
};
use vas_api::v1alpha1::{SelectPolicy, Workload};

/// Built-in kinds that run pods and have no `scale` subresource.
const WITHOUT_SCALE: [&str; 4] = ["DaemonSet", "Job", "CronJob", "Pod"];

/// Kinds of the group `apps`. A target without an `apiVersion` is of this group.
const APPS: [&str; 4] = ["Deployment", "StatefulSet", "ReplicaSet", "DaemonSet"];

/// Parses a merged workload; `None` if a part cannot be parsed. A part that parses and breaks a rule is in
/// the findings, and then the caller leaves the workload out.
pub(super) fn check(
    workload: &Workload,
    suspended: bool,
    limits: Option<&model::Limits>,
    scope: &mut Scope<'_>,
) -> Option<model::Workload> {
    let mut scope = scope.of_workload(&workload.name);
    let scope = &mut scope;
    let path = FieldPath::workload(&workload.name);

    // The order of the checks follows what they need: replicas look at metrics and behaviour, the VPA at
    // metrics, and the budget at the replicas.
    if workload.metrics.is_none() {
        return Some(without_hpa(workload, suspended, limits, &path, scope));
    }
    let metrics = metrics::check(workload.metrics.as_deref().unwrap_or_default(), &path, scope);
    let behavior = behavior::check(workload.behavior.as_ref(), &path.field("behavior"), scope);
    let bounds = replicas::check(workload, &path, scope);
    let in_order = (bounds.min <= bounds.max).then_some(bounds);
    let entries = workload.schedules.as_deref().unwrap_or_default();
    let schedules = schedules::check(entries, in_order, &path, scope);
    let lowest = replicas::lowest(bounds, schedules.as_ref(), &path);
    replicas::check_zero(&lowest, metrics.as_deref(), &behavior, &path, scope);
    let vertical = vertical::check(
        workload.vertical.as_ref(),
        &Neighbours {
            metrics: metrics.as_deref().unwrap_or_default(),
            limit_range: limits.and_then(|limits| limits.limit_range.as_ref()),
        },
        &path,
        scope,
    );
    check_target(workload, &path, scope);
    warn_of_long_windows(metrics.as_deref().unwrap_or_default(), &behavior, &path, scope);
    let disruption = disruption::check(workload.disruption.as_ref(), Some(&lowest), &path, scope);

    // `metrics?` and `schedules?` come last, so that a workload of which they are wrong still has its other parts checked.
    Some(model::Workload {
        name: workload.name.clone(),
        target: workload.scale_target_ref.clone(),
        base: bounds,
        schedules: schedules?,
        suspended: suspended || workload.suspend.unwrap_or(false),
        metrics: metrics?,
        behavior,
        vertical,
        disruption,
    })
}

/// Parses a workload without metrics. It has a VPA or a budget, and no HPA.
fn without_hpa(
    workload: &Workload,
    suspended: bool,
    limits: Option<&model::Limits>,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) -> model::Workload {
    // Fields of the HPA without an HPA are refused, not ignored: their author expects replicas to change.
    let written: Vec<&'static str> = [
        ("maxReplicas", workload.max_replicas.is_some()),
        ("minReplicas", workload.min_replicas.is_some()),
        ("behavior", workload.behavior.is_some()),
        ("schedules", workload.schedules.is_some()),
    ]
    .into_iter()
    .filter_map(|(field, written)| written.then_some(field))
    .collect();
    if let Some(first) = written.first().copied() {
        scope.refuse(
            &path.field(first),
            format_args!(
                "without metrics there is no HPA, which alone takes {}; add metrics, or remove what is for the HPA",
                written.join(", ")
            ),
        );
    }
    let neighbours = Neighbours {
        metrics: &[],
        limit_range: limits.and_then(|limits| limits.limit_range.as_ref()),
    };
    let vertical = vertical::check(workload.vertical.as_ref(), &neighbours, path, scope);
    let disruption = disruption::check(workload.disruption.as_ref(), None, path, scope);
    if workload.vertical.is_none() && workload.disruption.is_none() {
        scope.refuse(
            path,
            "a workload needs metrics with maxReplicas (an HPA), vertical (a VPA) or disruption (a PodDisruptionBudget)",
        );
    }
    model::Workload {
        name: workload.name.clone(),
        target: workload.scale_target_ref.clone(),
        base: Bounds { min: 0, max: 0 },
        schedules: Schedules::default(),
        suspended: suspended || workload.suspend.unwrap_or(false),
        metrics: Vec::new(),
        behavior: behavior::check(None, &path.field("behavior"), scope),
        vertical,
        disruption,
    }
}

/// Warns of a target that no HPA can scale. An HPA changes the replicas in the target's `scale` subresource,
/// which some kinds do not have.
fn check_target(workload: &Workload, path: &FieldPath, scope: &mut Scope<'_>) {
    let target = &workload.scale_target_ref;
    let kind = &target.kind;
    if target.api_version.starts_with("apps/") && !APPS.contains(&kind.as_str()) {
        scope.warn(
            &path.field("scaleTargetRef"),
            format_args!(
                "{} has no kind {kind}; write the apiVersion of {kind}",
                target.api_version
            ),
        );
    }
    if WITHOUT_SCALE.contains(&kind.as_str()) {
        scope.warn(
            &path.field("scaleTargetRef").field("kind"),
            format_args!(
                "a {kind} has no scale subresource, so no HPA can scale it; use a Deployment or StatefulSet"
            ),
        );
    }
}

/// Warns of a rate window that is longer than the stabilization window of scale-down. Example: with a rate
/// over 5 min and a stabilization window of 1 min, a gap in the samples lowers the rate for 5 min, and after
/// 1 min the HPA removes pods.
fn warn_of_long_windows(metrics: &[Metric], behavior: &Behavior, path: &FieldPath, scope: &mut Scope<'_>) {
    let down = &behavior.scale_down;
    let look_back = u64::try_from(down.stabilization_window_seconds).unwrap_or_default();
    // Nothing is ever removed, so a gap cannot remove pods.
    if down.select_policy == SelectPolicy::Disabled {
        return;
    }
    for metric in metrics {
        let Source::Prometheus(source) = &metric.source else {
            continue;
        };
        if let Series::RequestRate { window, .. } = &source.series
            && window.as_secs() > look_back
        {
            scope.warn_any(
                &[
                    &path
                        .field("metrics")
                        .named(&metric.name)
                        .field("requestRate")
                        .field("window"),
                    &path
                        .field("behavior")
                        .field("scaleDown")
                        .field("stabilizationWindowSeconds"),
                ],
                format_args!(
                    "the rate looks back {} s and scale-down only {look_back} s: a gap in the samples can take pods away; use a window of at most {look_back} s, or a longer stabilizationWindowSeconds",
                    window.as_secs()
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::spec::rules::{
        testing::{accepted, accepts, object, refuses, with_workload},
        validate,
    };

    fn warnings(fields: Value) -> Vec<String> {
        let validation = validate(&object(&with_workload(fields)));
        assert_eq!(validation.violations, []);
        validation.warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_workload_may_be_sized_or_protected_alone() {
        let alone = |mut fields: Value| {
            for field in ["metrics", "maxReplicas", "minReplicas", "disruption"] {
                if fields.get(field).is_none() {
                    fields[field] = Value::Null;
                }
            }
            fields
        };
        let sized = accepted(alone(json!({"vertical": {"updateMode": "Recreate"}})));
        assert!(!sized.has_hpa());
        assert!(sized.vertical.is_some());
        accepts(alone(json!({"disruption": {"minAvailable": 3}})));
        accepts(alone(
            json!({"disruption": {"maxUnavailable": 1}, "vertical": {"enabled": false}}),
        ));
        refuses(
            alone(json!({})),
            "spec.workloads[0]",
            "needs metrics with maxReplicas",
        );
        for (field, value) in [
            ("maxReplicas", json!(5)),
            ("minReplicas", json!(1)),
            ("behavior", json!({})),
        ] {
            let mut fields = alone(json!({"disruption": {"maxUnavailable": 1}}));
            fields[field] = value;
            refuses(
                fields,
                &format!("spec.workloads[0].{field}"),
                "without metrics there is no HPA",
            );
        }
        refuses(
            alone(json!({"disruption": {"minAvailable": "100%"}})),
            "spec.workloads[0].disruption.minAvailable",
            "no node drained",
        );
        refuses(
            json!({"maxReplicas": null}),
            "spec.workloads[0].maxReplicas",
            "is required with metrics",
        );
    }

    #[test]
    fn a_target_that_no_hpa_can_scale_is_warned_of() {
        let target =
            |kind: &str| json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": "a"}});
        let found = warnings(target("DaemonSet"));
        assert!(
            found[0].starts_with(r#"spec.workloads[0].scaleTargetRef.kind: "DaemonSet""#),
            "{found:?}"
        );
        assert_eq!(warnings(target("StatefulSet")), [] as [&str; 0]);
        let found = warnings(json!({"scaleTargetRef": {"kind": "Rollout", "name": "a"}}));
        assert!(found[0].contains("write the apiVersion of Rollout"), "{found:?}");
    }

    #[test]
    fn the_target_is_a_deployment_unless_it_says_otherwise() {
        let workload = accepted(json!({"scaleTargetRef": {"name": "a"}}));
        assert_eq!(
            (
                workload.target.api_version.as_str(),
                workload.target.kind.as_str()
            ),
            ("apps/v1", "Deployment")
        );
    }

    #[test]
    fn a_rate_that_looks_back_further_than_scale_down_is_warned_of() {
        let with = |stabilization: i32, select: &str| {
            warnings(json!({
                "metrics": [{"name": "rate", "requestRate": {"counter": "c", "window": "2m", "target": {"averageValue": "5"}}}],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": stabilization, "selectPolicy": select}},
            }))
        };
        assert_eq!(with(120, "Max"), [] as [&str; 0]);
        assert_eq!(with(60, "Disabled"), [] as [&str; 0]);
        let found = with(119, "Max");
        assert!(
            found[0].contains("looks back 120 s and scale-down only 119 s"),
            "{found:?}"
        );
    }
}
