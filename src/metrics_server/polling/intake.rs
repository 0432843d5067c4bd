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

use kube::core::DeserializeGuard;
use parking_lot::Mutex;

use crate::metrics::{
    registry::{Registry, key_of},
    watches::{Synced, metadata},
};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::{judging::JudgingQueue, watch::Sink};
use vas_core::spec::model::ScalingKey;

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
    waiting: BTreeMap<ScalingKey, Box<VoiceAssistScaling>>,
    /// Keys of the resources that are being judged now.
    judged: BTreeSet<ScalingKey>,
    /// Whether a full list was received.
    listed: bool,
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

    fn take_in(&self, object: Box<VoiceAssistScaling>) {
        let Some(key) = key_of(&object.metadata) else {
            return;
        };
        // A task is waiting for this resource's turn already: it judges the newer version.
        if self.state.lock().waiting.insert(key.clone(), object).is_some() {
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
        let object = {
            let mut state = self.state.lock();
            let Some(object) = state.waiting.remove(key) else {
                return;
            };
            state.judged.insert(key.clone());
            object
        };
        let judged = self.registry.judge(key, &object);
        let mut state = self.state.lock();
        // The resource was removed while it was judged, unless its key is still here.
        if state.judged.remove(key) {
            self.registry.insert(key, judged);
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
        let key = key_of(metadata(&object));
        self.apply(object);
        key
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
        match object.0 {
            Ok(object) => self.take_in(Box::new(object)),
            Err(invalid) => {
                if let Some(key) = key_of(&invalid.metadata) {
                    tracing::warn!(scaling = %key, error = %invalid.error, "does not parse; its metrics stay as they were");
                }
            }
        }
    }

    fn delete(&mut self, object: DeserializeGuard<VoiceAssistScaling>) {
        if let Some(key) = key_of(metadata(&object)) {
            self.forget(&key);
            self.update_synced();
        }
    }
}

#[cfg(test)]
mod tests;
