//! A stored object that does not parse: written under an older schema, or past one.
//!
//! Its children stay as they are. An Event says so, and its status where the API server's schema takes the
//! object, as it does where only this operator is too old for it.

use kube::core::error_boundary::InvalidObject;
use serde_json::json;

use super::{
    context::Context,
    error::{ReconcileError, WriteError},
};
use crate::{
    api::condition::{READY, SPEC_VALID, reason},
    core::{
        conditions::{Finding, Status, conditions, cut},
        events::Notice,
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
        Err(WriteError::Api(kube::Error::Api(refusal))) if matches!(refusal.code, 400 | 422) => {
            tracing::info!(namespace = key.0, name = key.1, %refusal, "its status cannot be written either");
        }
        result => result.map_err(ReconcileError::Status)?,
    }
    context.memory.told(&key, uid, &object.error);
    context.events.publish(metadata, &[notice]).await;
    Ok(())
}
