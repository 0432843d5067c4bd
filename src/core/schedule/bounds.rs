//! The bounds of a workload at a moment.
//!
//! Each active entry stands for a pair: its own minimum or else the base's, its own maximum or else the base's. The
//! largest minimum and the largest maximum of the active pairs count; with none active, the base.
//!
//! Example: base 3 to 15, active `business-hours` (8, -) and `launch` (20, 40): the pairs are 8 to 15 and 20 to 40, the
//! bounds 20 to 40. An entry `night` (1, -) alone gives 1 to 15, and beside `business-hours` nothing.
//!
//! Invariant: where every pair has its minimum at or below its maximum, so has the result.

use super::entry::Entry;

/// The fewest and the most replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bounds {
    /// Fewest replicas.
    #[serde(rename = "minReplicas")]
    pub min: i32,
    /// Most replicas, at least `min`.
    #[serde(rename = "maxReplicas")]
    pub max: i32,
}

impl Bounds {
    /// The pair of an entry over this base.
    #[must_use]
    pub fn pair(self, entry: &Entry) -> Self {
        Self {
            min: entry.min.unwrap_or(self.min),
            max: entry.max.unwrap_or(self.max),
        }
    }

    /// The bounds while these entries are active, over this base.
    #[must_use]
    pub fn while_active<'a>(self, active: impl IntoIterator<Item = &'a Entry>) -> Self {
        let pairs = active.into_iter().map(|entry| self.pair(entry));
        let largest = |left: Self, right: Self| Self {
            min: left.min.max(right.min),
            max: left.max.max(right.max),
        };
        pairs.reduce(largest).unwrap_or(self)
    }

    /// The lowest minimum and the highest maximum of this base and all entries: bounds that no boundary changes.
    #[must_use]
    pub fn widest<'a>(self, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        entries.into_iter().fold(self, |widest, entry| {
            let pair = self.pair(entry);
            Self {
                min: widest.min.min(pair.min),
                max: widest.max.max(pair.max),
            }
        })
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use proptest::prelude::*;

    use super::*;
    use crate::schedule::{Starts, Zone, entry::Calendar};

    fn entry(name: &str, min: Option<i32>, max: Option<i32>) -> Entry {
        let calendar = Calendar {
            starts: Starts::cron("0 0 * * *").unwrap(),
            duration: Duration::from_secs(3600),
            zone: Zone::of("UTC").unwrap(),
            except: BTreeSet::new(),
        };
        Entry::new(name, calendar, min, max).unwrap()
    }

    #[test]
    fn the_largest_of_the_active_pairs_count_and_the_base_without_any() {
        let base = Bounds { min: 3, max: 15 };
        let (hours, launch, night) = (
            entry("business-hours", Some(8), None),
            entry("launch", Some(20), Some(40)),
            entry("night", Some(1), None),
        );
        for (active, bounds) in [
            (vec![], (3, 15)),
            (vec![&hours], (8, 15)),
            (vec![&hours, &launch], (20, 40)),
            (vec![&night], (1, 15)),
            (vec![&night, &hours], (8, 15)),
        ] {
            let found = base.while_active(active.iter().copied());
            assert_eq!((found.min, found.max), bounds, "{active:?}");
        }
        let widest = base.widest([&hours, &launch, &night]);
        assert_eq!((widest.min, widest.max), (1, 40));
    }

    proptest! {
        #[test]
        fn where_every_pair_is_in_order_the_bounds_are_and_lie_within_the_widest(
            base in (0_i32..50, 0_i32..50),
            entries in proptest::collection::vec(
                (proptest::option::of(0_i32..100), proptest::option::of(1_i32..100)), 0..6
            ),
            chosen in proptest::collection::vec(any::<bool>(), 6),
        ) {
            let base = Bounds { min: base.0, max: base.0 + base.1 + 1 };
            let entries: Vec<Entry> = entries.into_iter().map(|(min, max)| entry("e", min, max)).collect();
            let in_order = |entry: &&Entry| { let pair = base.pair(entry); pair.min <= pair.max };
            let entries: Vec<&Entry> = entries.iter().filter(in_order).collect();
            let active = entries.iter().zip(chosen).filter_map(|(entry, chosen)| chosen.then_some(*entry));
            let bounds = base.while_active(active);
            let widest = base.widest(entries.iter().copied());
            prop_assert!(bounds.min <= bounds.max);
            prop_assert!(widest.min <= bounds.min && bounds.max <= widest.max);
        }
    }
}
