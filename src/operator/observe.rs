//! Step 1, observe: every read of a reconcile. Most come from the caches; scale targets are asked for,
//! because they can be of any kind.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use super::{
    context::Context,
    error::{QUIET_FAILURES, ReconcileError},
};
use crate::{
    api::v1alpha1::VoiceAssistScaling,
    core::{
        child::{ChildKind, Live},
        observed::{Claim, Observed, Target},
        quota::Quota,
    },
};

/// Reads everything that the later steps need. A target that cannot be read fails the round, for a quick
/// retry; after some `failures` in a row it counts as unknown instead, so that it stops no other workload,
/// and the error is returned beside what was read.
pub(super) async fn observe(
    object: &VoiceAssistScaling,
    context: &Context,
    failures: u32,
) -> Result<(Observed, Option<ReconcileError>), ReconcileError> {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let own = Claim::of(object);
    let caches = &context.caches;
    let live: BTreeMap<ChildKind, Vec<Arc<Live>>> = caches
        .children
        .iter()
        .map(|(kind, cache)| (*kind, cache.in_namespace(namespace)))
        .collect();
    let quotas: Vec<Quota> = of_kind(&live, ChildKind::ResourceQuota)
        .filter_map(quota)
        .collect();
    // Pod templates matter for quotas, and to see whether somebody else's budget selects the pods.
    let foreign_budgets =
        of_kind(&live, ChildKind::PodDisruptionBudget).any(|budget| !budget.is_controlled_by(&own.uid));
    let with_templates = foreign_budgets || !quotas.is_empty();
    let reads = object.spec.workloads.iter().map(async |workload| {
        let target = &workload.scale_target_ref;
        let read = context.targets.read(namespace, target, with_templates).await;
        (workload.name.clone(), read)
    });
    let mut targets = BTreeMap::new();
    let mut unreadable = None;
    for (workload, read) in join_all(reads).await {
        let target = match read {
            Ok(target) => target,
            Err(error) if failures < QUIET_FAILURES => return Err(error),
            Err(error) => {
                let message = error.to_string();
                unreadable = Some(error);
                Target::Unknown { message }
            }
        };
        targets.insert(workload, target);
    }
    let observed = Observed {
        others: caches
            .resources
            .in_namespace(namespace)
            .iter()
            .filter_map(|facts| facts.claim.clone())
            .filter(|claim| claim.uid != own.uid)
            .collect(),
        own,
        targets,
        live,
        vpa: caches.vpa(),
        manage_limits: context.manage_limits,
        quotas,
        metrics_server: caches.metrics_server(),
    };
    Ok((observed, unreadable))
}

fn of_kind(live: &BTreeMap<ChildKind, Vec<Arc<Live>>>, kind: ChildKind) -> impl Iterator<Item = &Live> {
    live.get(&kind).into_iter().flatten().map(AsRef::as_ref)
}

/// The limits of a quota that counts every pod; one with scopes counts only some.
fn quota(live: &Live) -> Option<Quota> {
    let content: Value = serde_json::from_str(&live.content).ok()?;
    let spec = content.get("spec")?;
    if spec.get("scopes").is_some() || spec.get("scopeSelector").is_some() {
        return None;
    }
    let hard: BTreeMap<String, Quantity> = serde_json::from_value(spec.get("hard")?.clone()).ok()?;
    Some(Quota {
        name: live.name.clone(),
        hard,
    })
}
