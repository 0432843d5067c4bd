//! Whose query is sent next to a server that is asked a few at a time.
//!
//! A free place goes to the namespace that has used the places least of late, and within it to the shape that has.
//! What counts is the time for which a query holds its place, and what was used fades to a half within
//! [`HALF_LIFE`]. So whoever asks what takes long waits, and whoever asks what is answered at once does not: with
//! five places and 100 namespaces whose queries all hang for 4 s, a place becomes free every 0.8 s on average, and the
//! next query of a namespace that used 0.1 s goes before the 100 that used 4 s each. Nobody starves: while a namespace
//! waits, what it used fades, and what those that are served use grows.
//!
//! Of a shape that was never answered nobody knows how long it takes, so it does not get all its time at once but
//! first a short turn, then others twice as long ([`Patience`]): otherwise, after a restart, 100 namespaces that hang
//! would be tried for 4 s each before the last one had its turn.
//!
//! A query for several namespaces has the turn of the one that used least, so that nobody can slow down the queries
//! of others by asking the same.

use std::{collections::BTreeMap, time::Duration};

/// Time after which use counts half.
const HALF_LIFE: Duration = Duration::from_secs(30);
/// Below this, use counts as none.
const NOTHING: f64 = 0.001;

/// Time for which places were held of late, in seconds. Times are our monotonic ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    seconds: f64,
    at: Duration,
}

impl Usage {
    /// Counts time for which a place was held.
    pub fn add(&mut self, held: Duration, now: Duration) {
        *self = Self {
            seconds: self.fade(now) + held.as_secs_f64(),
            at: now,
        };
    }

    /// Takes back what was counted before and was not used.
    fn give_back(&mut self, unused: Duration, now: Duration) {
        *self = Self {
            seconds: (self.fade(now) - unused.as_secs_f64()).max(0.0),
            at: now,
        };
    }

    fn fade(&self, now: Duration) -> f64 {
        let half_lives = now.saturating_sub(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.seconds * (-half_lives).exp2()
    }
}

/// For how long a query of a shape may hold its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// It was never answered: a sixteenth of the longest time, doubled so many times.
    Unknown {
        /// Turns that were too short.
        doublings: u32,
    },
    /// It was answered, or had the longest time.
    #[default]
    Full,
}

impl Patience {
    /// Of a new shape.
    pub const NEW: Self = Self::Unknown { doublings: 0 };
    /// Doublings after which it is the longest time.
    const DOUBLINGS: u32 = 4;

    /// Time for the next query.
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

    /// The time was too short. True if the query is to be sent again with more time, once it has another turn.
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

    /// The query was answered.
    pub fn answered(&mut self) {
        *self = Self::Full;
    }
}

/// The places at one server, and who waits for one. `W` is how a waiting one is told.
#[derive(Debug)]
pub struct Turns<W> {
    free: usize,
    /// What is counted when a place is taken: the longest time that it can be held.
    longest: Duration,
    used: BTreeMap<String, Usage>,
    waiting: BTreeMap<String, Vec<Waiting<W>>>,
    /// Waiting ones of equal use go in the order in which they came.
    came: u64,
}

#[derive(Debug)]
struct Waiting<W> {
    shape: Usage,
    came: u64,
    waiter: W,
}

/// A place that was given away.
#[derive(Debug, PartialEq, Eq)]
pub struct Turn<W> {
    /// Whose turn it is.
    pub namespace: String,
    /// Who is to be told.
    pub waiter: W,
}

impl<W> Turns<W> {
    /// So many places, none of them held for longer than `longest`.
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

    /// Somebody waits from now on, for these namespaces and with what the shape has used; [`Turns::next`] tells when
    /// there is a place.
    pub fn wait<'a>(
        &mut self,
        namespaces: impl IntoIterator<Item = &'a str>,
        shape: Usage,
        waiter: W,
        now: Duration,
    ) {
        let used = |namespace: &str| self.used.get(namespace).map_or(0.0, |used| used.fade(now));
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

    /// Gives a free place away, passing over those that wait no more.
    pub fn next(&mut self, waits: impl Fn(&W) -> bool, now: Duration) -> Option<Turn<W>> {
        if self.free == 0 {
            return None;
        }
        self.waiting.retain(|_, waiting| {
            waiting.retain(|waiting| waits(&waiting.waiter));
            !waiting.is_empty()
        });
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
        // In full at first, so that a namespace does not take all places before any of its queries has ended.
        self.used
            .entry(namespace.clone())
            .or_default()
            .add(self.longest, now);
        Some(Turn { namespace, waiter })
    }

    /// A place is free again. `held` says for how long it was not; `None` counts as the longest time.
    pub fn leave(&mut self, namespace: &str, held: Option<Duration>, now: Duration) {
        self.free += 1;
        if let (Some(used), Some(held)) = (self.used.get_mut(namespace), held) {
            used.give_back(self.longest, now);
            used.add(held, now);
        }
        self.used.retain(|_, used| used.fade(now) > NOTHING);
    }

    /// Places that nobody holds.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free
    }
}

#[cfg(test)]
mod tests;
