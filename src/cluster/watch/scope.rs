//! Which namespaces a program looks at, and one watch over several of them.
//!
//! Invariant: a sink sees a watch of several namespaces as it sees a watch of all: one list that is complete when every
//! namespace was read, and then changes. So no sink knows how many namespaces there are, and what it keeps of one is never
//! taken for deleted because another was read again.
//!
//! ```text
//! namespace a: Init, a1, InitDone                    merged: Init, a1, b1, InitDone
//! namespace b:                    Init, b1, InitDone
//! b: 410 Gone, so Init                               all are listed again: Init, a1, b2, InitDone
//! ```

use std::{
    collections::{BTreeSet, VecDeque},
    fmt::Debug,
    time::Duration,
};

use futures::{
    Stream, StreamExt as _,
    stream::{self, BoxStream, SelectAll},
};
use kube::{
    Api, Resource,
    runtime::watcher::{self, Event},
};
use serde::de::DeserializeOwned;

use super::follow::events;

/// Wait before all namespaces are listed again. A fresh watch does not know that the one before it broke off, so its own
/// backoff would not slow down a watch that breaks off each time.
const AGAIN: Duration = Duration::from_secs(1);

/// The namespaces that a program looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(BTreeSet<String>);

impl Scope {
    /// These namespaces; all, if none is named.
    pub fn of(namespaces: impl IntoIterator<Item = String>) -> Self {
        Self(namespaces.into_iter().collect())
    }

    /// What reads a kind in this scope: `all` once, or `one` for each namespace.
    pub fn apis<K>(&self, all: impl FnOnce() -> Api<K>, one: impl FnMut(&str) -> Api<K>) -> Vec<Api<K>> {
        if self.0.is_empty() {
            vec![all()]
        } else {
            self.0.iter().map(String::as_str).map(one).collect()
        }
    }
}

/// As people read it, such as `all namespaces` or `shop, orders`.
impl std::fmt::Display for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("all namespaces");
        }
        let names: Vec<&str> = self.0.iter().map(String::as_str).collect();
        formatter.write_str(&names.join(", "))
    }
}

/// The events of one watch over what all of `apis` see.
///
/// The namespaces are listed one after the other. One that cannot be read is tried again while the others are read, and the
/// list is complete with it, not before: what is not known would be taken for deleted.
pub fn events_in<K>(
    apis: Vec<Api<K>>,
    config: watcher::Config,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    K::DynamicType: Send + Sync,
{
    let watch = move |api: &Api<K>| events(api.clone(), config.clone()).boxed();
    match apis.as_slice() {
        // It lists and backs off by itself.
        [only] => watch(only),
        _ => merged(move || apis.iter().map(&watch).collect()).boxed(),
    }
}

type Watch<K> = BoxStream<'static, watcher::Result<Event<K>>>;

/// How far the watch of several namespaces is.
enum Merged<K> {
    /// It begins after this time.
    Begin(Duration),
    Listing {
        /// The namespaces to be listed; the first is being read.
        waiting: VecDeque<Watch<K>>,
        listed: Vec<Watch<K>>,
        /// Whether objects of the one that is being read were handed over.
        is_underway: bool,
    },
    Watching(SelectAll<Watch<K>>),
}

fn merged<K: Send + 'static>(
    begin: impl FnMut() -> VecDeque<Watch<K>> + Send,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send {
    stream::unfold(
        (Merged::Begin(Duration::ZERO), begin),
        |(mut state, mut begin)| async move {
            let event = loop {
                match state.step(&mut begin).await {
                    Step::Event(event) => break Some(event),
                    Step::Next(next) => state = next,
                    Step::On => {}
                    Step::End => break None,
                }
            };
            event.map(|event| (event, (state, begin)))
        },
    )
}

/// What comes of one event of one namespace.
enum Step<K> {
    /// It is handed on.
    Event(watcher::Result<Event<K>>),
    /// It changes how far the watch is.
    Next(Merged<K>),
    /// Nothing.
    On,
    /// A watch ended, which none does.
    End,
}

impl<K: Send + 'static> Merged<K> {
    async fn step(&mut self, begin: &mut (impl FnMut() -> VecDeque<Watch<K>> + Send)) -> Step<K> {
        match self {
            Self::Begin(pause) => {
                if !pause.is_zero() {
                    tokio::time::sleep(*pause).await;
                }
                *self = Self::Listing {
                    waiting: begin(),
                    listed: Vec::new(),
                    is_underway: false,
                };
                Step::Event(Ok(Event::Init))
            }
            Self::Listing {
                waiting,
                listed,
                is_underway,
            } => {
                let Some(mut reading) = waiting.pop_front() else {
                    *self = Self::Watching(stream::select_all(std::mem::take(listed)));
                    return Step::Event(Ok(Event::InitDone));
                };
                let event = reading.next().await;
                match event {
                    // A list that broke off begins again, and half of it was handed over.
                    Some(Ok(Event::Init)) if *is_underway => return Step::Next(Self::Begin(AGAIN)),
                    Some(Ok(Event::InitDone)) => {
                        *is_underway = false;
                        listed.push(reading);
                        return Step::On;
                    }
                    // The others first, while this one waits for its next try.
                    Some(Err(_)) if !*is_underway => waiting.push_back(reading),
                    Some(_) => waiting.push_front(reading),
                    None => return Step::End,
                }
                match event {
                    Some(Ok(Event::Init)) => Step::On,
                    Some(event) => {
                        *is_underway |= event.is_ok();
                        Step::Event(event)
                    }
                    None => Step::End,
                }
            }
            Self::Watching(watches) => match watches.next().await {
                Some(Ok(Event::Init)) => Step::Next(Self::Begin(AGAIN)),
                Some(event) => Step::Event(event),
                None => Step::End,
            },
        }
    }
}

#[cfg(test)]
mod tests;
