//! Step 5, status: written only when it says something new. The status of an object that does not parse is
//! written by [`super::malformed`].

use super::{context::Context, error::ReconcileError, written::Written};
use crate::{
    api::{condition::METRICS_AVAILABLE, v1alpha1::VoiceAssistScaling},
    core::reconcile::{
        events::{self, Notice},
        status::{Inputs, status},
    },
};

/// Writes the status if it changed, and returns the Events that the change is worth.
pub(super) async fn update_status(
    inputs: &Inputs<'_>,
    context: &Context,
) -> Result<Vec<Notice>, ReconcileError> {
    let metadata = &inputs.object.metadata;
    let Some(new) = status(inputs, context.clock.now()) else {
        return Ok(Vec::new());
    };
    let key = key(inputs.object);
    let uid = metadata.uid.as_deref().unwrap_or_default();
    // A status type always serializes; an empty one would be refused by the schema and seen as an error.
    let body = serde_json::to_value(&new).unwrap_or_default();
    let version = metadata.resource_version.as_deref().unwrap_or_default();
    context.caches.written.begin(&key, version);
    let sent = context.writer.status(&key.0, &key.1, uid, &body).await;
    context
        .caches
        .written
        .end(&key, sent.is_ok().then(|| new.clone()));
    sent.map_err(ReconcileError::Status)?;
    let old = inputs.object.status.clone().unwrap_or_default();
    Ok(events::of_status(&old, &new))
}

/// The resource as it is now: with the status last written, where the watch does not show it yet.
pub(super) fn with_latest_status(
    mut object: VoiceAssistScaling,
    written: Option<Written>,
) -> VoiceAssistScaling {
    let written = written.filter(|written| object.metadata.resource_version.as_ref() == Some(&written.over));
    if let Some(mut written) = written.and_then(|written| written.status) {
        let theirs = object.status.take().and_then(|status| status.conditions);
        let theirs = theirs
            .into_iter()
            .flatten()
            .filter(|one| one.type_ == METRICS_AVAILABLE);
        written.conditions.get_or_insert_default().extend(theirs);
        object.status = Some(written);
    }
    object
}

fn key(object: &VoiceAssistScaling) -> (String, String) {
    let metadata = &object.metadata;
    (
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    )
}
