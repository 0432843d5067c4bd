//! Publishes Kubernetes Events, best effort: a lost Event never fails a reconcile.
//!
//! kube's `Recorder` is not used: its writes would pass neither the leader's fence nor the time limit of
//! [`Writer`].

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::Resource;

use crate::{metrics::Metrics, write::Writer};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::clock::Clock;
use vas_core::{k8s::resource_ref::ResourceRef, reconcile::events::Notice};

/// Most characters of a `reportingInstance` that the API server accepts.
const INSTANCE_LENGTH: usize = 128;

/// Publishes Events about resources.
pub(super) struct Publisher {
    writer: Writer,
    instance: String,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// Number of Events so far. It keeps the names of two Events of the same moment apart.
    count: AtomicU64,
}

impl Publisher {
    pub(super) fn new(writer: Writer, instance: &str, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self {
            writer,
            instance: instance.chars().take(INSTANCE_LENGTH).collect(),
            clock,
            metrics,
            count: AtomicU64::new(0),
        }
    }

    /// Publishes one Event per notice about the resource, in the version with this resourceVersion.
    pub(super) async fn publish(&self, resource: &ResourceRef, version: Option<&str>, notices: &[Notice]) {
        let ResourceRef { namespace, name, .. } = resource;
        for notice in notices {
            let event = self.event(resource, version, notice);
            match self.writer.event(namespace, &event).await {
                Ok(()) => self.metrics.event("published"),
                Err(error) => {
                    self.metrics.event("failed");
                    tracing::warn!(namespace, name, reason = notice.reason, %error, "could not publish an Event");
                }
            }
        }
    }

    fn event(&self, resource: &ResourceRef, version: Option<&str>, notice: &Notice) -> Event {
        let now = self.clock.now();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let ResourceRef {
            namespace, name, uid, ..
        } = resource;
        Event {
            metadata: ObjectMeta {
                namespace: Some(namespace.clone()),
                name: Some(format!("{name}.{:x}.{number:x}", now.as_nanosecond())),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some(if notice.warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(notice.reason.clone()),
            action: Some(notice.action.to_owned()),
            note: Some(notice.note.clone()),
            reporting_controller: Some("scaling.voiceassist.io/vas-operator".to_owned()),
            reporting_instance: Some(self.instance.clone()),
            regarding: Some(ObjectReference {
                api_version: Some(VoiceAssistScaling::api_version(&()).into_owned()),
                kind: Some(VoiceAssistScaling::kind(&()).into_owned()),
                namespace: Some(namespace.clone()),
                name: Some(name.clone()),
                uid: Some(uid.clone()),
                resource_version: version.map(str::to_owned),
                field_path: None,
            }),
            ..Event::default()
        }
    }
}
