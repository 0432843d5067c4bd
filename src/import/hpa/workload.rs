//! Converts one HPA into a workload.

use k8s_openapi::api::autoscaling::v2::{CrossVersionObjectReference, HorizontalPodAutoscaler, MetricSpec};

use super::{
    behavior::behavior,
    metric::{self, Taken},
};
use crate::{
    Refused, adapter,
    assemble::Draft,
    names::{self, Names},
};
use vas_api::{
    LABEL_SCALING,
    v1alpha1::{Metric, ResourceName, ResourceSource, ResourceTarget, ScaleTargetRef, Workload},
};

/// The target of an HPA without metrics, by Kubernetes' default: CPU utilization in percent of the requests.
const DEFAULT_UTILIZATION: i32 = 80;

/// Converts an HPA.
///
/// # Errors
/// The parts that could not be converted, if no metric is left.
pub(super) fn draft(
    hpa: &HorizontalPodAutoscaler,
    rules: Option<&adapter::Sources>,
) -> Result<Draft, Vec<Refused>> {
    let origin = origin(hpa);
    let refuse = |about: &str, why: String| Refused {
        field: origin.clone(),
        series: about.to_owned(),
        why,
    };
    if let Some(why) = foreign(hpa) {
        return Err(vec![refuse(&hpa.spec.scale_target_ref.name, why)]);
    }
    let target = target(&hpa.spec.scale_target_ref);
    let target = target.map_err(|why| vec![refuse(&hpa.spec.scale_target_ref.name, why)])?;
    let behavior = behavior(hpa.spec.behavior.as_ref()).map_err(|why| vec![refuse("behavior", why)])?;
    let mut draft = Draft {
        origin: origin.clone(),
        namespace: hpa.metadata.namespace.clone(),
        workload: Workload {
            name: names::metric_name(&target.name),
            scale_target_ref: target,
            min_replicas: Some(hpa.spec.min_replicas.unwrap_or(1)),
            max_replicas: Some(hpa.spec.max_replicas),
            behavior,
            ..Workload::default()
        },
        ..Draft::default()
    };
    take_metrics(hpa, rules, &mut draft);
    if draft.workload.metrics.is_none() {
        return Err(draft.missing);
    }
    Ok(draft)
}

/// The HPA as messages name it: `HPA shop/api`.
fn origin(hpa: &HorizontalPodAutoscaler) -> String {
    let name = hpa.metadata.name.as_deref().unwrap_or_default();
    match &hpa.metadata.namespace {
        Some(namespace) => format!("HPA {namespace}/{name}"),
        None => format!("HPA {name}"),
    }
}

/// The reason not to import an HPA that another controller makes: the controller would make it again. `None`
/// for an HPA of its own.
fn foreign(hpa: &HorizontalPodAutoscaler) -> Option<String> {
    let labels = hpa.metadata.labels.iter().flatten();
    if labels.into_iter().any(|(label, _)| label == LABEL_SCALING) {
        return Some("it is a VoiceAssistScaling's already".to_owned());
    }
    let mut owners = hpa.metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true))?;
    Some(match owner.kind.as_str() {
        "ScaledObject" => format!(
            "KEDA makes it from ScaledObject {}: use vas import keda",
            owner.name
        ),
        kind => format!("{kind} {} makes it, and would make it again", owner.name),
    })
}

fn target(reference: &CrossVersionObjectReference) -> Result<ScaleTargetRef, String> {
    let CrossVersionObjectReference {
        api_version,
        kind,
        name,
    } = reference;
    let version = api_version.clone().filter(|version| !version.is_empty());
    let api_version = match (version, kind.as_str()) {
        (Some(version), _) => version,
        // Each of these three kinds exists in one group only, so nothing is guessed.
        (None, "Deployment" | "StatefulSet" | "ReplicaSet") => "apps/v1".to_owned(),
        (None, kind) => {
            return Err(format!(
                "its scaleTargetRef has no apiVersion, without which {kind} is not found"
            ));
        }
    };
    Ok(ScaleTargetRef {
        api_version,
        kind: kind.clone(),
        name: name.clone(),
    })
}

fn take_metrics(hpa: &HorizontalPodAutoscaler, rules: Option<&adapter::Sources>, draft: &mut Draft) {
    let specs: Vec<&MetricSpec> = hpa.spec.metrics.iter().flatten().collect();
    let mut names = Names::default();
    let mut adapted = false;
    for spec in &specs {
        match metric::metric(spec) {
            Ok(Taken::Entry(mut entry)) => {
                entry.name = names.unique(&names::metric_name(&entry.name));
                draft.add(*entry);
            }
            Ok(Taken::Adapted) => adapted = true,
            Err(why) => draft.missing.push(Refused {
                field: draft.origin.clone(),
                series: spec.type_.clone(),
                why,
            }),
        }
    }
    if specs.is_empty() {
        draft.comments.push(format!(
            "the HPA names no metric, which means {DEFAULT_UTILIZATION} % of the CPU requests"
        ));
        draft.add(default_metric());
    }
    if adapted {
        take_adapted(hpa, rules, &mut names, draft);
    }
}

/// Converts the metrics that an adapter serves, by the rules of the adapter.
fn take_adapted(
    hpa: &HorizontalPodAutoscaler,
    rules: Option<&adapter::Sources>,
    names: &mut Names,
    draft: &mut Draft,
) {
    let wanted = adapter::wanted(hpa);
    let Some(rules) = rules else {
        draft.missing.extend(wanted.iter().map(|one| Refused {
            field: draft.origin.clone(),
            series: one.metric().to_owned(),
            why: "an adapter answers it, and what it reads does not stand in the HPA: give prometheus-adapter's \
                  configuration with --prometheus-adapter, or write the entry by hand"
                .to_owned(),
        }));
        return;
    };
    let import = adapter::convert(rules, Some(&wanted));
    for mut entry in import.entries {
        entry.metric.name = names.unique(&entry.metric.name);
        let name = &entry.metric.name;
        draft.comments.extend(
            entry
                .comments
                .iter()
                .map(|comment| format!("metric {name}: {comment}")),
        );
        for alternative in &entry.alternatives {
            draft.comments.push(format!(
                "metric {name}: {} of {} may be meant instead; vas import prometheus-adapter shows its entry",
                alternative.field, alternative.series
            ));
        }
        draft.add(entry.metric);
    }
    draft.notes.extend(import.notes);
    let of_metrics = import
        .refused
        .into_iter()
        .filter(|one| !one.field.contains("resourceRules."));
    draft.missing.extend(of_metrics);
}

fn default_metric() -> Metric {
    Metric {
        name: "cpu".to_owned(),
        resource: Some(Box::new(ResourceSource {
            name: ResourceName::Cpu,
            target: ResourceTarget {
                average_utilization: Some(DEFAULT_UTILIZATION),
                average_value: None,
            },
        })),
        ..Metric::default()
    }
}
