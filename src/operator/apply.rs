//! Step 4, apply: every write of children. One that fails holds back none of the others.

use kube::core::Status;

use super::{
    context::Context,
    error::{Class, QUIET_FAILURES, ReconcileError, WriteError},
};
use crate::core::{
    child::ChildRef,
    outcome::{Change, Outcome, Overwritten},
    plan::{Application, Deletion, How, Plan},
};

/// What came of a plan.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Per child that was to be written.
    pub(super) outcomes: Vec<Outcome>,
    /// The first failure, for the retry.
    pub(super) error: Option<ReconcileError>,
    /// Whether the outcomes belong into the status.
    pub(super) telling: bool,
}

/// Carries out a plan.
pub(super) async fn apply(namespace: &str, plan: &Plan, context: &Context, failures: u32) -> Applied {
    // No `..` here: a new kind of write must not be forgotten.
    let Plan {
        delete,
        apply,
        workloads: _,
        limits: _,
    } = plan;
    let mut applied = Applied {
        telling: true,
        ..Applied::default()
    };
    for deletion in delete {
        let Deletion { reference, uid } = deletion;
        let result = context.writer.delete(namespace, reference, uid).await;
        applied.take(
            reference,
            None,
            result.map(|()| Change::Deleted),
            context,
            failures,
        );
    }
    for application in apply {
        let Application { child, how } = application;
        let result = match how {
            How::Create => context
                .writer
                .create(namespace, &child.reference, &child.body)
                .await
                .map(|()| Change::Created),
            How::Update { uid } => update(namespace, application, uid, context).await,
        };
        applied.take(
            &child.reference,
            child.workload.clone(),
            result,
            context,
            failures,
        );
    }
    applied
}

/// Applies without force first: the conflict tells whose fields are about to be taken back.
async fn update(
    namespace: &str,
    application: &Application,
    uid: &str,
    context: &Context,
) -> Result<Change, WriteError> {
    let child = &application.child;
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

/// The managers and fields that a field conflict names; empty for any other conflict.
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

impl Applied {
    fn take(
        &mut self,
        child: &ChildRef,
        workload: Option<String>,
        result: Result<Change, WriteError>,
        context: &Context,
        failures: u32,
    ) {
        let label = match &result {
            Ok(Change::Created) => "created",
            Ok(Change::Updated { .. }) => "updated",
            Ok(Change::Deleted) => "deleted",
            Err(_) => "failed",
        };
        context.metrics.applied(child.kind, label);
        let told = match result {
            Ok(change) => {
                tracing::info!(%child, result = label, "wrote a child");
                Ok(change)
            }
            Err(error) => {
                self.telling &= match error.class() {
                    Class::Refused => true,
                    Class::Conflict | Class::Transient => failures >= QUIET_FAILURES,
                    Class::Fenced => false,
                };
                let words = error.words();
                self.error.get_or_insert(ReconcileError::Apply {
                    child: child.clone(),
                    source: error,
                });
                Err(words)
            }
        };
        self.outcomes.push(Outcome {
            reference: child.clone(),
            workload,
            result: told,
        });
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

    #[test]
    fn another_conflict_names_nobody() {
        let status: Status = serde_json::from_value(json!({"code": 409, "message": "uid mismatch"})).unwrap();
        assert!(overwritten(&status).is_empty());
    }
}
