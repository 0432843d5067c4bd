//! When news is passed on that concerns every resource, so that a source that flaps does not make all of them work.
//!
//! ```text
//! second   0     100   105   400   410    420   430
//! source   up    down  up    down         up
//! told     up                      down         up
//! ```
//!
//! The first state is told at once. Another one is told when it has stood for the time to settle, and news that
//! follow each other closely are told 10 s, 20 s, 40 s ... apart, at most 10 min. After 10 min without any change the
//! next change counts as the first again.

use std::time::Duration;

/// Time between the first two changes that are told.
const FIRST_GAP: Duration = Duration::from_secs(10);
/// Longest time between two changes that are told, and the quiet after which the gaps begin anew.
const LONGEST_GAP: Duration = Duration::from_secs(600);

/// What a source says, and what of it was told.
#[derive(Debug)]
pub struct Damping<T> {
    settle: Duration,
    told: Option<T>,
    /// What was not told yet, and since when the source says other than what was told.
    news: Option<(T, Duration)>,
    /// When the source last said something else than before.
    changed: Duration,
    /// The earliest time of the next news.
    not_before: Duration,
    gap: Duration,
}

impl<T: Clone + PartialEq> Damping<T> {
    /// Nothing was said yet; a state stands for `settle` before it is told.
    pub fn new(settle: Duration) -> Self {
        Self {
            settle,
            told: None,
            news: None,
            changed: Duration::ZERO,
            not_before: Duration::ZERO,
            gap: FIRST_GAP,
        }
    }

    /// The source says `state`.
    pub fn observe(&mut self, state: T, now: Duration) {
        let before = self.news.as_ref().map(|(state, _)| state).or(self.told.as_ref());
        if before == Some(&state) {
            return;
        }
        if now.saturating_sub(self.changed) > LONGEST_GAP {
            self.gap = FIRST_GAP;
        }
        self.changed = now;
        let since = self.news.as_ref().map_or(now, |(_, since)| *since);
        self.news = (self.told.as_ref() != Some(&state)).then_some((state, since));
    }

    /// When there is something to tell; `None` while there is not.
    pub fn due(&self) -> Option<Duration> {
        let (_, since) = self.news.as_ref()?;
        Some(match self.told {
            None => *since,
            Some(_) => (*since + self.settle).max(self.not_before),
        })
    }

    /// The news, if it is time to tell them.
    pub fn tell(&mut self, now: Duration) -> Option<T> {
        if self.due()? > now {
            return None;
        }
        let (state, _) = self.news.take()?;
        if self.told.replace(state.clone()).is_some() {
            self.not_before = now + self.gap;
            self.gap = (self.gap * 2).min(LONGEST_GAP);
        }
        Some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// What is told, and in which second, when the source says `says(second)`.
    fn told(until: u64, says: impl Fn(u64) -> bool) -> Vec<(u64, bool)> {
        let mut damping = Damping::new(seconds(10));
        (0..until)
            .filter_map(|now| {
                damping.observe(says(now), seconds(now));
                damping.tell(seconds(now)).map(|state| (now, state))
            })
            .collect()
    }

    #[test]
    fn a_change_that_stands_is_told_and_one_that_does_not_is_not() {
        let says = |second| !(second == 100 || (400..430).contains(&second));
        assert_eq!(told(1000, says), [(0, true), (410, false), (440, true)]);
    }

    #[test]
    fn what_changes_all_the_time_is_told_every_ten_minutes() {
        let per_hour = |period: u64| told(3600, |second| (second / period).is_multiple_of(2)).len();
        assert_eq!(per_hour(5), 1, "nothing ever stands");
        for period in [11, 15, 20, 45, 100, 500] {
            assert!(
                (3..=13).contains(&per_hour(period)),
                "{period} s: {}",
                per_hour(period)
            );
        }
    }

    #[test]
    fn after_a_quiet_time_a_change_is_told_soon_again() {
        // It flaps for ten minutes, is quiet for twenty, and changes once more.
        let says = |second: u64| second > 1800 || (second < 600 && (second / 15) % 2 == 1);
        assert_eq!(told(3600, says).last(), Some(&(1811, true)));
    }

    #[test]
    fn the_state_that_stands_is_told_not_the_one_that_was_first() {
        let mut damping = Damping::new(seconds(10));
        damping.observe("a", seconds(0));
        assert_eq!(damping.tell(seconds(0)), Some("a"));
        damping.observe("b", seconds(1));
        damping.observe("c", seconds(5));
        assert_eq!(damping.due(), Some(seconds(11)));
        assert_eq!(damping.tell(seconds(11)), Some("c"));
        assert_eq!(damping.due(), None);
    }
}
