//! A query that cannot be asked for all namespaces at once is asked in parts, each for some of the namespaces that
//! resources need.
//!
//! A shape is asked for all namespaces at once until an answer is too large, or the query fails though Prometheus
//! otherwise answers. Then only for those that are needed, and a part that is still too large, or fails, is halved,
//! until one namespace alone is: only its metrics have no value. Too large parts are halved in the same poll; failing
//! ones, which may take long, one in each poll ([`search`]). The parts stay for a while, so that this is rare; then all
//! at once is tried again.

mod search;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub use search::Failed;

/// Most parts of one shape. What does not fit into so many stays without an answer.
pub const MAX_PARTS: usize = 64;
/// Most characters of namespaces in one query: some servers refuse queries of 16 KiB.
const MAX_TEXT: usize = 8 << 10;
/// How long parts stay before all at once is tried again; doubled each time it fails.
const APART: Duration = Duration::from_mins(10);
/// Longest time between such tries.
const LONGEST_APART: Duration = Duration::from_hours(2);
/// How long a namespace that is too large alone is left out.
const TOO_LARGE: Duration = Duration::from_mins(1);

/// What one query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All namespaces, needed or not.
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl Part {
    /// For which of the needed namespaces it asks.
    #[must_use]
    pub fn namespaces<'a>(&'a self, needed: &'a BTreeSet<String>) -> &'a BTreeSet<String> {
        match self {
            Self::All => needed,
            Self::Only(namespaces) => namespaces,
        }
    }
}

/// How a shape is asked. Times are our monotonic ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    apart: Option<Apart>,
    /// Namespaces that are not asked for, and until when.
    left_out: BTreeMap<String, LeftOut>,
    /// Polls in a row in which all at once failed.
    failures: u32,
    /// The namespaces that were needed when all at once was answered last.
    answered: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Apart {
    pieces: Vec<Piece>,
    /// How long before all at once is tried again, and when that is.
    stay: Duration,
    until: Duration,
    /// The search has found a namespace that is to be left out.
    found: bool,
    /// Polls in a row in which nothing was answered.
    silent: u32,
}

/// Namespaces that are asked for together. Each needed namespace is in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    namespaces: BTreeSet<String>,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Asked in each poll.
    Sound,
    /// It failed once while others were answered.
    Struck,
    /// It holds a namespace for which the query fails: to be halved.
    Suspect,
    /// It is suspect and cannot be halved, and failed once while others were answered.
    Blamed,
}

impl Standing {
    fn is_suspect(self) -> bool {
        matches!(self, Self::Suspect | Self::Blamed)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LeftOut {
    why: Why,
    stay: Duration,
    until: Duration,
}

/// Why a namespace is not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its answer alone is larger than the limit.
    TooLarge,
    /// The query fails for it alone, in the words of the failure.
    Fails(Arc<str>),
}

impl Split {
    /// What to ask in this poll, for the namespaces that resources need now.
    pub fn parts(&mut self, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        self.left_out.retain(|namespace, _| needed.contains(namespace));
        let left_out = &self.left_out;
        let Some(apart) = &mut self.apart else {
            return vec![Part::All];
        };
        apart.fit(needed, |piece| {
            piece.iter().any(|namespace| left_out.contains_key(namespace))
        });
        let has_bad = left_out.values().any(LeftOut::fails);
        if apart.pieces.is_empty() || (apart.until <= now && !has_bad) {
            return vec![Part::All];
        }
        let waits = |namespace: &String| {
            left_out
                .get(namespace)
                .is_some_and(|left_out| now < left_out.until)
        };
        let asked = |piece: &&Piece| !piece.standing.is_suspect() && !piece.namespaces.iter().all(waits);
        let sound = apart.pieces.iter().filter(asked);
        let probe = apart.pieces.iter().find(|piece| piece.standing.is_suspect());
        sound
            .chain(probe)
            .map(|piece| Part::Only(piece.namespaces.clone()))
            .collect()
    }

    /// A part was answered.
    pub fn fits(&mut self, part: &Part, needed: &BTreeSet<String>) {
        match part {
            Part::All => {
                *self = Self {
                    answered: needed.clone(),
                    ..Self::default()
                };
            }
            Part::Only(namespaces) => {
                self.left_out.retain(|name, _| !namespaces.contains(name));
                if let Some(piece) = self.piece(namespaces) {
                    piece.standing = Standing::Sound;
                }
            }
        }
    }

    /// The answer to a part was too large: what to ask instead, in the same poll.
    pub fn is_too_large(&mut self, part: &Part, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        let Part::Only(namespaces) = part else {
            return self.go_apart(needed, now);
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
        if let Some(piece) = self.piece(namespaces) {
            piece.standing = Standing::Sound;
        }
        Vec::new()
    }

    /// Why a namespace is left out, if it is.
    #[must_use]
    pub fn left_out(&self, namespace: &str) -> Option<&Why> {
        self.left_out.get(namespace).map(|left_out| &left_out.why)
    }

    /// All at once does not go: what to ask instead.
    fn go_apart(&mut self, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        let before = self.apart.take();
        let stay = before
            .as_ref()
            .map_or(APART, |apart| (apart.stay * 2).min(LONGEST_APART));
        let found = before.as_ref().is_some_and(|apart| apart.found);
        let pieces = before.map(|apart| apart.pieces).unwrap_or_default();
        let mut apart = Apart {
            found,
            ..Apart::new(pieces, stay, now)
        };
        apart.fit(needed, |_| false);
        let is_empty = apart.pieces.is_empty();
        self.apart = Some(apart);
        if is_empty {
            Vec::new()
        } else {
            self.parts(needed, now)
        }
    }

    /// Halves a piece; `None` if it cannot be.
    fn halve(&mut self, namespaces: &BTreeSet<String>) -> Option<Vec<Part>> {
        let pieces = &mut self.apart.as_mut()?.pieces;
        if namespaces.len() < 2 || pieces.len() >= MAX_PARTS {
            return None;
        }
        let place = pieces.iter().position(|piece| piece.namespaces == *namespaces)?;
        let Piece { standing, .. } = pieces.remove(place);
        let (first, second) = halves(namespaces);
        let halves = [first, second];
        pieces.extend(halves.clone().map(|namespaces| Piece { namespaces, standing }));
        Some(halves.map(Part::Only).to_vec())
    }

    fn piece(&mut self, namespaces: &BTreeSet<String>) -> Option<&mut Piece> {
        let pieces = &mut self.apart.as_mut()?.pieces;
        pieces.iter_mut().find(|piece| piece.namespaces == *namespaces)
    }
}

impl LeftOut {
    fn fails(&self) -> bool {
        matches!(self.why, Why::Fails(_))
    }
}

impl Apart {
    fn new(pieces: Vec<Piece>, stay: Duration, now: Duration) -> Self {
        Self {
            pieces,
            stay,
            until: now.saturating_add(stay),
            found: false,
            silent: 0,
        }
    }

    /// Makes the pieces hold each needed namespace once, and nothing else. New ones join sound pieces that are not
    /// `closed`.
    fn fit(&mut self, needed: &BTreeSet<String>, closed: impl Fn(&BTreeSet<String>) -> bool) {
        let mut new = needed.clone();
        for piece in &mut self.pieces {
            piece.namespaces.retain(|namespace| needed.contains(namespace));
            new.retain(|namespace| !piece.namespaces.contains(namespace));
        }
        self.pieces.retain(|piece| !piece.namespaces.is_empty());
        for namespace in new {
            let is_full = self.pieces.len() >= MAX_PARTS;
            let is_open = |piece: &Piece| piece.standing == Standing::Sound && !closed(&piece.namespaces);
            // Where there is no other way, one that is closed.
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
                    standing: Standing::Sound,
                }),
            }
        }
    }

    fn is_searching(&self) -> bool {
        self.pieces.iter().any(|piece| piece.standing.is_suspect())
    }
}

/// Characters that the namespaces of a part take in a query.
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
