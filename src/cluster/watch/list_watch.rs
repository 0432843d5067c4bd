//! Lists the objects of one kind in pages, then watches them, and begins again where either fails.
//!
//! It does what kube's watcher does, and bounds what an API server, or a proxy before it, may do besides. A
//! request that is never answered fails. A watch that ends at once, as behind a proxy that takes no long
//! answers, fails too, so that the backoff applies: without it, thousands of watches would begin each second.
//! A watch that is refused because its history is gone (410) leads to a new list.

use std::time::Duration;

use futures::{Stream, StreamExt as _, stream::BoxStream};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{ListParams, WatchEvent, WatchParams},
    runtime::watcher::{self, Config, Error, Event},
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

/// Longest wait for one page of a list, and for the beginning of a watch. The API server gives a list a minute.
const ANSWERED_WITHIN: Duration = Duration::from_secs(75);
/// Longest silence of a watch. The API server is asked to end each one after 290 s.
const LONGEST_SILENCE: Duration = Duration::from_secs(295);
/// A watch that ends sooner, and without an event, counts as failed.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
/// Objects of one page of a list.
const PAGE: u32 = 500;

/// The events of the objects that `config` selects, and the errors between them. Never ends. After an error
/// the next event is requested at once, so the caller has to wait.
pub(super) fn list_watch<K>(
    api: Api<K>,
    config: Config,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send + use<K>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let (fields, labels) = (config.field_selector, config.label_selector);
    let source = ListWatch {
        api,
        list: ListParams {
            field_selector: fields.clone(),
            label_selector: labels.clone(),
            limit: Some(PAGE),
            ..ListParams::default()
        },
        watch: WatchParams {
            field_selector: fields,
            label_selector: labels,
            ..WatchParams::default()
        },
        state: State::Begin,
    };
    futures::stream::unfold(source, |mut source| async move {
        let event = source.next().await;
        Some((event, source))
    })
}

struct ListWatch<K> {
    api: Api<K>,
    list: ListParams,
    watch: WatchParams,
    state: State<K>,
}

#[derive(Default)]
enum State<K> {
    /// A list is to begin.
    #[default]
    Begin,
    /// Objects of a page that were not handed on yet, and what follows that page.
    Listing(std::vec::IntoIter<K>, Next),
    /// A watch is to begin, of changes after this resourceVersion.
    Listed(String),
    /// A watch runs.
    Watching(Watching<K>),
}

/// What follows a page of a list.
enum Next {
    /// A page: the first one, or the one of this token.
    Page(Option<String>),
    /// Nothing; the list shows the state of this resourceVersion.
    Watch(String),
}

struct Watching<K> {
    events: BoxStream<'static, kube::Result<WatchEvent<K>>>,
    /// resourceVersion of the last event.
    version: String,
    began: Instant,
    /// Whether there was no event yet.
    is_empty: bool,
}

impl<K> ListWatch<K>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    async fn next(&mut self) -> watcher::Result<Event<K>> {
        loop {
            // Where an error leaves the state as it is here, a list begins.
            match std::mem::take(&mut self.state) {
                State::Begin => {
                    self.state = State::Listing(Vec::new().into_iter(), Next::Page(None));
                    return Ok(Event::Init);
                }
                State::Listing(mut objects, next) => {
                    if let Some(object) = objects.next() {
                        self.state = State::Listing(objects, next);
                        return Ok(Event::InitApply(object));
                    }
                    match next {
                        Next::Page(token) => self.state = self.page(token).await?,
                        Next::Watch(version) => {
                            self.state = State::Listed(version);
                            return Ok(Event::InitDone);
                        }
                    }
                }
                State::Listed(version) => self.begin_watch(version).await?,
                State::Watching(watching) => {
                    if let Some(event) = self.watched(watching).await? {
                        return Ok(event);
                    }
                }
            }
        }
    }

    /// Reads a page of the list.
    async fn page(&mut self, token: Option<String>) -> watcher::Result<State<K>> {
        let params = ListParams {
            continue_token: token,
            ..self.list.clone()
        };
        let list = answered(self.api.list(&params)).await;
        let list = list.map_err(Error::InitialListFailed)?;
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let next = match (
            said(list.metadata.continue_),
            said(list.metadata.resource_version),
        ) {
            (Some(token), _) => Next::Page(Some(token)),
            (None, Some(version)) => Next::Watch(version),
            (None, None) => return Err(Error::NoResourceVersion),
        };
        Ok(State::Listing(list.items.into_iter(), next))
    }

    async fn begin_watch(&mut self, version: String) -> watcher::Result<()> {
        let began = Instant::now();
        match answered(self.api.watch(&self.watch, &version)).await {
            Ok(events) => {
                self.state = State::Watching(Watching {
                    events: events.boxed(),
                    version,
                    began,
                    is_empty: true,
                });
                Ok(())
            }
            Err(error) => {
                if !matches!(&error, kube::Error::Api(status) if status.code == 410) {
                    self.state = State::Listed(version);
                }
                Err(Error::WatchStartFailed(error))
            }
        }
    }

    /// The next event of a watch; `None` for one that is not handed on, and where the watch has ended.
    async fn watched(&mut self, mut watching: Watching<K>) -> watcher::Result<Option<Event<K>>> {
        let next = timeout(LONGEST_SILENCE, watching.events.next()).await;
        let Ok(Some(next)) = next else {
            let ended_at_once = watching.is_empty && watching.began.elapsed() < SHORTEST_WATCH;
            self.state = State::Listed(watching.version);
            return if ended_at_once {
                Err(Error::WatchFailed(failed(
                    "the watch ended at once, without an event",
                )))
            } else {
                Ok(None)
            };
        };
        watching.is_empty = false;
        let event = match next {
            Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Some(Event::Apply(object)),
            Ok(WatchEvent::Deleted(object)) => Some(Event::Delete(object)),
            Ok(WatchEvent::Bookmark(bookmark)) => {
                watching.version = bookmark.metadata.resource_version;
                None
            }
            Ok(WatchEvent::Error(status)) => {
                if status.code != 410 {
                    self.state = State::Watching(watching);
                }
                return Err(Error::WatchError(status.boxed()));
            }
            Err(error) => {
                self.state = State::Watching(watching);
                return Err(Error::WatchFailed(error));
            }
        };
        if let Some(Event::Apply(object) | Event::Delete(object)) = &event {
            let version = object.resource_version().filter(|version| !version.is_empty());
            watching.version = version.ok_or(Error::NoResourceVersion)?;
        }
        self.state = State::Watching(watching);
        Ok(event)
    }
}

/// Waits for the answer to a request for at most [`ANSWERED_WITHIN`].
async fn answered<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    timeout(ANSWERED_WITHIN, request).await.unwrap_or_else(|_| {
        let seconds = ANSWERED_WITHIN.as_secs();
        Err(failed(&format!("no answer within {seconds} s")))
    })
}

fn failed(why: &str) -> kube::Error {
    kube::Error::Service(why.into())
}
