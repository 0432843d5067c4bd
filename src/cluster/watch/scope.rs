//! Which namespaces a program looks at, and one watch over several of them.
//!
//! Invariant: a sink sees a watch of several namespaces as it sees a watch of all: one list that is complete when every
//! namespace was read, and then changes. So no sink knows how many namespaces there are, and what it keeps of one is never
//! taken for deleted because another was read again. A namespace that stays forbidden counts as empty after a minute, for
//! instance because it was deleted with the rights in it: the others must not wait for it.
//!
//! ```text
//! namespace a: Init, a1, InitDone                    merged: Init, a1, b1, InitDone
//! namespace b:                    Init, b1, InitDone
//! b: 410 Gone, so Init                               all are listed again: Init, a1, b2, InitDone
//! ```

use std::{
    collections::{BTreeSet, VecDeque},
    fmt::Debug,
    pin::Pin,
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
use tokio::time::Sleep;

use super::follow::{events, is_forbidden};

/// Wait before all namespaces are listed again. A fresh watch does not know that the one before it broke off, so its own
/// backoff would not slow down a watch that breaks off each time.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a list waits for a namespace that may not be read. It is longer than an administrator's apply takes to give the
/// rights again, and than an API server needs after its start to know them.
const PATIENCE: Duration = Duration::from_secs(60);

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
/// The namespaces are listed one after the other. One that cannot be read is tried again after the others, and the list is
/// complete with it, not before: what is not known would be taken for deleted. One that stays forbidden is passed over; when
/// it can be read, all are listed again.
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
    Listing(Listing<K>),
    Watching(SelectAll<Watch<K>>),
}

/// A list of several namespaces that is being read.
struct Listing<K> {
    /// The namespaces to be listed; the first is being read.
    waiting: VecDeque<Watch<K>>,
    /// Those that may not be read, tried when no other is left.
    forbidden: VecDeque<Watch<K>>,
    listed: Vec<Watch<K>>,
    /// Whether objects of the first namespace were handed over.
    is_underway: bool,
    /// Ends when those that are forbidden are passed over. Runs from the first refusal.
    patience: Option<Pin<Box<Sleep>>>,
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
                *self = Self::Listing(Listing::of(begin()));
                Step::Event(Ok(Event::Init))
            }
            Self::Listing(listing) => {
                if let Some(step) = listing.step().await {
                    return step;
                }
                *self = Self::Watching(listing.watched());
                Step::Event(Ok(Event::InitDone))
            }
            Self::Watching(watches) => match watches.next().await {
                Some(Ok(Event::Init)) => Step::Next(Self::Begin(AGAIN)),
                Some(event) => Step::Event(event),
                None => Step::End,
            },
        }
    }
}

impl<K: Send + 'static> Listing<K> {
    fn of(waiting: VecDeque<Watch<K>>) -> Self {
        Self {
            waiting,
            forbidden: VecDeque::new(),
            listed: Vec::new(),
            is_underway: false,
            patience: None,
        }
    }

    /// Reads on; `None` when the list is complete.
    async fn step(&mut self) -> Option<Step<K>> {
        if let Some(mut reading) = self.waiting.pop_front() {
            let event = reading.next().await;
            return Some(self.take(reading, event));
        }
        let mut reading = self.forbidden.pop_front()?;
        let patience = self.patience.as_mut()?;
        let event = tokio::select! {
            event = reading.next() => Some(event),
            () = patience => None,
        };
        if let Some(event) = event {
            Some(self.take(reading, event))
        } else {
            self.forbidden.push_front(reading);
            None
        }
    }

    fn take(&mut self, reading: Watch<K>, event: Option<watcher::Result<Event<K>>>) -> Step<K> {
        match event {
            // A list that broke off begins again, and half of it was handed over.
            Some(Ok(Event::Init)) if self.is_underway => return Step::Next(Merged::Begin(AGAIN)),
            Some(Ok(Event::Init)) => {
                self.waiting.push_front(reading);
                return Step::On;
            }
            Some(Ok(Event::InitDone)) => {
                self.is_underway = false;
                self.listed.push(reading);
                return Step::On;
            }
            // The others first, while this one waits for its next try.
            Some(Err(ref error)) if !self.is_underway => {
                if is_forbidden(error) {
                    self.patience
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
                    self.forbidden.push_back(reading);
                } else {
                    self.waiting.push_back(reading);
                }
            }
            Some(_) => self.waiting.push_front(reading),
            None => return Step::End,
        }
        event.map_or(Step::End, |event| {
            self.is_underway |= event.is_ok();
            Step::Event(event)
        })
    }

    /// What is followed from here on. A namespace that was passed over shows nothing until it can be read, and then that all
    /// must be listed again.
    fn watched(&mut self) -> SelectAll<Watch<K>> {
        let passed_over = std::mem::take(&mut self.forbidden).into_iter().map(|watch| {
            let shown = watch.filter_map(|event| {
                std::future::ready(match event {
                    Ok(Event::Init) => None,
                    Ok(_) => Some(Ok(Event::Init)),
                    Err(error) => Some(Err(error)),
                })
            });
            shown.boxed()
        });
        stream::select_all(std::mem::take(&mut self.listed).into_iter().chain(passed_over))
    }
}

#[cfg(test)]
mod tests;
