//! Decides which query is sent next to a server that takes a few queries at a time. Each query in flight
//! holds one of the server's places.
//!
//! A free place goes to the namespace that has used the places least of late, and within it to the shape that
//! has. The use is the time in seconds for which queries held places. It decays: after [`HALF_LIFE`] it
//! counts half. So slow queries wait, and queries that are answered at once do not.
//!
//! An example: there are five places, and 100 namespaces whose queries all hang for 4 s. A place becomes free
//! every 0.8 s on average. The next query of a namespace that used 0.1 s goes before the 100 that used 4 s
//! each.
//!
//! Nobody starves: while a namespace waits, its use decays, and the use of the namespaces that are served
//! grows.
//!
//! Nobody knows how long a shape takes that was never answered. So its queries do not get the longest time at
//! once, but first a short turn, then turns that are twice as long each time ([`Patience`]). Otherwise, after
//! a restart, 100 namespaces that hang would be tried for 4 s each before the last namespace had its turn.
//! With a longest time of 4 s the turns take 0.25, 0.5, 1, 2 and 4 s.
//!
//! A query for several namespaces counts for the one with the least use, so that nobody can slow down the
//! queries of others by needing the same shape.

use std::{collections::BTreeMap, time::Duration};

/// Time after which use counts half.
const HALF_LIFE: Duration = Duration::from_secs(30);
/// Use in seconds below which a namespace is forgotten.
const NOTHING: f64 = 0.001;

/// The use of a namespace or a shape: how long its queries held places, decayed. Times are our monotonic
/// ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// The use in seconds as it was at the time `at`.
    seconds: f64,
    at: Duration,
}

impl Usage {
    /// Adds time for which a place was held.
    pub fn add(&mut self, held: Duration, now: Duration) {
        *self = Self {
            seconds: self.fade(now) + held.as_secs_f64(),
            at: now,
        };
    }

    /// Subtracts time that was added when the place was taken, and was not used.
    fn give_back(&mut self, unused: Duration, now: Duration) {
        *self = Self {
            seconds: (self.fade(now) - unused.as_secs_f64()).max(0.0),
            at: now,
        };
    }

    /// The use in seconds as it counts now. An example: 4 s of use count 2 s after 30 s, and 1 s after 60 s.
    fn fade(&self, now: Duration) -> f64 {
        let half_lives = now.saturating_sub(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.seconds * (-half_lives).exp2()
    }
}

/// How long a query of a shape may hold its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// The shape was never answered. Its next query has a sixteenth of the longest time, doubled `doublings`
    /// times.
    Unknown {
        /// Number of turns that were too short.
        doublings: u32,
    },
    /// The shape was answered before, or all its shorter turns ran out: it has the longest time.
    #[default]
    Full,
}

impl Patience {
    /// The patience for a new shape.
    pub const NEW: Self = Self::Unknown { doublings: 0 };
    /// Number of doublings after which a turn has the longest time: 2^4 sixteenths.
    const DOUBLINGS: u32 = 4;

    /// How long the next query may hold its place.
    #[must_use]
    pub fn time(self, longest: Duration) -> Duration {
        match self {
            Self::Unknown { doublings } => {
                let part = 1 << Self::DOUBLINGS.saturating_sub(doublings);
                longest / part
            }
            Self::Full => longest,
        }
    }

    /// Records that the time was too short. True if the query is to be sent again with more time, at its next
    /// turn.
    pub fn ran_out(&mut self) -> bool {
        match self {
            Self::Unknown { doublings } if *doublings + 1 < Self::DOUBLINGS => {
                *doublings += 1;
                true
            }
            Self::Unknown { .. } => {
                *self = Self::Full;
                true
            }
            Self::Full => false,
        }
    }

    /// Records that the query was answered.
    pub fn answered(&mut self) {
        *self = Self::Full;
    }
}

/// The places at one server, and the queries that wait for one. `W` is the handle through which a waiting
/// query is notified.
#[derive(Debug)]
pub struct Turns<W> {
    /// Number of free places.
    free: usize,
    /// The longest time that a place can be held. It counts as used when the place is taken.
    longest: Duration,
    /// Use by namespace.
    used: BTreeMap<String, Usage>,
    /// Waiting queries, by the namespace for which they count.
    waiting: BTreeMap<String, Vec<Waiting<W>>>,
    /// Number of queries that have waited so far. Queries of equal use go in the order in which they came.
    came: u64,
}

/// A query that waits for a place.
#[derive(Debug)]
struct Waiting<W> {
    /// Use of the shape.
    shape: Usage,
    /// Its number in the order in which queries came.
    came: u64,
    waiter: W,
}

/// A place that a query got.
#[derive(Debug, PartialEq, Eq)]
pub struct Turn<W> {
    /// The namespace for which the place counts; [`Turns::leave`] needs it.
    pub namespace: String,
    /// The handle of the query, to notify it.
    pub waiter: W,
}

impl<W> Turns<W> {
    /// A server with this number of places, each held for no longer than `longest`.
    #[must_use]
    pub fn new(places: usize, longest: Duration) -> Self {
        Self {
            free: places,
            longest,
            used: BTreeMap::new(),
            waiting: BTreeMap::new(),
            came: 0,
        }
    }

    /// Lets a query for these namespaces wait for a place. `shape` is the use of its shape. [`Turns::next`]
    /// returns the query when it gets a place.
    pub fn wait<'a>(
        &mut self,
        namespaces: impl IntoIterator<Item = &'a str>,
        shape: Usage,
        waiter: W,
        now: Duration,
    ) {
        let used = |namespace: &str| self.used.get(namespace).map_or(0.0, |used| used.fade(now));
        // The query waits under the namespace that has the least use at this moment.
        let least = namespaces
            .into_iter()
            .min_by(|one, other| used(one).total_cmp(&used(other)))
            .unwrap_or_default()
            .to_owned();
        self.came += 1;
        let came = self.came;
        self.waiting
            .entry(least)
            .or_default()
            .push(Waiting { shape, came, waiter });
    }

    /// Gives a free place to the next query. Queries for which `waits` is false were given up and are
    /// dropped.
    pub fn next(&mut self, waits: impl Fn(&W) -> bool, now: Duration) -> Option<Turn<W>> {
        if self.free == 0 {
            return None;
        }
        self.waiting.retain(|_, waiting| {
            waiting.retain(|waiting| waits(&waiting.waiter));
            !waiting.is_empty()
        });
        // First the namespace with the least use, then within it the shape with the least use. Where the use
        // is equal, the query that came first.
        let rank = |namespace: &String, waiting: &[Waiting<W>]| {
            let used = self.used.get(namespace).map_or(0.0, |used| used.fade(now));
            let came = waiting.iter().map(|waiting| waiting.came).min();
            (used, came)
        };
        let (namespace, _) = self
            .waiting
            .iter()
            .map(|(namespace, waiting)| (namespace, rank(namespace, waiting)))
            .min_by(|(_, one), (_, other)| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)))?;
        let namespace = namespace.clone();
        let waiting = self.waiting.get_mut(&namespace)?;
        let (place, _) = waiting.iter().enumerate().min_by(|(_, one), (_, other)| {
            let used = one.shape.fade(now).total_cmp(&other.shape.fade(now));
            used.then(one.came.cmp(&other.came))
        })?;
        let Waiting { waiter, .. } = waiting.swap_remove(place);
        if waiting.is_empty() {
            self.waiting.remove(&namespace);
        }
        self.free -= 1;
        // The longest time counts at once, and `leave` corrects it. Otherwise a namespace could take all
        // places before the first of its queries has ended and counted.
        self.used
            .entry(namespace.clone())
            .or_default()
            .add(self.longest, now);
        Some(Turn { namespace, waiter })
    }

    /// Frees a place. `held` is how long it was held; `None` counts as the longest time.
    pub fn leave(&mut self, namespace: &str, held: Option<Duration>, now: Duration) {
        self.free += 1;
        // The longest time was counted when the place was taken. The real time replaces it.
        if let (Some(used), Some(held)) = (self.used.get_mut(namespace), held) {
            used.give_back(self.longest, now);
            used.add(held, now);
        }
        self.used.retain(|_, used| used.fade(now) > NOTHING);
    }

    /// Number of free places.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free
    }
}

#[cfg(test)]
mod tests;
