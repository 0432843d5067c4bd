//! Queries wait here for a place at a server: [`Turns`] decides whose turn it is, and this module notifies
//! that query.
//!
//! A place is given back in every case: when its query was answered, and when its poll was cancelled.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use vas_cluster::clock::Clock;
use vas_core::metrics::promql::{Turns, Usage};

/// What must be known of a query that waits.
pub struct Turn<'a> {
    /// The namespaces that need the query.
    pub namespaces: &'a BTreeSet<String>,
    /// The time that the query's shape has used lately; the time of this query is added.
    pub usage: &'a mut Usage,
    /// Measures for how long the place is held.
    pub clock: &'a dyn Clock,
}

/// A number of places at one server, with a queue.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Mutex<Turns<oneshot::Sender<Place>>>>);

/// A held place. Dropping it gives the place to the next query in turn.
struct Place {
    lane: Lane,
    namespace: String,
    /// The monotonic time when the query ended, and for how long it held the place; `None` if it was
    /// cancelled.
    ended: Option<(Duration, Duration)>,
    taken: Duration,
}

impl Lane {
    /// A lane with this many places, of which none is held for much longer than `longest`.
    pub(crate) fn new(places: usize, longest: Duration) -> Self {
        Self(Arc::new(Mutex::new(Turns::new(places, longest))))
    }

    /// Waits for a place, and then runs `ask`.
    pub(crate) async fn in_turn<T>(&self, turn: Turn<'_>, ask: impl Future<Output = T>) -> T {
        let Turn {
            namespaces,
            usage,
            clock,
        } = turn;
        let (waiter, notified) = oneshot::channel();
        let namespaces = namespaces.iter().map(String::as_str);
        let now = clock.monotonic();
        // The query joins the queue first and places are given away then, so that a free place goes to the
        // query whose turn it is and not to the newest one.
        self.0.lock().wait(namespaces, *usage, waiter, now);
        self.give_away(now);
        // `Turns` drops the sender only after this receiver was dropped, so a place always arrives.
        let place = notified.await.ok();
        let taken = clock.monotonic();
        let answer = ask.await;
        let now = clock.monotonic();
        let held = now.saturating_sub(taken);
        usage.add(held, now);
        if let Some(mut place) = place {
            place.ended = Some((now, held));
        }
        answer
    }

    /// Gives all free places to waiting queries.
    fn give_away(&self, now: Duration) {
        loop {
            // The lock is released before the place is sent: a place that is not received is dropped at once,
            // and its `drop` locks again.
            let next = self.0.lock().next(|waiter| !waiter.is_closed(), now);
            let Some(next) = next else { return };
            let place = Place {
                lane: self.clone(),
                namespace: next.namespace,
                ended: None,
                taken: now,
            };
            // A query that was cancelled just now does not receive its place: the place is dropped here,
            // which gives it to the next query.
            drop(next.waiter.send(place));
        }
    }

    /// Number of places that no query holds.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.0.lock().free()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A cancelled query counts with the longest possible time. So a tenant who removes resources and
        // creates them again gains nothing.
        let (now, held) = match self.ended {
            Some((now, held)) => (now, Some(held)),
            None => (self.taken, None),
        };
        self.lane.0.lock().leave(&self.namespace, held, now);
        self.lane.give_away(now);
    }
}
