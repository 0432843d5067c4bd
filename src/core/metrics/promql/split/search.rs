//! Finds the namespace that makes a query fail which Prometheus would answer otherwise: a namespace whose
//! series take too long, or that mixes floats and histograms under one name.
//!
//! The search begins when the query for all namespaces has failed twice in a row. Then all needed namespaces
//! are suspect, in two groups: first those that were answered before, then the others. Each poll queries the
//! healthy pieces and one suspect piece:
//!
//! 1. A suspect piece that is answered is healthy.
//! 2. A suspect piece that fails is halved.
//! 3. A single namespace that fails in two polls in a row, while others are answered in the same polls, is
//!    left out. It is queried again after ten minutes. Each time that it fails twice more, the time is
//!    doubled.
//!
//! With 64 namespaces and one bad one among them the search takes about 13 polls: 64 is halved six times to
//! reach a single namespace, each other half takes a poll to be found healthy, and the single one must fail
//! twice. When the search is over, the healthy pieces are joined again, so that the shape costs about as many
//! queries as before.
//!
//! Two rules protect the innocent. A poll in which nothing is answered blames nobody, because Prometheus
//! itself fails. And each poll queries at most one suspect piece, so that with Prometheus away there are as
//! many queries as without a search.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{LeftOut, Part, Piece, PieceState, SPLIT_TIME, Split, Splitting, Why};

/// Number of failures in a row of the query for all namespaces before the search begins: a single failure may
/// have been an accident.
const ENOUGH: u32 = 2;
/// Number of polls in a row without any answer that show an outage of Prometheus. With the first answer after
/// it, the query for all namespaces is tried.
const SILENT: u32 = 4;
/// How long a namespace for which the query fails is left out. It is doubled each time the namespace fails
/// again.
const FAILS: Duration = Duration::from_mins(10);
/// Longest time for which such a namespace is left out.
const LONGEST_FAILS: Duration = Duration::from_hours(2);

/// A part that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The part whose query failed.
    pub part: Part,
    /// The message of the failure.
    pub words: Arc<str>,
}

impl Split {
    /// Records that the query for all namespaces failed. Returns the parts to query instead in the same poll,
    /// where parts are known that were answered before.
    pub fn all_failed(&mut self, needed: &BTreeSet<String>, now: Duration) -> Vec<Part> {
        if self.splitting.is_some() {
            self.split_up(needed, now)
        } else {
            Vec::new()
        }
    }

    /// Records the end of a poll: whether any part was answered, and which parts failed in a way that one
    /// namespace may have caused. The caller leaves out polls in which Prometheus itself is known to fail.
    pub fn poll_ended(
        &mut self,
        is_answered: bool,
        failed: &[Failed],
        needed: &BTreeSet<String>,
        now: Duration,
    ) {
        let Some(splitting) = &mut self.splitting else {
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
        // An answer after several silent polls is the end of an outage. Pieces that failed in it prove
        // nothing, so the query for all namespaces is due now.
        if !is_answered {
            splitting.silent = splitting.silent.saturating_add(1);
        } else if std::mem::take(&mut splitting.silent) >= SILENT {
            splitting.until = now;
        }
        let states: Vec<(&Failed, PieceState)> = failed
            .iter()
            .filter_map(|failed| match &failed.part {
                Part::All => None,
                Part::Only(namespaces) => Some((failed, self.piece(namespaces)?.state)),
            })
            .collect();
        // Nothing was answered, not even a piece that is not suspect: that is an outage, and nobody is
        // blamed.
        let is_prometheus = !is_answered && states.iter().any(|(_, state)| !state.is_suspect());
        if is_prometheus {
            return;
        }
        for (failed, state) in states {
            self.judge(failed, state, is_answered, now);
        }
        if let Some(splitting) = &mut self.splitting
            && splitting.found
            && !splitting.is_searching()
        {
            splitting.found = false;
            self.merge();
        }
    }

    /// Makes all needed namespaces suspect. Those that were answered before come first: they are likely
    /// healthy, and then they have values again while the search goes on among the others.
    fn begin_search(&mut self, needed: &BTreeSet<String>, now: Duration) {
        let (known, new) = needed
            .iter()
            .cloned()
            .partition(|name| self.answered.contains(name));
        let mut pieces = Vec::new();
        for namespaces in [known, new] {
            pieces.extend(packed(&namespaces).map(|namespaces| Piece {
                namespaces,
                state: PieceState::Suspect,
            }));
        }
        self.failures = 0;
        self.splitting = Some(Splitting::new(pieces, SPLIT_TIME, now));
    }

    /// Changes the state of a piece that failed, as the diagram at [`PieceState`] shows.
    fn judge(&mut self, failed: &Failed, state: PieceState, is_answered: bool, now: Duration) {
        let Part::Only(namespaces) = &failed.part else {
            return;
        };
        let was_left_out = namespaces.iter().any(|name| self.left_out.contains_key(name));
        match state {
            PieceState::Healthy => self.set_state(namespaces, PieceState::FailedOnce),
            // A namespace that was left out before needs no new search when it fails again.
            PieceState::FailedOnce if was_left_out => {
                self.leave_out(namespaces, &failed.words, now);
                self.set_state(namespaces, PieceState::Healthy);
            }
            PieceState::FailedOnce => self.set_state(namespaces, PieceState::Suspect),
            PieceState::Suspect | PieceState::FailedAlone if self.halve(namespaces).is_some() => {}
            // Without any answer in this poll the failure may be that of Prometheus, so it does not count.
            PieceState::Suspect | PieceState::FailedAlone if !is_answered => self.move_to_the_end(namespaces),
            PieceState::Suspect => self.set_state(namespaces, PieceState::FailedAlone),
            PieceState::FailedAlone => {
                self.leave_out(namespaces, &failed.words, now);
                self.set_state(namespaces, PieceState::Healthy);
                if let Some(splitting) = &mut self.splitting {
                    splitting.found = true;
                }
            }
        }
    }

    /// Leaves namespaces out of the queries: for ten minutes, or twice as long as the last time.
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

    fn set_state(&mut self, namespaces: &BTreeSet<String>, state: PieceState) {
        if let Some(piece) = self.piece(namespaces) {
            piece.state = state;
        }
    }

    /// Moves a piece to the end of the list, so that the next poll queries another suspect piece.
    fn move_to_the_end(&mut self, namespaces: &BTreeSet<String>) {
        let Some(splitting) = &mut self.splitting else {
            return;
        };
        if let Some(place) = splitting
            .pieces
            .iter()
            .position(|piece| piece.namespaces == *namespaces)
        {
            let piece = splitting.pieces.remove(place);
            splitting.pieces.push(piece);
        }
    }

    /// Joins the healthy pieces again. Each namespace that is left out stays in a piece of its own.
    fn merge(&mut self) {
        let Some(splitting) = &mut self.splitting else {
            return;
        };
        let left_out = &self.left_out;
        let is_left_out = |piece: &Piece| piece.namespaces.iter().any(|name| left_out.contains_key(name));
        let (alone, together): (Vec<Piece>, Vec<Piece>) = std::mem::take(&mut splitting.pieces)
            .into_iter()
            .partition(is_left_out);
        let together = together.into_iter().flat_map(|piece| piece.namespaces).collect();
        splitting.pieces = alone;
        splitting.pieces.extend(packed(&together).map(|namespaces| Piece {
            namespaces,
            state: PieceState::Healthy,
        }));
    }
}

/// Packs namespaces into as few pieces as the greatest length of a query allows.
fn packed(namespaces: &BTreeSet<String>) -> impl Iterator<Item = BTreeSet<String>> {
    let mut splitting = Splitting::new(Vec::new(), Duration::ZERO, Duration::ZERO);
    splitting.fit(namespaces, |_| false);
    splitting.pieces.into_iter().map(|piece| piece.namespaces)
}

#[cfg(test)]
mod tests;
