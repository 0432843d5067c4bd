//! An open page: the stream of events that it gets. A page that reads slowly misses events, and gets the newest one
//! next: nothing is queued for it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures::stream;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use super::Shared;

/// A comment is sent after this silence, so that a page which is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Longest time in which a page may read nothing.
const STALL: Duration = Duration::from_secs(30);

/// When the page of a connection took its last event; `None` where the connection has no stream.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Option<Instant>>);

impl Pace {
    /// Completes when the page has read nothing for too long.
    pub(super) async fn stalled(&self) {
        loop {
            let stalled = self.0.lock().is_some_and(|taken| taken.elapsed() >= STALL);
            if stalled {
                return;
            }
            tokio::time::sleep(KEEP_ALIVE).await;
        }
    }
}

/// A page that is open until this is dropped.
struct Viewer<T> {
    shared: Arc<Shared>,
    page: u64,
    /// Whether the page knows its number.
    greeted: bool,
    events: watch::Receiver<Option<Bytes>>,
    pace: Arc<Pace>,
    /// Kept as long as the page gets events.
    _in_flight: T,
}

/// The stream of events for one more page; `None` where there are too many. `in_flight` is kept until it ends.
pub(super) fn watch<T: Send + 'static>(
    shared: &Arc<Shared>,
    pace: &Arc<Pace>,
    in_flight: T,
) -> Option<UnsyncBoxBody<Bytes, Infallible>> {
    let mut joined = None;
    shared
        .audience
        .send_modify(|audience| joined = audience.join(Instant::now()));
    let viewer = Viewer {
        shared: shared.clone(),
        page: joined?,
        greeted: false,
        events: shared.events.subscribe(),
        pace: pace.clone(),
        _in_flight: in_flight,
    };
    // What is there is of a moment ago, or of the last viewer. The painter makes a new one now.
    shared.wake.notify_one();
    let stream = stream::unfold(viewer, |mut viewer| async move {
        let event = viewer.next().await?;
        Some((Ok(Frame::data(event)), viewer))
    });
    Some(StreamBody::new(stream).boxed_unsync())
}

impl<T> Viewer<T> {
    /// The newest event, when there is one that the page does not have; `None` when the server ends. It is asked for
    /// only when the page has read what it got before.
    async fn next(&mut self) -> Option<Bytes> {
        *self.pace.0.lock() = Some(Instant::now());
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from(format!("event: page\ndata: {}\n\n", self.page)));
        }
        tokio::select! {
            changed = self.events.changed() => {
                changed.ok()?;
                self.events.borrow_and_update().clone().or(Some(comment()))
            }
            () = tokio::time::sleep(KEEP_ALIVE) => Some(comment()),
            () = self.shared.closing.cancelled() => None,
        }
    }
}

impl<T> Drop for Viewer<T> {
    fn drop(&mut self) {
        *self.pace.0.lock() = None;
        self.shared
            .audience
            .send_modify(|audience| audience.leave(self.page, Instant::now()));
    }
}

/// An event that browsers ignore.
fn comment() -> Bytes {
    Bytes::from_static(b":\n\n")
}
