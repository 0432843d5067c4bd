//! Converts one `ScaledObject` into a workload.

use super::{
    object::{ScaledObject, Spec},
    server::Servers,
    trigger,
};
use crate::{
    Refused,
    assemble::Draft,
    hpa,
    names::{self, Names},
};
use vas_api::v1alpha1::{ScaleTargetRef, Workload};

/// KEDA's default of `maxReplicaCount`.
const DEFAULT_MAX: i32 = 100;
/// KEDA's default of `cooldownPeriod`, in seconds. It equals Kubernetes' default stabilization window for
/// scaling down.
const COOLDOWN: i32 = 300;
/// Annotations that pause the scaling.
const PAUSED: [&str; 4] = [
    "autoscaling.keda.sh/paused",
    "autoscaling.keda.sh/paused-replicas",
    "autoscaling.keda.sh/paused-scale-in",
    "autoscaling.keda.sh/paused-scale-out",
];

/// Converts a `ScaledObject`.
///
/// # Errors
/// The parts that could not be converted, if no metric is left.
pub(super) fn draft(
    object: &ScaledObject,
    namespace_label: &str,
    servers: &Servers,
) -> Result<Draft, Vec<Refused>> {
    let namespace = object.metadata.namespace.as_deref();
    let origin = match namespace {
        Some(namespace) => format!("ScaledObject {namespace}/{}", object.metadata.name),
        None => format!("ScaledObject {}", object.metadata.name),
    };
    let refuse = |about: String, why: String| Refused {
        field: origin.clone(),
        series: about,
        why,
    };
    let spec = &object.spec;
    let advanced = spec.advanced.clone().unwrap_or_default();
    if advanced
        .scaling_modifiers
        .as_ref()
        .is_some_and(|value| value.as_object().is_some_and(|one| !one.is_empty()))
    {
        let why = "a formula takes the place of the triggers; write it as one prometheus.query";
        return Err(vec![refuse(
            "advanced.scalingModifiers".to_owned(),
            why.to_owned(),
        )]);
    }
    let config = advanced.horizontal_pod_autoscaler_config.unwrap_or_default();
    let behavior = hpa::behavior(config.behavior.as_ref());
    let behavior = behavior.map_err(|why| vec![refuse("behavior".to_owned(), why)])?;
    let mut draft = Draft {
        origin: origin.clone(),
        namespace: object.metadata.namespace.clone(),
        workload: Workload {
            name: names::metric_name(&spec.scale_target_ref.name),
            scale_target_ref: target(spec),
            max_replicas: Some(spec.max_replica_count.unwrap_or(DEFAULT_MAX)),
            behavior,
            ..Workload::default()
        },
        ..Draft::default()
    };
    let mut names = Names::default();
    let mut left = Vec::new();
    for (position, one) in spec.triggers.iter().enumerate() {
        let place = format!("spec.triggers[{position}]");
        match trigger::convert(one, namespace, namespace_label, servers) {
            Ok(converted) => {
                let mut metric = converted.metric;
                metric.name = names.unique(&metric.name);
                let name = &metric.name;
                draft.comments.extend(
                    converted
                        .comments
                        .iter()
                        .map(|comment| format!("metric {name}: {comment}")),
                );
                left.extend(
                    converted
                        .left
                        .into_iter()
                        .map(|(field, why)| refuse(format!("{place}.metadata.{field}"), why)),
                );
                draft.add(metric);
            }
            Err(why) => draft.missing.push(refuse(format!("{place}, {}", one.type_), why)),
        }
    }
    if draft.workload.metrics.is_none() {
        if draft.missing.is_empty() {
            draft
                .missing
                .push(refuse("spec.triggers".to_owned(), "it has no trigger".to_owned()));
        }
        return Err(draft.missing);
    }
    replicas(object, &mut draft);
    left.extend(
        without_counterpart(object)
            .into_iter()
            .map(|(field, why)| refuse(field.to_owned(), why)),
    );
    draft.left.append(&mut left);
    Ok(draft)
}

fn target(spec: &Spec) -> ScaleTargetRef {
    let given = |value: &Option<String>, default: &str| {
        value
            .clone()
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| default.to_owned())
    };
    ScaleTargetRef {
        api_version: given(&spec.scale_target_ref.api_version, "apps/v1"),
        kind: given(&spec.scale_target_ref.kind, "Deployment"),
        name: spec.scale_target_ref.name.clone(),
    }
}

/// Sets `minReplicas`, and `suspend` if KEDA is paused.
fn replicas(object: &ScaledObject, draft: &mut Draft) {
    let min = object.spec.min_replica_count.unwrap_or(0);
    let mut metrics = draft.workload.metrics.iter().flatten();
    let only_resources = metrics.all(|one| one.resource.is_some() || one.container_resource.is_some());
    draft.workload.min_replicas = Some(if min == 0 && only_resources {
        draft.comments.push(
            "minReplicas 1: cpu and memory have no value without a pod, and KEDA keeps one too".to_owned(),
        );
        1
    } else {
        min
    });
    if draft.workload.min_replicas == Some(0) {
        draft.comments.push(
            "minReplicas 0: the HPA itself goes to zero and back, when the metrics say so, and scaleDown's stabilization \
             stands for cooldownPeriod; the cluster needs the feature HPAScaleToZero"
                .to_owned(),
        );
    }
    let is_paused = PAUSED.iter().any(|annotation| {
        let value = object.metadata.annotations.get(*annotation);
        value.is_some_and(|value| value != "false")
    });
    if is_paused {
        draft.workload.suspend = Some(true);
        draft
            .comments
            .push("suspended, because KEDA's annotation says paused".to_owned());
    }
}

/// Fields without a counterpart, and the reason for each.
fn without_counterpart(object: &ScaledObject) -> Vec<(&'static str, String)> {
    let spec = &object.spec;
    let mut left = Vec::new();
    if spec.idle_replica_count.is_some() {
        left.push((
            "spec.idleReplicaCount",
            "an HPA has one lower bound; minReplicas is that of minReplicaCount".to_owned(),
        ));
    }
    if spec.fallback.is_some() {
        left.push((
            "spec.fallback",
            "without data vas does not scale down, and goes to no fixed count".to_owned(),
        ));
    }
    if spec.initial_cooldown_period.is_some_and(|period| period > 0) {
        left.push((
            "spec.initialCooldownPeriod",
            "an HPA has no such period".to_owned(),
        ));
    }
    // KEDA's cooldown period holds only before the step to zero replicas.
    if spec.cooldown_period.is_some_and(|period| period != COOLDOWN)
        && spec.min_replica_count.unwrap_or(0) == 0
    {
        left.push((
            "spec.cooldownPeriod",
            "write it as behavior.scaleDown.stabilizationWindowSeconds, which holds at every count"
                .to_owned(),
        ));
    }
    if object
        .spec
        .advanced
        .as_ref()
        .and_then(|advanced| advanced.restore_to_original_replica_count)
        == Some(true)
    {
        left.push((
            "spec.advanced.restoreToOriginalReplicaCount",
            "deleting the resource leaves the replicas where they are".to_owned(),
        ));
    }
    if let Some(count) = object
        .metadata
        .annotations
        .get("autoscaling.keda.sh/paused-replicas")
    {
        left.push((
            "metadata.annotations",
            format!("paused-replicas sets {count} replicas; suspend holds what there is"),
        ));
    }
    left
}
