//! Follows the objects of one kind for ever. A watch that breaks begins again by itself, with backoff.
//!
//! Invariant: a list is handed over as a whole when its last page is read, and only then. A sink that notified
//! its readers halfway would make them look up objects that other copies of the same list, such as kube's
//! reflector, do not hold yet, and nobody would notify the readers again.
//!
//! ```text
//! API server            sink
//! page 1: a, b          begin, list(a), list(b)
//! page 2: c             list(c), complete([a, b, c])
//! watch: b edited       apply(b)
//! 410 Gone              failed
//! page 1: a, c          begin, list(a), list(c), complete([a, c]): b was deleted unseen
//! ```

use std::{fmt::Debug, time::Duration};

use futures::{Stream, StreamExt as _};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;

use super::{list_watch::list_watch, restarts::Restarts};

/// What is done with the objects that a follower sees.
pub trait Sink<K> {
    /// What is kept of a listed object until its list is complete.
    type Listed;

    /// A list begins: the first one, or another one because the API server no longer has the history of the
    /// watch. What the sink knows stays valid until [`complete`](Self::complete). A list that breaks off is
    /// followed by another `begin`.
    fn begin(&mut self) {}

    /// Makes of an object of the list what is kept of it until the list is complete; `None` if nothing is.
    /// Must not notify anybody.
    fn list(&mut self, object: K) -> Option<Self::Listed>;

    /// The list is complete. An object that the sink knows and that was not listed was deleted unseen.
    fn complete(&mut self, listed: Vec<Self::Listed>);

    /// An object is new or has changed.
    fn apply(&mut self, object: K);

    /// An object was deleted.
    fn delete(&mut self, object: K);

    /// A list or a watch failed. The follower tries again after its backoff, and not before the returned time
    /// has passed.
    fn failed(&mut self, watch: &str, error: &watcher::Error) -> Duration {
        warn_failed(watch, error);
        Duration::ZERO
    }
}

/// Writes to the log that a list or a watch failed and is tried again.
pub fn warn_failed(watch: &str, error: &watcher::Error) {
    tracing::warn!(watch, %error, "the watch failed; trying again");
}

/// The events of a watch that begins again with backoff when it breaks.
pub fn events<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    list_watch(api, config).default_backoff()
}

/// Hands all events to the sink. `watch` names the watch in the log and in `restarts`, where each failure counts. Ends only if the stream ends, which
/// [`events`] never do.
pub async fn follow<K, S: Sink<K>>(
    watch: &str,
    restarts: &Restarts,
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    mut sink: S,
) {
    let mut events = std::pin::pin!(events);
    let mut listed = Vec::new();
    let failures = restarts.of(watch);
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => {
                // The pages of a list that broke off do not count.
                listed.clear();
                sink.begin();
            }
            Ok(Event::InitApply(object)) => listed.extend(sink.list(object)),
            Ok(Event::InitDone) => sink.complete(std::mem::take(&mut listed)),
            Ok(Event::Apply(object)) => sink.apply(object),
            Ok(Event::Delete(object)) => sink.delete(object),
            Err(error) => {
                failures.inc();
                let pause = sink.failed(watch, &error);
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// Whether the API server answered a list or a watch with 403 Forbidden.
pub fn is_forbidden(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status)) | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if status.code == 403
    )
}

#[cfg(test)]
mod tests;
