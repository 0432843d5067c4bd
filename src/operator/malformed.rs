//! Reports a stored object that does not parse: one that was written under another schema, or around the
//! schema.
//!
//! The children of the object stay as they are. An Event tells the user. The status tells it too, if the API
//! server's schema still accepts the object, which it does when only this operator is too old for the object.

use kube::core::{Status as Refusal, error_boundary::InvalidObject};
use serde_json::json;

use crate::{
    context::Context,
    error::{ReconcileError, WriteError},
};
use vas_api::condition::{READY, SPEC_VALID, reason};
use vas_core::{
    k8s::{
        conditions::{Finding, Status, conditions, cut},
        resource_ref::ResourceRef,
    },
    reconcile::events::Notice,
};

/// Reports the object once per error. The error counts as reported when the status is written, or when the
/// API server refuses every write to the object.
pub(super) async fn report(
    resource: &ResourceRef,
    object: &InvalidObject,
    context: &Context,
) -> Result<(), ReconcileError> {
    let key = (resource.namespace.clone(), resource.name.clone());
    if context.memory.was_reported(&key, &resource.uid, &object.error) {
        return Ok(());
    }
    tracing::warn!(
        namespace = key.0,
        name = key.1,
        error = object.error,
        "a stored resource does not parse"
    );
    let message = format!(
        "the stored object does not parse: {}; what exists stays as it is; apply the resource again",
        object.error
    );
    let findings = [READY, SPEC_VALID]
        .map(|type_| Finding::new(type_, Status::False, reason::MALFORMED, message.clone()));
    let notice = Notice {
        warning: true,
        reason: reason::MALFORMED.to_owned(),
        action: "Validate",
        note: cut(message),
    };
    let conditions = conditions(&findings, &[], resource.generation, context.clock.now());
    let status = json!({"conditions": conditions});
    match context.writer.status(resource, &status).await {
        // The API server's own schema refuses the object too, so it refuses every write to the object.
        Err(WriteError::Api(kube::Error::Api(refusal))) if is_about_the_object(&refusal) => {
            tracing::info!(namespace = key.0, name = key.1, %refusal, "its status cannot be written either");
        }
        result => result.map_err(ReconcileError::Status)?,
    }
    context.memory.reported(&key, &resource.uid, &object.error);
    let version = object.metadata.resource_version.as_deref();
    context.events.publish(resource, version, &[notice]).await;
    Ok(())
}

/// Whether the API server refuses the stored object itself, so that no retry can help. Server-side apply
/// reports that as a plain 500; only the message tells it from other failures.
fn is_about_the_object(refusal: &Refusal) -> bool {
    matches!(refusal.code, 400 | 422)
        || (refusal.code == 500 && refusal.message.starts_with("failed to create typed live object"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_object_itself_is_final() {
        let is_final = |code: u16, message: &str| {
            let refusal = serde_json::from_value(json!({"code": code, "message": message})).unwrap();
            is_about_the_object(&refusal)
        };
        assert!(is_final(422, "invalid"));
        assert!(is_final(
            500,
            "failed to create typed live object (ns/broken; ...): .spec.workloads: expected list, got &{none}"
        ));
        assert!(!is_final(500, "etcdserver: leader changed"));
        assert!(!is_final(403, "forbidden"));
        assert!(!is_final(503, "shutting down"));
    }
}
