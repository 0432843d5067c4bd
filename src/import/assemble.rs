//! Puts drafts of workloads together into resources that `vas validate` accepts: one resource per namespace,
//! or several if a namespace has more workloads than a resource may hold.
//!
//! A draft that breaks a rule is refused with the text of the rule. A draft that lost one of its metrics is
//! suspended: the workload keeps its replicas until a person adds that metric.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Assembled, Refused, Resource};
use vas_api::v1alpha1::{Metric, ScaleTargetRef, VoiceAssistScaling, VoiceAssistScalingSpec, Workload};
use vas_core::{
    k8s::api_version,
    spec::rules::{Violation, validate},
};

/// Most workloads that a resource may hold.
const MAX_WORKLOADS: usize = 16;

/// A workload that is not yet part of a resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The object that the draft comes from, such as `HPA shop/api`.
    pub(super) origin: String,
    /// Namespace of the resource; `None` if the object names none.
    pub(super) namespace: Option<String>,
    pub(super) workload: Workload,
    /// Comments about the workload, to print above the resource.
    pub(super) comments: Vec<String>,
    /// Metrics that scaled the workload and could not be converted. The workload is suspended for them.
    pub(super) missing: Vec<Refused>,
    /// What the user has to do for the workload outside of the resource.
    pub(super) notes: Vec<String>,
    /// Fields without a counterpart whose loss does not stop the scaling.
    pub(super) left: Vec<Refused>,
}

impl Draft {
    /// Whether the workload has no part from which the operator would make an object.
    pub(super) fn is_empty(&self) -> bool {
        let workload = &self.workload;
        workload.metrics.is_none() && workload.vertical.is_none() && workload.disruption.is_none()
    }

    /// Adds a metric to the workload.
    pub(super) fn add(&mut self, metric: Metric) {
        self.workload.metrics.get_or_insert_default().push(metric);
    }
}

/// The first rule that a workload breaks if it is the only one of its resource.
pub(super) fn broken(workload: &Workload) -> Option<String> {
    let violations = violations(workload);
    let first = violations.first()?;
    let field = first
        .path
        .strip_prefix("spec.workloads[0].")
        .unwrap_or(&first.path);
    Some(format!("{field}: {}", first.rule))
}

fn violations(workload: &Workload) -> Vec<Violation> {
    let spec = VoiceAssistScalingSpec {
        workloads: vec![workload.clone()],
        ..VoiceAssistScalingSpec::default()
    };
    let mut object = VoiceAssistScaling::new("imported", spec);
    object.metadata.namespace = Some("imported".to_owned());
    validate(&object).violations
}

/// The first rule that a metric breaks. Rules about its target do not count, because the target may be a
/// placeholder.
pub(super) fn broken_metric(metric: Metric) -> Option<String> {
    let workload = Workload {
        name: "imported".to_owned(),
        scale_target_ref: ScaleTargetRef {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: "imported".to_owned(),
        },
        max_replicas: Some(1),
        metrics: Some(vec![metric]),
        ..Workload::default()
    };
    let violations = violations(&workload);
    let mut violations = violations
        .iter()
        .filter(|violation| !violation.path.contains(".target"));
    let first = violations.next()?;
    let field = first
        .path
        .strip_prefix("spec.workloads[0].metrics[0].")
        .unwrap_or(&first.path);
    Some(format!("{field}: {}", first.rule))
}

/// Puts drafts together into resources of the name `name`. A second resource of the same namespace is called
/// `NAME-2`.
pub(super) fn assemble(name: &str, drafts: Vec<Draft>) -> Assembled {
    let mut assembled = Assembled::default();
    let mut namespaces: BTreeMap<Option<String>, Vec<Draft>> = BTreeMap::new();
    for mut draft in drafts {
        assembled.notes.append(&mut draft.notes);
        namespaces.entry(draft.namespace.clone()).or_default().push(draft);
    }
    for (namespace, drafts) in namespaces {
        let taken = accepted(drafts, &mut assembled.refused);
        for (position, drafts) in taken.chunks(MAX_WORKLOADS).enumerate() {
            let name = match position {
                0 => name.to_owned(),
                more => format!("{name}-{}", more + 1),
            };
            assembled
                .resources
                .push(resource(&name, namespace.clone(), drafts));
        }
    }
    assembled.notes.sort();
    assembled.notes.dedup();
    assembled
}

/// The drafts that break no rule and whose target no earlier draft has.
fn accepted(drafts: Vec<Draft>, refused: &mut Vec<Refused>) -> Vec<Draft> {
    let mut names = BTreeSet::new();
    let mut targets: BTreeMap<(String, String, String), String> = BTreeMap::new();
    let mut accepted = Vec::new();
    for mut draft in drafts {
        let refuse = |why: String| Refused {
            field: draft.origin.clone(),
            series: draft.workload.scale_target_ref.name.clone(),
            why,
        };
        // The first draft of a target is kept, and later ones are refused.
        if let Some(other) = targets.get(&target(&draft.workload.scale_target_ref)) {
            refused.push(refuse(format!(
                "{other} has the same target; two HPAs would disable each other"
            )));
            continue;
        }
        if !draft.missing.is_empty() {
            draft.workload.suspend = Some(true);
            draft.comments.push(
                "suspended, so that it holds its replicas: something that scaled it is missing here; add that, then \
                 remove suspend"
                    .to_owned(),
            );
        }
        if let Some(rule) = broken(&draft.workload) {
            refused.append(&mut draft.missing);
            refused.push(Refused {
                field: draft.origin,
                series: draft.workload.scale_target_ref.name,
                why: rule,
            });
            continue;
        }
        // Only an accepted draft takes a name, so that a refused one leaves no gap in the numbers.
        let base = draft.workload.name.clone();
        let mut number = 2;
        while !names.insert(draft.workload.name.clone()) {
            draft.workload.name = format!("{base}-{number}");
            number += 1;
        }
        targets.insert(target(&draft.workload.scale_target_ref), draft.origin.clone());
        refused.append(&mut draft.missing);
        refused.append(&mut draft.left);
        accepted.push(draft);
    }
    accepted
}

/// Identifies a target by group, kind and name. The version is left out: all versions of a group show the
/// same object.
fn target(target: &ScaleTargetRef) -> (String, String, String) {
    let group = api_version::group(&target.api_version);
    (group.to_owned(), target.kind.clone(), target.name.clone())
}

fn resource(name: &str, namespace: Option<String>, drafts: &[Draft]) -> Resource {
    let mut comments = Vec::new();
    for draft in drafts {
        let workload = &draft.workload.name;
        comments.push(format!("workload {workload}: from {}", draft.origin));
        comments.extend(
            draft
                .comments
                .iter()
                .map(|comment| format!("workload {workload}: {comment}")),
        );
    }
    let spec = VoiceAssistScalingSpec {
        workloads: drafts.iter().map(|draft| draft.workload.clone()).collect(),
        ..VoiceAssistScalingSpec::default()
    };
    let mut object = VoiceAssistScaling::new(name, spec);
    object.metadata.namespace = namespace;
    Resource { object, comments }
}
