//! Splits a query that does not succeed for all namespaces at once into parts, each for some of the
//! namespaces that resources need.
//!
//! A shape is queried for all namespaces at once, until an answer is too large, or the query fails although
//! Prometheus answers others. From then on the query names the needed namespaces only. A part that is still
//! too large, or fails, is halved, down to a single namespace: then only the metrics of that namespace have
//! no value. Parts that are too large are halved in the same poll. Parts that fail may take long, so one of
//! them is tried in each poll ([`search`]). The parts stay for 10 minutes to 2 hours, so that splitting is
//! rare. Then the query for all namespaces is tried again.
//!
//! An example: resources need `a`, `b`, `c` and `d`, the limit is 100 series, and `d` has 150. The query for
//! all is too large. In the same poll `{a,b,c,d}` is too large and becomes `{a,b}`, which fits, and `{c,d}`,
//! which becomes `{c}`, which fits, and `{d}`, which is left out for a minute. The next polls send `{a,b}`
//! and `{c}`.
//!
//! Invariant: while a shape is split, each needed namespace is in exactly one piece.

mod search;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub use search::Failed;

/// Greatest number of parts of one shape. A part that would have to be halved beyond that stays without an
/// answer.
pub(super) const MAX_PARTS: usize = 64;
/// Greatest number of bytes that names of namespaces take in one query: some servers refuse queries of 16
/// KiB.
const MAX_TEXT: usize = 8 << 10;
/// How long a shape stays split before the query for all namespaces is tried again. It is doubled each time
/// that try fails.
const SPLIT_TIME: Duration = Duration::from_mins(10);
/// Longest time between two such tries.
const LONGEST_SPLIT: Duration = Duration::from_hours(2);
/// How long a namespace is left out whose answer alone is too large.
const TOO_LARGE: Duration = Duration::from_mins(1);

/// The namespaces of one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All namespaces, needed or not.
    All,
    /// These namespaces only.
    Only(BTreeSet<String>),
}

impl Part {
    /// The needed namespaces that the query covers.
    #[must_use]
    pub fn namespaces<'a>(&'a self, needed: &'a BTreeSet<String>) -> &'a BTreeSet<String> {
        match self {
            Self::All => needed,
            Self::Only(namespaces) => namespaces,
        }
    }
}

/// The state of the splitting of one shape. Times are our monotonic ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The pieces of a shape that is split; `None` while one query covers all namespaces.
    splitting: Option<Splitting>,
    /// Namespaces that are left out of the queries, until a time.
    left_out: BTreeMap<String, LeftOut>,
    /// Number of polls in a row in which the query for all namespaces failed.
    failures: u32,
    /// The namespaces that were needed when the query for all namespaces last succeeded.
    answered: BTreeSet<String>,
}

/// The pieces of a shape that is split.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Splitting {
    pieces: Vec<Piece>,
    /// How long the shape stays split, and until when. Then the query for all namespaces is tried again.
    stay: Duration,
    until: Duration,
    /// Whether the search has found a namespace to leave out.
    found: bool,
    /// Number of polls in a row in which nothing was answered.
    silent: u32,
}

/// Namespaces that share one query.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    namespaces: BTreeSet<String>,
    state: PieceState,
}

/// What the past polls say of a piece. An answer makes any piece healthy again.
///
/// ```text
///   Healthy --fails--> FailedOnce --fails--> Suspect --fails--> halves, each Suspect
///                                            Suspect of one namespace --fails--> FailedAlone --fails--> left out
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PieceState {
    /// The piece is queried in each poll.
    Healthy,
    /// The piece failed once while others were answered. It is still queried in each poll.
    FailedOnce,
    /// The piece contains a namespace for which the query fails, so it has to be halved. One suspect piece is
    /// queried in each poll.
    Suspect,
    /// The piece is suspect, cannot be halved, and failed once while others were answered.
    FailedAlone,
}

impl PieceState {
    fn is_suspect(self) -> bool {
        matches!(self, Self::Suspect | Self::FailedAlone)
    }
}

/// A namespace that is left out of the queries.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LeftOut {
    why: Why,
    /// How long the namespace is left out, and until when.
    stay: Duration,
    until: Duration,
}

/// Why a namespace is left out of the queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The answer for the namespace alone is larger than the limit.
    TooLarge,
    /// The query fails for the namespace alone, with this message.
    Fails(Arc<str>),
}

impl Split {
    /// The parts to query in this poll, for the namespaces that resources need now.
    pub fn parts(&mut self, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        self.left_out.retain(|namespace, _| needed.contains(namespace));
        let left_out = &self.left_out;
        let Some(splitting) = &mut self.splitting else {
            return vec![Part::All];
        };
        splitting.fit(needed, |piece| {
            piece.iter().any(|namespace| left_out.contains_key(namespace))
        });
        // While a namespace makes the query fail, the query for all namespaces would fail too, so it is not
        // tried.
        let has_bad = left_out.values().any(LeftOut::fails);
        if splitting.pieces.is_empty() || (splitting.until <= now && !has_bad) {
            return vec![Part::All];
        }
        let waits = |namespace: &String| {
            left_out
                .get(namespace)
                .is_some_and(|left_out| now < left_out.until)
        };
        // All healthy pieces, without those that are left out entirely, and at most one suspect piece.
        let is_queried = |piece: &&Piece| !piece.state.is_suspect() && !piece.namespaces.iter().all(waits);
        let healthy = splitting.pieces.iter().filter(is_queried);
        let probe = splitting.pieces.iter().find(|piece| piece.state.is_suspect());
        healthy
            .chain(probe)
            .map(|piece| Part::Only(piece.namespaces.clone()))
            .collect()
    }

    /// Records that a part was answered.
    pub fn part_answered(&mut self, part: &Part, needed: &BTreeSet<String>) {
        match part {
            // An answer for all namespaces ends the split, and everything learned in it is out of date.
            Part::All => {
                *self = Self {
                    answered: needed.clone(),
                    ..Self::default()
                };
            }
            Part::Only(namespaces) => {
                self.left_out.retain(|name, _| !namespaces.contains(name));
                if let Some(piece) = self.piece(namespaces) {
                    piece.state = PieceState::Healthy;
                }
            }
        }
    }

    /// Records that the answer to a part was too large. Returns the parts to query instead, in the same poll.
    pub fn part_too_large(&mut self, part: &Part, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        let Part::Only(namespaces) = part else {
            return self.split_up(needed, now);
        };
        if let Some(halves) = self.halve(namespaces) {
            return halves;
        }
        let left_out = LeftOut {
            why: Why::TooLarge,
            stay: TOO_LARGE,
            until: now.saturating_add(TOO_LARGE),
        };
        let names = namespaces.iter();
        self.left_out
            .extend(names.map(|name| (name.clone(), left_out.clone())));
        // A piece that is too large does not fail, so it is not suspect. It is queried again when its time is
        // over.
        if let Some(piece) = self.piece(namespaces) {
            piece.state = PieceState::Healthy;
        }
        Vec::new()
    }

    /// Why a namespace is left out; `None` where it is not.
    #[must_use]
    pub fn left_out(&self, namespace: &str) -> Option<&Why> {
        self.left_out.get(namespace).map(|left_out| &left_out.why)
    }

    /// Splits the shape, because the query for all namespaces does not succeed. Returns the parts to query
    /// instead.
    fn split_up(&mut self, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        // Pieces from before are known to work, so only the time until the next try is doubled.
        let before = self.splitting.take();
        let stay = before
            .as_ref()
            .map_or(SPLIT_TIME, |splitting| (splitting.stay * 2).min(LONGEST_SPLIT));
        let found = before.as_ref().is_some_and(|splitting| splitting.found);
        let pieces = before.map(|splitting| splitting.pieces).unwrap_or_default();
        let mut splitting = Splitting {
            found,
            ..Splitting::new(pieces, stay, now)
        };
        splitting.fit(needed, |_| false);
        let is_empty = splitting.pieces.is_empty();
        self.splitting = Some(splitting);
        if is_empty {
            Vec::new()
        } else {
            self.parts(needed, now)
        }
    }

    /// Halves a piece. `None` if it cannot be halved: it has one namespace, or there are [`MAX_PARTS`]
    /// pieces.
    fn halve(&mut self, namespaces: &BTreeSet<String>) -> Option<Vec<Part>> {
        let pieces = &mut self.splitting.as_mut()?.pieces;
        if namespaces.len() < 2 || pieces.len() >= MAX_PARTS {
            return None;
        }
        let place = pieces.iter().position(|piece| piece.namespaces == *namespaces)?;
        // Both halves keep the state: either half of a suspect piece may have the namespace that fails.
        let Piece { state, .. } = pieces.remove(place);
        let (first, second) = halves(namespaces);
        let halves = [first, second];
        pieces.extend(halves.clone().map(|namespaces| Piece { namespaces, state }));
        Some(halves.map(Part::Only).to_vec())
    }

    fn piece(&mut self, namespaces: &BTreeSet<String>) -> Option<&mut Piece> {
        let pieces = &mut self.splitting.as_mut()?.pieces;
        pieces.iter_mut().find(|piece| piece.namespaces == *namespaces)
    }
}

impl LeftOut {
    fn fails(&self) -> bool {
        matches!(self.why, Why::Fails(_))
    }
}

impl Splitting {
    fn new(pieces: Vec<Piece>, stay: Duration, now: Duration) -> Self {
        Self {
            pieces,
            stay,
            until: now.saturating_add(stay),
            found: false,
            silent: 0,
        }
    }

    /// Restores the invariant: each needed namespace is in exactly one piece, and no other namespace is in
    /// any. New namespaces join the shortest healthy piece that is not `closed`, or become a new piece.
    fn fit(&mut self, needed: &BTreeSet<String>, closed: impl Fn(&BTreeSet<String>) -> bool) {
        // First drop what is no longer needed, then place what is in no piece yet.
        let mut new = needed.clone();
        for piece in &mut self.pieces {
            piece.namespaces.retain(|namespace| needed.contains(namespace));
            new.retain(|namespace| !piece.namespaces.contains(namespace));
        }
        self.pieces.retain(|piece| !piece.namespaces.is_empty());
        for namespace in new {
            let is_full = self.pieces.len() >= MAX_PARTS;
            let is_open = |piece: &Piece| piece.state == PieceState::Healthy && !closed(&piece.namespaces);
            // Where no further piece is allowed, a piece that is not open must take the namespace.
            let shortest = self
                .pieces
                .iter_mut()
                .filter(|piece| is_full || is_open(piece))
                .min_by_key(|piece| (!is_open(piece), text(&piece.namespaces)));
            match shortest {
                Some(piece) if is_full || text(&piece.namespaces) + namespace.len() < MAX_TEXT => {
                    piece.namespaces.insert(namespace);
                }
                _ => self.pieces.push(Piece {
                    namespaces: BTreeSet::from([namespace]),
                    state: PieceState::Healthy,
                }),
            }
        }
    }

    fn is_searching(&self) -> bool {
        self.pieces.iter().any(|piece| piece.state.is_suspect())
    }
}

/// The number of bytes that the namespaces of a part take in a query, with a separator each.
fn text(part: &BTreeSet<String>) -> usize {
    part.iter().map(|namespace| namespace.len() + 1).sum()
}

fn halves(namespaces: &BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    let half = namespaces.len() / 2;
    let first = namespaces.iter().take(half).cloned().collect();
    let second = namespaces.iter().skip(half).cloned().collect();
    (first, second)
}

#[cfg(test)]
mod tests;
