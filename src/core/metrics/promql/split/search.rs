//! Which namespace makes a query fail that Prometheus otherwise would answer: one whose series take too long, or that
//! mixes floats and histograms under one name.
//!
//! Once all at once has failed twice in a row, the needed namespaces are suspect: first those that were answered
//! before, then the others. Each poll asks the pieces that are sound and one suspect piece. A suspect one that is
//! answered is sound; one that fails is halved; and a single namespace that fails in two polls in a row, while others
//! are answered in the same polls, is left out: for ten minutes, then it is asked again, and longer each time that it
//! fails twice. With 64 namespaces and one bad one among them that takes about 13 polls. When the search is over the sound pieces are put together
//! again, so that the shape costs about as many queries as before.
//!
//! A poll in which nothing is answered accuses nobody: then it is Prometheus that fails. No poll of the search asks
//! more suspect pieces than one, so with Prometheus away there are as many queries as without a search.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{APART, Apart, LeftOut, Part, Piece, Split, Standing, Why};

/// Failures in a row of all at once before the search begins: one alone may have been an accident.
const ENOUGH: u32 = 2;
/// Polls in a row without any answer after which the first answer means that it was Prometheus: all at once is tried.
const SILENT: u32 = 4;
/// How long a namespace for which the query fails is left out; doubled each time it fails again.
const FAILS: Duration = Duration::from_mins(10);
/// Longest time for which it is left out.
const LONGEST_FAILS: Duration = Duration::from_hours(2);

/// A part that failed, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The part.
    pub part: Part,
    /// What went wrong.
    pub words: Arc<str>,
}

impl Split {
    /// All at once failed: what to ask instead in the same poll, where parts are known that were answered before.
    pub fn all_failed(&mut self, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        if self.apart.is_some() {
            self.go_apart(needed, now)
        } else {
            Vec::new()
        }
    }

    /// A poll is over: which of its parts were answered, and which failed in a way that one namespace may have caused.
    /// Not to be told where Prometheus itself fails.
    pub fn poll_ended(
        &mut self,
        is_answered: bool,
        failed: &[Failed],
        needed: &BTreeSet<String>,
        now: Duration,
    ) {
        let Some(apart) = &mut self.apart else {
            self.failures = if failed.is_empty() {
                0
            } else {
                self.failures.saturating_add(1)
            };
            if self.failures >= ENOUGH {
                self.begin_search(needed, now);
            }
            return;
        };
        if !is_answered {
            apart.silent = apart.silent.saturating_add(1);
        } else if std::mem::take(&mut apart.silent) >= SILENT {
            apart.until = now;
        }
        let standings: Vec<(&Failed, Standing)> = failed
            .iter()
            .filter_map(|failed| match &failed.part {
                Part::All => None,
                Part::Only(namespaces) => Some((failed, self.piece(namespaces)?.standing)),
            })
            .collect();
        let is_prometheus = !is_answered && standings.iter().any(|(_, standing)| !standing.is_suspect());
        if is_prometheus {
            return;
        }
        for (failed, standing) in standings {
            self.judge(failed, standing, is_answered, now);
        }
        if let Some(apart) = &mut self.apart
            && apart.found
            && !apart.is_searching()
        {
            apart.found = false;
            self.merge();
        }
    }

    fn begin_search(&mut self, needed: &BTreeSet<String>, now: Duration) {
        let (known, new) = needed
            .iter()
            .cloned()
            .partition(|name| self.answered.contains(name));
        let mut pieces = Vec::new();
        for namespaces in [known, new] {
            pieces.extend(packed(&namespaces).map(|namespaces| Piece {
                namespaces,
                standing: Standing::Suspect,
            }));
        }
        self.failures = 0;
        self.apart = Some(Apart::new(pieces, APART, now));
    }

    fn judge(&mut self, failed: &Failed, standing: Standing, is_answered: bool, now: Duration) {
        let Part::Only(namespaces) = &failed.part else {
            return;
        };
        let was_left_out = namespaces.iter().any(|name| self.left_out.contains_key(name));
        match standing {
            Standing::Sound => self.stands(namespaces, Standing::Struck),
            Standing::Struck if was_left_out => {
                self.leave_out(namespaces, &failed.words, now);
                self.stands(namespaces, Standing::Sound);
            }
            Standing::Struck => self.stands(namespaces, Standing::Suspect),
            Standing::Suspect | Standing::Blamed if self.halve(namespaces).is_some() => {}
            Standing::Suspect | Standing::Blamed if !is_answered => self.move_to_the_end(namespaces),
            Standing::Suspect => self.stands(namespaces, Standing::Blamed),
            Standing::Blamed => {
                self.leave_out(namespaces, &failed.words, now);
                self.stands(namespaces, Standing::Sound);
                if let Some(apart) = &mut self.apart {
                    apart.found = true;
                }
            }
        }
    }

    fn leave_out(&mut self, namespaces: &BTreeSet<String>, words: &Arc<str>, now: Duration) {
        for name in namespaces {
            let before = self.left_out.get(name).filter(|before| before.fails());
            let stay = before.map_or(FAILS, |before| (before.stay * 2).min(LONGEST_FAILS));
            let left_out = LeftOut {
                why: Why::Fails(words.clone()),
                stay,
                until: now.saturating_add(stay),
            };
            self.left_out.insert(name.clone(), left_out);
        }
    }

    fn stands(&mut self, namespaces: &BTreeSet<String>, standing: Standing) {
        if let Some(piece) = self.piece(namespaces) {
            piece.standing = standing;
        }
    }

    /// So that the next poll asks another suspect one.
    fn move_to_the_end(&mut self, namespaces: &BTreeSet<String>) {
        let Some(apart) = &mut self.apart else { return };
        if let Some(place) = apart
            .pieces
            .iter()
            .position(|piece| piece.namespaces == *namespaces)
        {
            let piece = apart.pieces.remove(place);
            apart.pieces.push(piece);
        }
    }

    /// Puts sound pieces together again; each namespace that is left out stays alone.
    fn merge(&mut self) {
        let Some(apart) = &mut self.apart else { return };
        let left_out = &self.left_out;
        let is_left_out = |piece: &Piece| piece.namespaces.iter().any(|name| left_out.contains_key(name));
        let (alone, together): (Vec<Piece>, Vec<Piece>) = std::mem::take(&mut apart.pieces)
            .into_iter()
            .partition(is_left_out);
        let together = together.into_iter().flat_map(|piece| piece.namespaces).collect();
        apart.pieces = alone;
        apart.pieces.extend(packed(&together).map(|namespaces| Piece {
            namespaces,
            standing: Standing::Sound,
        }));
    }
}

/// The namespaces in as few pieces as queries of a bounded length allow.
fn packed(namespaces: &BTreeSet<String>) -> impl Iterator<Item = BTreeSet<String>> {
    let mut apart = Apart::new(Vec::new(), Duration::ZERO, Duration::ZERO);
    apart.fit(namespaces, |_| false);
    apart.pieces.into_iter().map(|piece| piece.namespaces)
}

#[cfg(test)]
mod tests;
