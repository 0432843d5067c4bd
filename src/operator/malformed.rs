//! A stored object that does not parse: written under an older schema, or past one.
//!
//! Its children stay as they are. An Event says so, and its status where the API server's schema takes the
//! object, as it does where only this operator is too old for it.

use kube::core::{Status as Refusal, error_boundary::InvalidObject};
use serde_json::json;

use super::{
    context::Context,
    error::{ReconcileError, WriteError},
};
use crate::{
    api::condition::{READY, SPEC_VALID, reason},
    core::{
        k8s::conditions::{Finding, Status, conditions, cut},
        reconcile::events::Notice,
    },
};

/// Reports the object, once per error: when the status is written, or cannot be.
pub(super) async fn report(object: &InvalidObject, context: &Context) -> Result<(), ReconcileError> {
    let metadata = &object.metadata;
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let name = metadata.name.clone().unwrap_or_default();
    let uid = metadata.uid.as_deref().unwrap_or_default();
    let key = (namespace, name);
    if context.memory.was_told(&key, uid, &object.error) {
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
    let generation = metadata.generation.unwrap_or_default();
    let status = json!({"conditions": conditions(&findings, &[], generation, context.clock.now())});
    match context.writer.status(&key.0, &key.1, uid, &status).await {
        // The API server refuses any write of an object that its own schema does not take either.
        Err(WriteError::Api(kube::Error::Api(refusal))) if is_about_the_object(&refusal) => {
            tracing::info!(namespace = key.0, name = key.1, %refusal, "its status cannot be written either");
        }
        result => result.map_err(ReconcileError::Status)?,
    }
    context.memory.told(&key, uid, &object.error);
    context.events.publish(metadata, &[notice]).await;
    Ok(())
}

/// Whether no retry can help: the stored object itself is what is refused. Server-side apply says so with a
/// plain 500 whose message is all there is to go by.
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
