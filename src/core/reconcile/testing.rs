//! Resources and observations for the tests of `plan` and `status`.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    child::{Child, ChildKind, Live, TargetKey},
    desired::meta::owner_reference,
    drift::OwnedFields,
    observed::{Claim, MetricsServer, Observed, Target, VpaSupport},
    plan::{How, Plan, plan},
};
use crate::{
    k8s::{label_selector::LabelSelector, resource_ref::ResourceRef},
    spec::rules::validate,
};
use vas_api::v1alpha1::VoiceAssistScaling;

/// Workload `worker` with a CPU metric, a budget and a VPA, as JSON that tests change.
pub(crate) fn worker() -> Value {
    json!({
        "name": "worker",
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
        "minReplicas": 2,
        "maxReplicas": 5,
        "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
        "vertical": {"updateMode": "Off"},
        "disruption": {"maxUnavailable": 1},
    })
}

/// Resource `v` in namespace `ns`, UID `own`.
pub(crate) fn resource(spec: Value) -> VoiceAssistScaling {
    serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1",
        "kind": "VoiceAssistScaling",
        "metadata": {"name": "v", "namespace": "ns", "uid": "own", "generation": 3,
                     "creationTimestamp": "2026-01-02T00:00:00Z"},
        "spec": spec,
    }))
    .unwrap()
}

/// A cluster in which every target exists and no child does.
pub(crate) fn observed(object: &VoiceAssistScaling) -> Observed {
    let found = |name: &str| Target::Found {
        selector: Ok(format!("app={name}").parse().unwrap()),
        template: None,
    };
    let resource = ResourceRef::of(&object.metadata).unwrap();
    Observed {
        own: Claim::of(&resource, object),
        resource,
        others: Vec::new(),
        targets: object
            .spec
            .workloads
            .iter()
            .map(|workload| (workload.name.clone(), found(&workload.name)))
            .collect(),
        live: BTreeMap::new(),
        vpa: VpaSupport::Served { modes: None },
        manage_limits: true,
        quotas: Vec::new(),
        metrics_server: MetricsServer::Available,
    }
}

/// The moment of plans in tests.
pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The plan for an object in a cluster.
pub(crate) fn planned(object: &VoiceAssistScaling, observed: &Observed) -> Plan {
    plan(object, &validate(object), observed, NOW)
}

/// The writes of a plan as texts, such as `create HorizontalPodAutoscaler v-worker`.
pub(crate) fn writes(plan: &Plan) -> Vec<String> {
    let deletions = plan.delete.iter().map(|one| format!("delete {}", one.reference));
    let applications = plan.apply.iter().map(|one| {
        let how = match &one.how {
            How::Create => "create",
            How::Update { .. } => "update",
        };
        format!("{how} {}", one.child.reference)
    });
    deletions.chain(applications).collect()
}

/// The object that exists once the resource with UID `owner` has written a child.
pub(crate) fn live(child: &Child, owner: &str) -> Live {
    let spec = &child.body["spec"];
    let target = spec.get("scaleTargetRef").or(spec.get("targetRef"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Live {
        name: child.reference.name.clone(),
        uid: format!("uid-{}", child.reference.kind),
        controller: Some(owner_reference("v", owner)),
        content: child.body.to_string().as_str().into(),
        owned: OwnedFields::default(),
        target: target.map(|target| {
            TargetKey::new(
                &text(&target["apiVersion"]),
                &text(&target["kind"]),
                &text(&target["name"]),
            )
        }),
        selector: spec
            .get("selector")
            .map(|selector| LabelSelector::from(&serde_json::from_value(selector.clone()).unwrap())),
        ..Live::default()
    }
}

/// The same cluster after the plan was carried out.
pub(crate) fn carried_out(observed: &Observed, plan: &Plan) -> Observed {
    let mut observed = observed.clone();
    for application in &plan.apply {
        add(
            &mut observed,
            application.child.reference.kind,
            live(&application.child, "own"),
        );
    }
    observed
}

/// Puts an object into the cluster.
pub(crate) fn add(observed: &mut Observed, kind: ChildKind, live: Live) {
    observed.live.entry(kind).or_default().push(Arc::new(live));
}

/// An object that somebody made by hand, without an owner.
pub(crate) fn by_hand(name: &str) -> Live {
    Live {
        name: name.to_owned(),
        uid: format!("uid-{name}"),
        ..Live::default()
    }
}
