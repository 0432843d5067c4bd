//! Objects of one kind as they change, for as long as the test runs. A watch that breaks begins again by itself.

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
use crate::loadtest::model::scaling::Moment;

/// What a watch brings.
pub(super) enum Change<K> {
    /// All there are, at first and after an interruption.
    All(Vec<K>),
    /// One that is new, or has changed.
    One(K),
    /// One that is gone.
    Gone(K),
}

/// Tells of every change, until it is dropped.
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
            Ok(Event::InitDone) => tell(at, Change::All(std::mem::take(&mut listed))),
            Ok(Event::Apply(object)) => tell(at, Change::One(object)),
            Ok(Event::Delete(object)) => tell(at, Change::Gone(object)),
            Err(error) => *notes.trouble.lock() = Some(error.to_string()),
        }
    }
}
