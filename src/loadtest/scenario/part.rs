//! The part of a load that one of several processes sends, so that all of them together send exactly the load.
//!
//! Users, journeys, numbers of sequences and rows of data are numbered from zero on in the whole load. Of four parts,
//! part 1 has the numbers 1, 5, 9, ... So no number is in two parts, and what a number means (its moment, its row, its
//! random values) is the same as in one process.

use super::{
    model::{Lane, Model, Scenario},
    rate::users,
};

/// One of the equal parts of a load. The default is the only part: the whole load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    index: u32,
    of: u32,
}

impl Default for Part {
    fn default() -> Self {
        Self { index: 0, of: 1 }
    }
}

impl Part {
    /// Part `index`, from zero, of `of` parts; `None` where there is no such part.
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (index < of).then_some(Self { index, of })
    }

    /// How many of the numbers `0..all` are in this part. Of 10, part 1 of 4 has three: 1, 5, 9.
    pub fn share(self, all: u64) -> u64 {
        count_of(all, self.index.into(), self.of.into())
    }

    /// The number in the whole load of what has this number in the part. In part 1 of 4, number 2 is 9.
    pub fn number(self, own: u64) -> u64 {
        own.saturating_mul(self.of.into())
            .saturating_add(self.index.into())
    }

    /// The first number of one of `threads` threads that share this part, and the distance to its next one. Of two
    /// threads of part 1 of 4, thread 1 has 5, 13, 21, ...
    pub fn of_thread(self, thread: u32, threads: u32) -> (u64, u64) {
        (
            self.number(thread.into()),
            u64::from(self.of) * u64::from(threads),
        )
    }

    /// The part of a level, such as a rate.
    pub fn of_level(self, level: f64) -> f64 {
        level / f64::from(self.of)
    }
}

/// How many of the numbers `0..all` are among `first`, `first + step`, and so on. Of 10, three are among 1, 5, 9, ...
pub(crate) fn count_of(all: u64, first: u64, step: u64) -> u64 {
    all.saturating_sub(first).div_ceil(step.max(1))
}

/// Why a load cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "--workers {parts}: load {load:?} has {count} {what}, too few for each worker to have one; take --workers {count} at most"
)]
pub struct TooFew {
    /// Name of the load.
    pub load: String,
    /// What it has few of: users, journeys or iterations.
    pub what: &'static str,
    /// How many it has.
    pub count: u64,
    /// The number of parts.
    pub parts: u32,
}

/// Checks that each of so many parts of the scenario's load has something to do, and that each part of a number of
/// iterations has users who do them.
///
/// # Errors
/// The load that has too little.
pub fn divides(scenario: &Scenario, parts: u32) -> Result<(), TooFew> {
    let too_few = |lane: &Lane, (count, what): (u64, &'static str)| TooFew {
        load: lane.name.clone(),
        what,
        count,
        parts,
    };
    let mut largest: Option<(u64, TooFew)> = None;
    for lane in scenario.lanes() {
        let has = match lane.model {
            Model::Open => (lane.profile.due_before(lane.profile.duration()), "journeys"),
            Model::Closed => (users(lane.profile.peak()), "users"),
        };
        let turns = lane.iterations.map(|turns| (turns, "iterations"));
        if turns.is_some()
            && let Some(few) = turns
                .into_iter()
                .chain([has])
                .find(|(count, _)| *count < parts.into())
        {
            return Err(too_few(&lane, few));
        }
        if largest.as_ref().is_none_or(|(count, _)| has.0 > *count) {
            largest = Some((has.0, too_few(&lane, has)));
        }
    }
    match largest {
        Some((count, few)) if count < parts.into() => Err(few),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::parse;

    #[test]
    fn a_load_with_less_than_one_for_each_is_refused_by_what_it_lacks() {
        let divided = |load: &str| {
            let text = format!("{load}\njourneys: [{{name: a, steps: [{{get: /}}]}}]");
            let none = |_: &str| Err(String::new());
            divides(&parse(&text, "test", &none).unwrap(), 4).map_err(|few| few.to_string())
        };
        let refused = |load: &str, words: &str| {
            let error = divided(load).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        assert_eq!(divided("load: {users: [{duration: 1m, at: 4}]}"), Ok(()));
        assert_eq!(divided("load: {rate: [{duration: 4s, at: 1}]}"), Ok(()));
        refused(
            "load: {users: [{duration: 1m, at: 3}]}",
            "\"test\" has 3 users, too few",
        );
        refused("load: {rate: [{duration: 3s, at: 1}]}", "has 3 journeys");
        refused(
            "load: {users: [{duration: 1m, at: 9}], iterations: 2}",
            "has 2 iterations",
        );
        let many = "loads: [{name: many, users: [{duration: 1m, at: 9}]}, {name: one, users: [{duration: 1m, at: 1}]";
        assert_eq!(divided(&format!("{many}}}]")), Ok(()));
        refused(&format!("{many}, iterations: 9}}]"), "\"one\" has 1 users");
    }

    #[test]
    fn every_number_is_in_one_part_and_with_one_thread() {
        for of in 1..=5 {
            let mut seen = BTreeSet::new();
            for index in 0..of {
                let part = Part::new(index, of).unwrap();
                // Parts need not have equally many threads.
                let threads = 1 + index % 3;
                let mut count = 0;
                for thread in 0..threads {
                    let (first, step) = part.of_thread(thread, threads);
                    for number in (0..100)
                        .map(|turn| first + turn * step)
                        .filter(|number| *number < 97)
                    {
                        assert!(seen.insert(number), "{number} is there twice, in {of} parts");
                        count += 1;
                    }
                }
                assert_eq!(part.share(97), count, "part {index} of {of}");
                let of_threads = (0..threads).map(|thread| part.of_thread(thread, threads));
                let counts: u64 = of_threads.map(|(first, step)| count_of(97, first, step)).sum();
                assert_eq!(counts, count, "the threads of part {index} of {of}");
            }
            assert_eq!(seen.len(), 97, "{of} parts");
        }
        assert_eq!(Part::new(4, 4), None);
        assert_eq!(Part::default().share(7), 7);
    }
}
