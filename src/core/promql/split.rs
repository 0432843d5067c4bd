//! Answers above the size limit are asked for in parts, each for some of the namespaces that resources need.
//!
//! A shape is asked for all namespaces at once until an answer is too large. Then only for those that are needed,
//! and a part that is still too large is halved, until all parts fit or one namespace alone is too large: only its
//! metrics have no value. The parts stay for a while, so that too large answers are rare; then all at once is tried
//! again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Most parts of one shape. What does not fit into so many stays without an answer.
pub const MAX_PARTS: usize = 64;
/// Most characters of namespaces in one query: some servers refuse queries of 16 KiB.
const MAX_TEXT: usize = 8 << 10;
/// How long parts stay before all at once is tried again; doubled each time it fails.
const APART: Duration = Duration::from_mins(10);
/// Longest time between such tries.
const LONGEST_APART: Duration = Duration::from_hours(2);
/// How long a namespace that is too large alone is left out.
const LEFT_OUT: Duration = Duration::from_mins(1);

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
    /// Namespaces too large to ask for, and until when they are left out.
    too_large: BTreeMap<String, Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Apart {
    parts: Vec<BTreeSet<String>>,
    stay: Duration,
    until: Duration,
}

impl Split {
    /// What to ask in this poll, for the namespaces that resources need now.
    pub fn parts(&mut self, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        self.too_large.retain(|namespace, _| needed.contains(namespace));
        let Some(apart) = &mut self.apart else {
            return vec![Part::All];
        };
        apart.fit(needed);
        if apart.until <= now || apart.parts.is_empty() {
            return vec![Part::All];
        }
        let left_out = |namespace: &String| self.too_large.get(namespace).is_some_and(|until| now < *until);
        let parts = apart.parts.iter().filter(|part| !part.iter().all(left_out));
        parts.cloned().map(Part::Only).collect()
    }

    /// A part was answered.
    pub fn fits(&mut self, part: &Part) {
        match part {
            Part::All => *self = Self::default(),
            Part::Only(namespaces) => self.too_large.retain(|name, _| !namespaces.contains(name)),
        }
    }

    /// The answer to a part was too large: what to ask instead, in the same poll.
    pub fn is_too_large(&mut self, part: &Part, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        let Part::Only(namespaces) = part else {
            let stay = self
                .apart
                .as_ref()
                .map_or(APART, |apart| (apart.stay * 2).min(LONGEST_APART));
            let parts = self.apart.take().map(|apart| apart.parts).unwrap_or_default();
            let mut apart = Apart {
                parts,
                stay,
                until: now.saturating_add(stay),
            };
            apart.fit(needed);
            let is_empty = apart.parts.is_empty();
            self.apart = Some(apart);
            return if is_empty {
                Vec::new()
            } else {
                self.parts(needed, now)
            };
        };
        let parts = self.apart.as_mut().map(|apart| &mut apart.parts);
        match parts {
            Some(parts) if namespaces.len() > 1 && parts.len() < MAX_PARTS => {
                let (first, second) = halves(namespaces);
                parts.retain(|part| part != namespaces);
                parts.extend([first.clone(), second.clone()]);
                vec![Part::Only(first), Part::Only(second)]
            }
            _ => {
                let until = now.saturating_add(LEFT_OUT);
                self.too_large
                    .extend(namespaces.iter().map(|name| (name.clone(), until)));
                Vec::new()
            }
        }
    }

    /// The namespaces that have no answer because theirs would be too large.
    pub fn without_answer(&self) -> impl Iterator<Item = &str> {
        self.too_large.keys().map(String::as_str)
    }
}

impl Apart {
    /// Makes the parts hold each needed namespace once, and nothing else.
    fn fit(&mut self, needed: &BTreeSet<String>) {
        let mut new = needed.clone();
        for part in &mut self.parts {
            part.retain(|namespace| needed.contains(namespace));
            new.retain(|namespace| !part.contains(namespace));
        }
        self.parts.retain(|part| !part.is_empty());
        for namespace in new {
            let is_full = self.parts.len() >= MAX_PARTS;
            let shortest = self.parts.iter_mut().min_by_key(|part| text(part));
            match shortest {
                Some(part) if is_full || text(part) + namespace.len() < MAX_TEXT => {
                    part.insert(namespace);
                }
                _ => self.parts.push(BTreeSet::from([namespace])),
            }
        }
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
