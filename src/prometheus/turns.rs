//! Waiting for a place at a server: [`Turns`] decides, this tells who waits.
//!
//! A place is given back however its holder ends: its query was answered, or its poll was given up.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    cluster::clock::Clock,
    core::metrics::promql::{Turns, Usage},
};

/// For whom a query waits.
pub struct Turn<'a> {
    /// The namespaces that it is asked for.
    pub namespaces: &'a BTreeSet<String>,
    /// What its shape has used; the query's own time is added.
    pub usage: &'a mut Usage,
    /// Measures how long the place is held.
    pub clock: &'a dyn Clock,
}

/// Some places of one server.
#[derive(Clone)]
pub(crate) struct Lane(Arc<Mutex<Turns<oneshot::Sender<Place>>>>);

/// A place that is held; dropping it gives it to the next.
struct Place {
    lane: Lane,
    namespace: String,
    /// Our monotonic time at its end, and for how long it was held.
    ended: Option<(Duration, Duration)>,
    taken: Duration,
}

impl Lane {
    /// So many places, each held for at most about `longest`.
    pub(crate) fn new(places: usize, longest: Duration) -> Self {
        Self(Arc::new(Mutex::new(Turns::new(places, longest))))
    }

    /// Waits for a place and asks from there.
    pub(crate) async fn in_turn<T>(&self, turn: Turn<'_>, ask: impl Future<Output = T>) -> T {
        let Turn {
            namespaces,
            usage,
            clock,
        } = turn;
        let (waiter, told) = oneshot::channel();
        let namespaces = namespaces.iter().map(String::as_str);
        let now = clock.monotonic();
        self.0.lock().wait(namespaces, *usage, waiter, now);
        self.give_away(now);
        // The sender is dropped only after whoever waits here.
        let place = told.await.ok();
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

    /// Gives all free places away.
    fn give_away(&self, now: Duration) {
        loop {
            let next = self.0.lock().next(|waiter| !waiter.is_closed(), now);
            let Some(next) = next else { return };
            let place = Place {
                lane: self.clone(),
                namespace: next.namespace,
                ended: None,
                taken: now,
            };
            // Who gave up just now drops it, which gives it to the next.
            drop(next.waiter.send(place));
        }
    }

    /// Places that nobody holds.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.0.lock().free()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A poll that was given up counts in full: whoever removes resources and makes them again gains nothing.
        let (now, held) = match self.ended {
            Some((now, held)) => (now, Some(held)),
            None => (self.taken, None),
        };
        self.lane.0.lock().leave(&self.namespace, held, now);
        self.lane.give_away(now);
    }
}
