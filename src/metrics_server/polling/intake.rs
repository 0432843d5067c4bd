//! Takes resources into the registry. They are judged on blocking threads, outside of locks, and namespaces
//! take turns.
//!
//! Until a resource is judged, the registry keeps what it had of it. Of several changes of one resource only
//! the latest is judged. The first list counts as taken in when all of it is judged, or after
//! [`JUDGED_WITHIN`]. So a tenant whose resources are slow to judge delays only its own metrics.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client, core::DeserializeGuard, runtime::watcher::Config};
use parking_lot::Mutex;

use crate::metrics::{
    registry::{Registry, identified},
    watches::Synced,
};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::{
    judging::JudgingQueue,
    watch::{self, Restarts, Scope, Sink},
};
use vas_core::{k8s::resource_ref::ResourceRef, spec::model::ScalingKey};

/// Longest wait for the resources of the first list to be judged.
const JUDGED_WITHIN: Duration = Duration::from_secs(5);

/// Receives the resources of a watch.
#[derive(Clone)]
pub(crate) struct Intake {
    registry: Arc<Registry>,
    queue: Arc<JudgingQueue>,
    synced: Arc<Synced>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Resources that wait for their turn, in their latest version.
    waiting: BTreeMap<ScalingKey, (ResourceRef, Box<VoiceAssistScaling>)>,
    /// Keys of the resources that are being judged now.
    judged: BTreeSet<ScalingKey>,
    /// Whether a full list was received.
    listed: bool,
}

/// Follows the VoiceAssistScalings for ever. The intake itself reports when it is synced, which is later than
/// the end of the list.
pub(crate) async fn follow(client: Client, scope: &Scope, intake: Intake, restarts: &Restarts) {
    let apis = scope.apis(
        || Api::<DeserializeGuard<VoiceAssistScaling>>::all(client.clone()),
        |namespace| Api::namespaced(client.clone(), namespace),
    );
    watch::follow(
        "voiceassistscalings",
        restarts,
        watch::events_in(apis, Config::default()),
        intake,
    )
    .await;
}

impl Intake {
    /// An intake for this registry. `synced` becomes true with the first full list, and is notified of each
    /// change.
    pub(crate) fn new(registry: Arc<Registry>, queue: Arc<JudgingQueue>, synced: Arc<Synced>) -> Self {
        Self {
            registry,
            queue,
            synced,
            state: Arc::default(),
        }
    }

    /// Takes in a new or changed resource, unless it does not parse.
    fn show(&self, resource: ResourceRef, object: DeserializeGuard<VoiceAssistScaling>) {
        match object.0 {
            Ok(object) => self.take_in(resource, Box::new(object)),
            Err(invalid) => {
                let key = ScalingKey::of(&resource);
                tracing::warn!(scaling = %key, error = %invalid.error, "does not parse; its metrics stay as they were");
            }
        }
    }

    fn take_in(&self, resource: ResourceRef, object: Box<VoiceAssistScaling>) {
        let key = ScalingKey::of(&resource);
        let waiting = (resource, object);
        // A task is waiting for this resource's turn already: it judges the newer version.
        if self.state.lock().waiting.insert(key.clone(), waiting).is_some() {
            return;
        }
        let intake = self.clone();
        tokio::spawn(async move {
            let (judging, judged) = (intake.clone(), key.clone());
            let turn = intake.queue.run(&key.namespace, move || judging.judge(&judged));
            if turn.await.is_err() {
                tracing::error!(scaling = %key, "judging it did not end; its metrics stay as they were");
                intake.state.lock().judged.remove(&key);
            }
            intake.update_synced();
        });
    }

    /// Judges the waiting version of a resource. Does nothing if the resource was removed meanwhile.
    fn judge(&self, key: &ScalingKey) {
        // Under one lock the key moves from `waiting` to `judged`, so that `update_synced` never sees it in
        // neither of them.
        let (resource, object) = {
            let mut state = self.state.lock();
            let Some(waiting) = state.waiting.remove(key) else {
                return;
            };
            state.judged.insert(key.clone());
            waiting
        };
        let judged = self.registry.judge(&resource, &object);
        let mut state = self.state.lock();
        // The resource was removed while it was judged, unless its key is still here.
        if state.judged.remove(key) {
            self.registry.insert(judged);
        }
    }

    fn forget(&self, key: &ScalingKey) {
        let mut state = self.state.lock();
        state.waiting.remove(key);
        state.judged.remove(key);
        self.registry.remove(key);
    }

    fn update_synced(&self) {
        let state = self.state.lock();
        let is_done = state.listed && state.waiting.is_empty() && state.judged.is_empty();
        drop(state);
        // Notifies the receivers even if the value stays the same.
        self.synced.send_modify(|synced| *synced |= is_done);
    }
}

impl Sink<DeserializeGuard<VoiceAssistScaling>> for Intake {
    /// A listed resource is taken in at once, because judging takes longer than reading the list.
    type Listed = ScalingKey;

    fn list(&mut self, object: DeserializeGuard<VoiceAssistScaling>) -> Option<ScalingKey> {
        let resource = identified(metadata(&object))?;
        let key = ScalingKey::of(&resource);
        self.show(resource, object);
        Some(key)
    }

    fn complete(&mut self, listed: Vec<ScalingKey>) {
        let listed: BTreeSet<ScalingKey> = listed.into_iter().collect();
        let mut state = self.state.lock();
        state.waiting.retain(|key, _| listed.contains(key));
        state.judged.retain(|key| listed.contains(key));
        self.registry.retain(|key| listed.contains(key));
        let is_first = !std::mem::replace(&mut state.listed, true);
        drop(state);
        self.update_synced();
        // A tenant with a resource that takes long to judge must not keep the server from becoming ready.
        if is_first {
            let synced = self.synced.clone();
            tokio::spawn(async move {
                tokio::time::sleep(JUDGED_WITHIN).await;
                synced.send_if_modified(|synced| !std::mem::replace(synced, true));
            });
        }
    }

    fn apply(&mut self, object: DeserializeGuard<VoiceAssistScaling>) {
        if let Some(resource) = identified(metadata(&object)) {
            self.show(resource, object);
        }
    }

    fn delete(&mut self, object: DeserializeGuard<VoiceAssistScaling>) {
        if let Some(resource) = identified(metadata(&object)) {
            self.forget(&ScalingKey::of(&resource));
            self.update_synced();
        }
    }
}

/// The metadata of a resource, also if the rest of it does not parse.
fn metadata(object: &DeserializeGuard<VoiceAssistScaling>) -> &ObjectMeta {
    match &object.0 {
        Ok(object) => &object.metadata,
        Err(invalid) => &invalid.metadata,
    }
}

#[cfg(test)]
mod tests;
