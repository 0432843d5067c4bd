//! Step 1, observe: all reads of a reconcile. Nearly all come from the caches. A target of a kind that is not
//! watched is read by a GET request.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use crate::{
    concern,
    context::Context,
    error::{QUIET_FAILURES, ReconcileError},
    targets::{Asked, Question},
};
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling};
use vas_core::{
    k8s::{quota::Quota, resource_ref::ResourceRef},
    reconcile::{
        child::{ChildKind, Live},
        observed::{Claim, Observed, Target},
    },
    spec::model::child_name,
};

/// Reads everything that the later steps need. A target that cannot be read fails the reconcile, which is
/// soon tried again. After [`QUIET_FAILURES`] in a row the target counts as unknown instead, so that it does
/// not stop the other workloads, and the error is returned beside the observation.
pub(super) async fn observe(
    resource: &ResourceRef,
    object: &VoiceAssistScaling,
    context: &Context,
    failures: u32,
) -> Result<(Observed, Option<ReconcileError>), ReconcileError> {
    let namespace = resource.namespace.as_str();
    let own = Claim::of(resource, object);
    let caches = &context.caches;
    let quotas: Vec<Quota> = caches
        .of_kind(ChildKind::ResourceQuota)
        .map(|cache| cache.in_namespace(namespace))
        .unwrap_or_default()
        .iter()
        .filter_map(|live| quota(live))
        .collect();
    let reader = Reader {
        context,
        resource,
        with_templates: !quotas.is_empty() || has_foreign_budget(context, namespace, &own),
    };
    let reads = object.spec.workloads.iter().map(async |workload| {
        let read = reader.read(&workload.name, &workload.scale_target_ref).await;
        (workload.name.clone(), read)
    });
    let (mut targets, mut asked, mut unreadable) = (BTreeMap::new(), BTreeMap::new(), None);
    for (workload, read) in join_all(reads).await {
        let target = match read {
            Ok((target, None)) => target,
            Ok((target, Some(answer))) => {
                asked.insert(workload.clone(), answer);
                target
            }
            Err(error) if failures < QUIET_FAILURES => return Err(error),
            Err(error) => {
                let message = error.to_string();
                unreadable = Some(error);
                Target::Unknown { message }
            }
        };
        targets.insert(workload, target);
    }
    let key = (namespace.to_owned(), own.name.clone());
    context.memory.remember_asked(&key, asked);
    let live = concern::live(caches, namespace, &own, &targets);
    let observed = Observed {
        others: concern::others(caches, namespace, &own, &live),
        resource: resource.clone(),
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

/// Reads the targets of one resource.
struct Reader<'a> {
    context: &'a Context,
    resource: &'a ResourceRef,
    /// Whether pod templates are read by GET requests. They matter only for quotas, and to see whether a
    /// foreign budget selects the pods. A watched target brings its template anyway.
    with_templates: bool,
}

impl Reader<'_> {
    /// The target of a workload. The second value is the answer to remember if the target is of a kind that
    /// is not watched.
    async fn read(
        &self,
        workload: &str,
        target: &ScaleTargetRef,
    ) -> Result<(Target, Option<Asked>), ReconcileError> {
        let context = self.context;
        if let Some((kind, watched)) = context.caches.watched(target) {
            let known = context
                .targets
                .known(&self.resource.namespace, target, kind, watched)
                .await?;
            return Ok((known, None));
        }
        let question = Question {
            target,
            with_template: self.with_templates,
            basis: self.basis(workload),
            now: context.clock.monotonic(),
        };
        let key = (self.resource.namespace.clone(), self.resource.name.clone());
        let before = context.memory.asked(&key, workload);
        if let Some(asked) = &before
            && let Some(answer) = asked.answer(&question)
        {
            return Ok((answer.clone(), before));
        }
        let answer = context
            .targets
            .ask(&self.resource.namespace, target, self.with_templates)
            .await?;
        // A resync comes up to 10 % before its period ends, and the answer must be out of date by then.
        let period = context.resync_period.mul_f64(0.85);
        let asked = Asked::after(
            before.as_ref(),
            &question,
            answer.clone(),
            period,
            vas_cluster::random::fraction(),
        );
        Ok((answer, Some(asked)))
    }

    /// A hash that changes with the resource and with the conditions of the workload's HPA. A target that is
    /// deleted shows in those conditions, so the remembered answer is dropped at once and not only when it is
    /// due.
    fn basis(&self, workload: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.resource.uid, self.resource.generation).hash(&mut hasher);
        let hpas = self.context.caches.of_kind(ChildKind::HorizontalPodAutoscaler);
        let name = child_name(&self.resource.name, workload);
        if let Some(hpa) = hpas.and_then(|hpas| hpas.get(&self.resource.namespace, &name)) {
            hpa.conditions
                .settled()
                .for_each(|condition| condition.hash(&mut hasher));
        }
        hasher.finish()
    }
}

fn has_foreign_budget(context: &Context, namespace: &str, own: &Claim) -> bool {
    let budgets = context.caches.of_kind(ChildKind::PodDisruptionBudget);
    budgets.is_some_and(|budgets| budgets.any(namespace, |budget| !budget.is_controlled_by(&own.uid)))
}

/// The limits of a quota. `None` for a quota with scopes: it counts only some of the pods.
fn quota(live: &Live) -> Option<Quota> {
    let content: Value = serde_json::from_str(&live.content.text()).ok()?;
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
