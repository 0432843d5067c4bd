//! Damping of a state that concerns every resource: a source that flaps does not make all resources reconcile
//! each time.
//!
//! ```text
//! second     0     100   105   400   410    420   430
//! source     up    down  up    down         up
//! reported   up                      down         up
//! ```
//!
//! The first state is reported at once. A change is reported when the source has differed for the settle time
//! from the state that was reported last (10 s above, so that the blip at 100 is dropped). Changes that
//! follow each other closely are reported at least 10 s, 20 s, 40 s ... apart, at most 10 min. After 10 min
//! without any change of the source the gap is 10 s again.

use std::time::Duration;

/// Shortest time between the first two reported changes.
const FIRST_GAP: Duration = Duration::from_secs(10);
/// Upper limit of the gap between two reported changes, and the quiet time after which the gap is
/// [`FIRST_GAP`] again.
const LONGEST_GAP: Duration = Duration::from_secs(600);

/// The state of a source, and which state was reported last.
#[derive(Debug)]
pub struct Damping<T> {
    settle: Duration,
    reported: Option<T>,
    /// The state that is not reported yet, and since when the source differs from the reported state.
    news: Option<(T, Duration)>,
    /// When the source last changed.
    changed: Duration,
    /// The earliest time of the next report.
    not_before: Duration,
    gap: Duration,
}

impl<T: Clone + PartialEq> Damping<T> {
    /// A damping that has seen no state. A change must last for `settle` before it is reported.
    pub fn new(settle: Duration) -> Self {
        Self {
            settle,
            reported: None,
            news: None,
            changed: Duration::ZERO,
            not_before: Duration::ZERO,
            gap: FIRST_GAP,
        }
    }

    /// Takes in that the source is in `state` at the time `now`.
    pub fn observe(&mut self, state: T, now: Duration) {
        let before = self
            .news
            .as_ref()
            .map(|(state, _)| state)
            .or(self.reported.as_ref());
        if before == Some(&state) {
            return;
        }
        if now.saturating_sub(self.changed) > LONGEST_GAP {
            self.gap = FIRST_GAP;
        }
        self.changed = now;
        // `since` stays when one unreported state replaces another: a source that never agrees with what was
        // reported is reported even if it changes all the time. A source that is back at the reported state
        // has no news.
        let since = self.news.as_ref().map_or(now, |(_, since)| *since);
        self.news = (self.reported.as_ref() != Some(&state)).then_some((state, since));
    }

    /// When the pending state is due to be reported; `None` if there is none.
    pub fn due(&self) -> Option<Duration> {
        let (_, since) = self.news.as_ref()?;
        Some(match self.reported {
            None => *since,
            Some(_) => (*since + self.settle).max(self.not_before),
        })
    }

    /// Returns the pending state if it is due, and takes it as reported.
    pub fn report(&mut self, now: Duration) -> Option<T> {
        if self.due()? > now {
            return None;
        }
        let (state, _) = self.news.take()?;
        // The very first report does not count as a change, so that it delays nothing.
        if self.reported.replace(state.clone()).is_some() {
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

    /// The changes that are reported, each with its second, when the source is in `says(second)`.
    fn told(until: u64, says: impl Fn(u64) -> bool) -> Vec<(u64, bool)> {
        let mut damping = Damping::new(seconds(10));
        (0..until)
            .filter_map(|now| {
                damping.observe(says(now), seconds(now));
                damping.report(seconds(now)).map(|state| (now, state))
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
        // The source flaps for ten minutes, is quiet for twenty, and changes once more.
        let says = |second: u64| second > 1800 || (second < 600 && (second / 15) % 2 == 1);
        assert_eq!(told(3600, says).last(), Some(&(1811, true)));
    }

    #[test]
    fn the_state_that_stands_is_told_not_the_one_that_was_first() {
        let mut damping = Damping::new(seconds(10));
        damping.observe("a", seconds(0));
        assert_eq!(damping.report(seconds(0)), Some("a"));
        damping.observe("b", seconds(1));
        damping.observe("c", seconds(5));
        assert_eq!(damping.due(), Some(seconds(11)));
        assert_eq!(damping.report(seconds(11)), Some("c"));
        assert_eq!(damping.due(), None);
    }
}
