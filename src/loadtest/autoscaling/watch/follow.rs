//! Follows the objects of one kind while the test runs. A watch that breaks begins again by itself.

use std::{fmt::Debug, time::Duration};

use kube::{
    Api, Resource,
    runtime::watcher::{self, Config},
};
use serde::de::DeserializeOwned;
use vas_cluster::watch::{self, Sink};

use super::Notes;
use crate::model::scaling::Moment;

/// A change that a watch reports.
pub(super) enum Change<K> {
    /// All objects: the first list, or the list after an interruption.
    All(Vec<K>),
    /// One object that is new or has changed.
    One(K),
    /// One object that was deleted.
    Gone(K),
}

/// Calls `notify` for every change, until the future is dropped.
pub(super) async fn follow<K>(
    api: Api<K>,
    config: Config,
    notes: Notes,
    notify: impl FnMut(Moment, Change<K>),
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    // A load test exports no counts of its watches.
    let restarts = watch::Restarts::default();
    watch::follow(
        "objects",
        &restarts,
        watch::events(api, config),
        Notifier { notes, notify },
    )
    .await;
}

/// Notifies the caller of every change and its moment. An error is not logged: [`Notes::trouble`] holds it
/// for the report.
struct Notifier<F> {
    notes: Notes,
    notify: F,
}

impl<F> Notifier<F> {
    fn notify<K>(&mut self, change: Change<K>)
    where
        F: FnMut(Moment, Change<K>),
    {
        (self.notify)(self.notes.now(), change);
    }

    /// The object, if it has a name and a UID, as every stored object has. Observations are kept by them.
    fn identified<K: Resource>(&self, object: K) -> Option<K> {
        if object.meta().name.is_some() && object.meta().uid.is_some() {
            return Some(object);
        }
        let kind = std::any::type_name::<K>();
        *self.notes.trouble.lock() = Some(format!("the API server sent a {kind} without name or UID"));
        None
    }
}

impl<K: Resource, F: FnMut(Moment, Change<K>)> Sink<K> for Notifier<F> {
    type Listed = K;

    fn list(&mut self, object: K) -> Option<K> {
        self.identified(object)
    }

    /// The list is handed on as a whole, so that deleted objects can be seen by their absence.
    fn complete(&mut self, listed: Vec<K>) {
        self.notify(Change::All(listed));
    }

    fn apply(&mut self, object: K) {
        if let Some(object) = self.identified(object) {
            self.notify(Change::One(object));
        }
    }

    fn delete(&mut self, object: K) {
        if let Some(object) = self.identified(object) {
            self.notify(Change::Gone(object));
        }
    }

    fn failed(&mut self, _: &str, error: &watcher::Error) -> Duration {
        *self.notes.trouble.lock() = Some(error.to_string());
        Duration::ZERO
    }
}
