//! One reconcile of one resource: observe -> validate -> plan -> apply -> status.
//!
//! Invariants: a reconcile does the same whatever triggered it (it is level-triggered), and a failure in it,
//! be it a panic, affects this one resource only.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use kube::{
    Resource,
    runtime::{controller::Action, reflector::ObjectRef},
};

use crate::{
    apply::apply,
    cache::Key,
    context::Context,
    error::{APPLY_TIME_LIMIT, JUDGE_TIME_LIMIT, ReconcileError, TIME_LIMIT},
    malformed,
    observe::observe,
    stored::Stored,
    update_status::{update_status, with_latest_status},
};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::judging::JudgingQueue;
use vas_core::{
    k8s::{backoff, resource_ref::ResourceRef},
    reconcile::{
        events,
        plan::plan,
        status::Inputs,
        suspend::{self, freeze},
    },
    spec::rules::{Validation, validate},
};

/// Shortest wait before a reconcile that is due by time alone.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// Time from the end of a suspension to the reconcile that ends it.
const LATE: Duration = Duration::from_millis(100);

/// Reconciles one resource within [`TIME_LIMIT`]. A panic counts as a failed reconcile.
pub(super) async fn reconcile(object: Arc<Stored>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    let started = context.clock.monotonic();
    let key = key(&ResourceRef::of(object.meta())?);
    let round = tokio::time::timeout(TIME_LIMIT, Box::pin(reconcile_key(&key, &context)));
    let result = contained(round)
        .await
        .and_then(|in_time| in_time.unwrap_or(Err(ReconcileError::Timeout)));
    let outcome = result.as_ref().map_or_else(ReconcileError::label, |_| "success");
    let took = context.clock.monotonic().saturating_sub(started);
    context.metrics.reconciled(outcome, took);
    context.reconciles.ended(&key, context.clock.monotonic());
    match &result {
        Ok(_) => {
            context.memory.succeeded(&key);
            tracing::debug!(namespace = key.0, name = key.1, ?took, "reconciled");
        }
        Err(error) => {
            tracing::warn!(namespace = key.0, name = key.1, %error, "reconcile failed; trying again");
        }
    }
    result
}

/// When to try again after a failure: with exponential backoff, and not before the server's `Retry-After`.
/// The end of a suspension comes before either, because no write to the resource triggers a reconcile at that
/// moment.
#[expect(clippy::needless_pass_by_value, reason = "the signature kube asks for")]
pub(super) fn error_policy(object: Arc<Stored>, error: &ReconcileError, context: Arc<Context>) -> Action {
    // Only a resource that is identified is ever queued.
    let Ok(resource) = ResourceRef::of(object.meta()) else {
        return Action::await_change();
    };
    let failures = context.memory.failed(&key(&resource));
    let delay = backoff::delay(failures, vas_cluster::random::fraction(), error.retry_after());
    let now = context.clock.now();
    let end = suspend::next_end(object.meta().annotations.as_ref(), now);
    Action::requeue(end.map_or(delay, |end| delay.min(time_to(end, now))))
}

/// A panic becomes an error: without this, one resource would take the whole controller down.
async fn contained<T>(future: impl Future<Output = T>) -> Result<T, ReconcileError> {
    AssertUnwindSafe(future).catch_unwind().await.map_err(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        ReconcileError::Panicked(text.unwrap_or_else(|| "no message".to_owned()))
    })
}

/// Looks up the resource in the watch's store and reconciles it, or reports that it does not parse.
async fn reconcile_key(key: &Key, context: &Context) -> Result<Action, ReconcileError> {
    // The order matters: read the last written status first, then the watch's copy. The watch replaces its
    // copy before it drops the written status, so whoever finds no written status here finds the newer copy
    // in the store.
    let written = context.caches.written.last(key);
    let Some(stored) = context.store.get(&ObjectRef::new(&key.1).within(&key.0)) else {
        return Ok(Action::await_change());
    };
    let resource = ResourceRef::of(stored.meta())?;
    match stored.object() {
        Ok(object) if object.metadata.deletion_timestamp.is_some() => Ok(Action::await_change()),
        Ok(object) => {
            let object = with_latest_status(object, written);
            Box::pin(reconcile_resource(&resource, &object, context)).await
        }
        Err(malformed) => {
            // No resync is needed: the result stays the same until the object changes, and the watch tells
            // that.
            malformed::report(&resource, &malformed, context).await?;
            Ok(Action::await_change())
        }
    }
}

/// Runs the five steps on a resource that parses, and returns when the next reconcile is due.
async fn reconcile_resource(
    resource: &ResourceRef,
    object: &VoiceAssistScaling,
    context: &Context,
) -> Result<Action, ReconcileError> {
    let until = context.clock.monotonic().saturating_add(APPLY_TIME_LIMIT);
    let key = key(resource);
    let failures = context.memory.failures(&key);
    context.memory.parsed(&key);

    let (observed, unreadable) = observe(resource, object, context, failures).await?;
    let mut validation = judged(object, &key.0, &context.judging).await?;
    // One moment for all steps: what the plan writes is what the status says.
    let now = context.clock.now();
    let suspended = freeze(object, &mut validation, now);
    // Set before anything is written, so that a write that fails or takes long misses no boundary.
    context.boundaries.set(&key, next_boundary(&validation, now));
    let mut plan = plan(object, &validation, &observed, now);
    context.memory.damp(&key, &mut plan, context.clock.monotonic());
    let applied = apply(&key, &plan, context, failures, until).await;
    let written = if applied.reports_status {
        let inputs = Inputs {
            object,
            validation: &validation,
            suspended: &suspended,
            observed: &observed,
            plan: &plan,
            outcomes: &applied.outcomes,
        };
        update_status(&inputs, now, context).await
    } else {
        Ok(Vec::new())
    };
    // Events are best effort, so they come last: the time that is left is for the status first.
    let reported = applied
        .outcomes
        .iter()
        .filter(|outcome| !applied.quiet.contains(&outcome.reference));
    let mut notices = events::of_outcomes(reported);
    notices.extend(written.as_deref().unwrap_or_default().iter().cloned());
    let version = object.metadata.resource_version.as_deref();
    context.events.publish(resource, version, &notices).await;
    written?;

    if let Some(error) = applied.error.or(unreadable) {
        return Err(error);
    }
    let resync = backoff::resync(context.resync_period, vas_cluster::random::fraction());
    let due = context.memory.next_due(&key, context.clock.monotonic());
    let wait = due.map_or(resync, |due| due.max(SHORTEST_WAIT).min(resync));
    // The end of a suspension is a moment in an annotation: no watch event comes when it passes.
    let end = suspended.next_end().map(|end| time_to(end, context.clock.now()));
    Ok(Action::requeue(end.map_or(wait, |end| end.min(wait))))
}

/// The first boundary of the schedules of all workloads.
fn next_boundary(validation: &Validation, now: Timestamp) -> Option<Timestamp> {
    let workloads = validation.scaling.iter().flat_map(|scaling| &scaling.workloads);
    workloads
        .filter_map(|workload| workload.schedules.walk(now).next_boundary())
        .min()
}

fn key(resource: &ResourceRef) -> Key {
    (resource.namespace.clone(), resource.name.clone())
}

/// Validates the resource when it is the turn of its namespace. When that turn does not come in time, the
/// resource is neither valid nor invalid: the reconcile fails and is tried again.
async fn judged(
    object: &VoiceAssistScaling,
    namespace: &str,
    judging: &JudgingQueue,
) -> Result<Validation, ReconcileError> {
    let spec = object.clone();
    let turn = judging.run(namespace, move || validate(&spec));
    match tokio::time::timeout(JUDGE_TIME_LIMIT, turn).await {
        Ok(Ok(validation)) => Ok(validation),
        Ok(Err(error)) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ReconcileError::NotJudged),
        },
        Err(_) => Err(ReconcileError::NotJudged),
    }
}

/// Time from `now` to `moment`, plus [`LATE`]: a timer runs on the monotonic clock and can fire a little
/// early by the wall clock.
fn time_to(moment: Timestamp, now: Timestamp) -> Duration {
    let left = Duration::try_from(moment.duration_since(now)).unwrap_or_default();
    left.saturating_add(LATE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures::{StreamExt, stream};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{
        ResourceExt,
        runtime::{Controller, reflector, watcher::Event},
    };
    use parking_lot::Mutex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_resource_whose_turn_does_not_come_is_not_judged_which_is_no_verdict() {
        let object = serde_json::from_value(serde_json::json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
            "metadata": {"namespace": "ns", "name": "one"}, "spec": {"workloads": []},
        }));
        let object = object.unwrap();
        let judging = JudgingQueue::default();
        let held = judging.hold("ns").await;
        let late = judged(&object, "ns", &judging).await.unwrap_err();
        assert!(matches!(late, ReconcileError::NotJudged), "{late}");
        drop(held);
        assert!(judged(&object, "ns", &judging).await.unwrap().scaling.is_none());
    }

    #[tokio::test]
    async fn a_panic_is_contained_and_named() {
        let error = contained(async { panic!("index out of bounds") })
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "panicked: index out of bounds");
        assert_eq!(contained(async { 1 }).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_resource_whose_reconcile_panics_takes_no_other_down() {
        let (store, mut writer) = reflector::store::<ConfigMap>();
        let objects: Vec<ConfigMap> = ["a", "b", "c", "d"]
            .into_iter()
            .map(|name| {
                let object = serde_json::json!({"metadata": {"namespace": "ns", "name": name, "uid": name}});
                serde_json::from_value(object).unwrap()
            })
            .collect();
        writer.apply_watcher_event(&Event::Init);
        for object in &objects {
            writer.apply_watcher_event(&Event::InitApply(object.clone()));
        }
        writer.apply_watcher_event(&Event::InitDone);
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let triggers = stream::iter(objects.into_iter().map(Ok)).chain(stream::pending());
        let results = Controller::for_stream(triggers, store).run(
            async |object, seen: Arc<Mutex<BTreeSet<String>>>| {
                contained(async {
                    assert_ne!(object.name_any(), "b", "a bug");
                    seen.lock().insert(object.name_any());
                    Action::await_change()
                })
                .await
            },
            |_, _, _| Action::await_change(),
            seen.clone(),
        );
        let results: Vec<bool> = results.take(4).map(|result| result.is_ok()).collect().await;
        assert_eq!(results.iter().filter(|ok| **ok).count(), 3);
        assert_eq!(
            seen.lock().iter().map(String::as_str).collect::<Vec<_>>(),
            ["a", "c", "d"]
        );
    }
}
