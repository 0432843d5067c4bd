//! Follows the objects of one kind while the test runs. A watch that breaks begins again by itself.

use std::fmt::Debug;

use futures::StreamExt as _;
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

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

/// Calls `tell` for every change, until the future is dropped.
pub(super) async fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
    notes: Notes,
    mut tell: impl FnMut(Moment, Change<K>),
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    let mut listed = Vec::new();
    while let Some(event) = events.next().await {
        let at = notes.now();
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => listed.push(object),
            // A list is handed on as a whole when it is complete, so that deleted objects can be seen by
            // their absence.
            Ok(Event::InitDone) => tell(at, Change::All(std::mem::take(&mut listed))),
            Ok(Event::Apply(object)) => tell(at, Change::One(object)),
            Ok(Event::Delete(object)) => tell(at, Change::Gone(object)),
            Err(error) => *notes.trouble.lock() = Some(error.to_string()),
        }
    }
}
