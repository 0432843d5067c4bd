//! Step 5, status: writes the status if it changed. [`super::malformed`] writes the status of an object that
//! does not parse.

use jiff::Timestamp;

use crate::{context::Context, error::ReconcileError, written::Written};
use vas_api::{condition::METRICS_AVAILABLE, v1alpha1::VoiceAssistScaling};
use vas_core::reconcile::{
    events::{self, Notice},
    status::{Inputs, status},
};

/// Writes the status as of `now` if it changed, and returns the Events to publish for the change.
pub(super) async fn update_status(
    inputs: &Inputs<'_>,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Notice>, ReconcileError> {
    let Some(new) = status(inputs, now) else {
        return Ok(Vec::new());
    };
    let resource = &inputs.observed.resource;
    let key = (resource.namespace.clone(), resource.name.clone());
    // A status type always serializes; an empty one would be refused by the schema and seen as an error.
    let body = serde_json::to_value(&new).unwrap_or_default();
    let version = inputs
        .object
        .metadata
        .resource_version
        .as_deref()
        .unwrap_or_default();
    // Recorded before the write: the watch may show the new version before the answer arrives.
    context.caches.written.begin(&key, version);
    let sent = context.writer.status(resource, &body).await;
    context
        .caches
        .written
        .end(&key, sent.is_ok().then(|| new.clone()));
    sent.map_err(ReconcileError::Status)?;
    let old = inputs.object.status.clone().unwrap_or_default();
    Ok(events::of_status(&old, &new))
}

/// The resource with the status that was last written, if the watch does not show that status yet. The
/// watch's copy is then out of date, and a plan made from it would write the same status again.
pub(super) fn with_latest_status(
    mut object: VoiceAssistScaling,
    written: Option<Written>,
) -> VoiceAssistScaling {
    let written = written.filter(|written| object.metadata.resource_version.as_ref() == Some(&written.over));
    if let Some(mut written) = written.and_then(|written| written.status) {
        // The metrics server owns this one condition, so the watch's copy is the only source of it.
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
