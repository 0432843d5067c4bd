//! Step 4, apply: writes the children. A write that fails does not stop the others. When the time is up, the
//! remaining writes fail without being sent.

use std::{collections::BTreeSet, time::Duration};

use kube::core::Status;

use crate::{
    cache::Key,
    context::Context,
    error::{Class, QUIET_FAILURES, ReconcileError, WriteError},
};
use vas_core::reconcile::{
    child::{Child, ChildRef},
    outcome::{Change, Outcome, Overwritten, Part},
    plan::{Application, Deletion, How, Plan},
};

/// The results of the writes of one plan.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// One outcome per child that the plan writes or deletes.
    pub(super) outcomes: Vec<Outcome>,
    /// The first failure. It decides when the reconcile is tried again.
    pub(super) error: Option<ReconcileError>,
    /// Children that are written again and again and for which an Event was published recently: they get no
    /// Event now.
    pub(super) quiet: BTreeSet<ChildRef>,
    /// Whether the outcomes go into the status. They do not while a failure is likely to pass.
    pub(super) reports_status: bool,
}

/// Carries out a plan. No write starts or goes on after the monotonic clock shows `until`.
pub(super) async fn apply(
    key: &Key,
    plan: &Plan,
    context: &Context,
    failures: u32,
    until: Duration,
) -> Applied {
    // No `..` here: a new kind of write must not be forgotten.
    let Plan {
        delete,
        apply,
        workloads: _,
        limits: _,
    } = plan;
    let namespace = &key.0;
    let mut round = Round {
        context,
        key,
        failures,
        applied: Applied {
            reports_status: true,
            ..Applied::default()
        },
    };
    let left = || until.saturating_sub(context.clock.monotonic());
    for deletion in delete {
        let Deletion { reference, uid } = deletion;
        let result = with_deadline(left(), context.writer.delete(namespace, reference, uid)).await;
        round.take(reference, None, result.map(|()| Change::Deleted));
    }
    for application in apply {
        let Application { child, how } = application;
        let reference = &child.reference;
        let result = match how {
            How::Create => with_deadline(left(), context.writer.create(namespace, reference, &child.body))
                .await
                .map(|()| Change::Created),
            How::Update { uid } => with_deadline(left(), update(namespace, child, uid, context)).await,
        };
        round.take(reference, Some(child), result);
    }
    round.applied
}

/// Runs a write for at most the time `left`. With no time left the write is not sent.
async fn with_deadline<T>(
    left: Duration,
    write: impl Future<Output = Result<T, WriteError>>,
) -> Result<T, WriteError> {
    if left.is_zero() {
        return Err(WriteError::OutOfTime);
    }
    let unanswered = |_| WriteError::Timeout(left);
    tokio::time::timeout(left, write).await.map_err(unanswered)?
}

/// Applies a child over an existing object: first without force, and after a field conflict with force. The
/// conflict of the first try names the managers and fields that the second try overwrites.
async fn update(namespace: &str, child: &Child, uid: &str, context: &Context) -> Result<Change, WriteError> {
    let write = |force| {
        context
            .writer
            .update(namespace, &child.reference, &child.body, uid, force)
    };
    let overwrote = match write(false).await {
        Ok(()) => Vec::new(),
        Err(WriteError::Api(kube::Error::Api(status))) if status.code == 409 => {
            let overwrote = overwritten(&status);
            if overwrote.is_empty() {
                return Err(WriteError::Api(kube::Error::Api(status)));
            }
            write(true).await?;
            overwrote
        }
        Err(error) => return Err(error),
    };
    Ok(Change::Updated { overwrote })
}

/// The managers and fields that a field conflict names. Empty for any other conflict, such as another UID.
fn overwritten(status: &Status) -> Vec<Overwritten> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut overwritten: Vec<Overwritten> = Vec::new();
    for cause in causes.filter(|cause| cause.reason == "FieldManagerConflict") {
        // The message reads: conflict with "kubectl-edit" using autoscaling/v2 at 2026-11-23T12:00:00Z
        let manager = cause
            .message
            .split('"')
            .nth(1)
            .unwrap_or(&cause.message)
            .to_owned();
        match overwritten.iter_mut().find(|one| one.manager == manager) {
            Some(one) => one.fields.push(cause.field.clone()),
            None => overwritten.push(Overwritten {
                manager,
                fields: vec![cause.field.clone()],
            }),
        }
    }
    overwritten
}

/// The part of the resource that a written child serves. `None` is a deletion, which counts as leftovers.
fn part(child: Option<&Child>) -> Part {
    match child {
        None => Part::Leftovers,
        Some(Child {
            workload: Some(name), ..
        }) => Part::Workload(name.clone()),
        Some(Child { workload: None, .. }) => Part::Limits,
    }
}

/// The state while a plan is carried out.
struct Round<'a> {
    context: &'a Context,
    key: &'a Key,
    failures: u32,
    applied: Applied,
}

impl Round<'_> {
    /// Records the result of one write; `child` is the desired child, `None` for a deletion.
    fn take(&mut self, reference: &ChildRef, child: Option<&Child>, result: Result<Change, WriteError>) {
        let label = match &result {
            Ok(Change::Created) => "created",
            Ok(Change::Updated { .. }) => "updated",
            Ok(Change::Deleted) => "deleted",
            Err(_) => "failed",
        };
        self.context.metrics.applied(reference.kind, label);
        if let Ok(Change::Updated { overwrote }) = &result
            && !overwrote.is_empty()
        {
            self.context.metrics.overwrote(reference.kind);
        }
        let reported = match result {
            Ok(change) => {
                tracing::info!(child = %reference, result = label, "wrote a child");
                let now = self.context.clock.monotonic();
                let notify =
                    child.is_none_or(|child| self.context.memory.wrote(self.key, child, &change, now));
                if !notify {
                    self.applied.quiet.insert(reference.clone());
                }
                Ok(change)
            }
            Err(error) => Err(self.failed(reference, child, error)),
        };
        self.applied.outcomes.push(Outcome {
            reference: reference.clone(),
            part: part(child),
            result: reported,
        });
    }

    /// Keeps the first error for the retry, and returns the text that the user reads.
    fn failed(&mut self, reference: &ChildRef, child: Option<&Child>, error: WriteError) -> String {
        let class = error.class();
        self.applied.reports_status &= match class {
            Class::Refused => true,
            // Most of these are gone at the next try. A status that is written now would change back at once.
            Class::Conflict | Class::Transient => self.failures >= QUIET_FAILURES,
            // Another replica may lead by now, and its status must not be overwritten.
            Class::Fenced => false,
        };
        let mut words = error.words();
        let min_replicas = child.and_then(|child| child.body.pointer("/spec/minReplicas"));
        if class == Class::Refused && min_replicas.is_some_and(|min| *min == 0) {
            words.push_str(" (minReplicas 0 needs a cluster with the feature gate HPAScaleToZero)");
        }
        self.applied.error.get_or_insert(ReconcileError::Apply {
            child: reference.clone(),
            source: error,
        });
        words
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_conflict_names_managers_and_fields() {
        let cause = |manager: &str, field: &str| {
            json!({"reason": "FieldManagerConflict", "field": field,
                   "message": format!("conflict with \"{manager}\" using autoscaling/v2 at 2026-11-23T12:00:00Z")})
        };
        let status: Status = serde_json::from_value(json!({"code": 409, "details": {"causes": [
            cause("kubectl-edit", ".spec.minReplicas"),
            cause("argocd", ".spec.metrics"),
            cause("kubectl-edit", ".spec.maxReplicas"),
        ]}}))
        .unwrap();
        let overwritten = overwritten(&status);
        assert_eq!(overwritten[0].manager, "kubectl-edit");
        assert_eq!(overwritten[0].fields, [".spec.minReplicas", ".spec.maxReplicas"]);
        assert_eq!(overwritten[1].manager, "argocd");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_ends_with_the_time_and_none_begins_after_it() {
        let second = Duration::from_secs(1);
        let hanging = with_deadline(second, std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(hanging, Err(WriteError::Timeout(_))), "{hanging:?}");
        let late = with_deadline(Duration::ZERO, async { panic!("it was begun") }).await;
        let late: Result<(), WriteError> = late;
        assert_eq!(late.unwrap_err().words(), "not attempted: out of time");
        assert_eq!(with_deadline(second, async { Ok(1) }).await.unwrap(), 1);
    }

    #[test]
    fn another_conflict_names_nobody() {
        let status: Status = serde_json::from_value(json!({"code": 409, "message": "uid mismatch"})).unwrap();
        assert!(overwritten(&status).is_empty());
    }
}
