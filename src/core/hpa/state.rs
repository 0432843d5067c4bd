//! What the controller remembers of one HPA between its syncs.
//!
//! Neither list is a queue. A new entry takes the slot of one that no longer counts, the last such slot, so the
//! order is not that of time. An entry that counts no longer stays until its slot is needed.

use jiff::{SignedDuration, Timestamp};

use super::policy::Rules;

/// The controller's memory of one HPA. A controller that starts, or takes over as leader, remembers nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What the metrics proposed at earlier syncs, before limits. Empty if the controller has not seen the HPA
    /// yet; it then begins with the current replicas.
    pub recommendations: Vec<Recommendation>,
    /// The controller's own rescales towards more replicas, of an HPA with `behavior`.
    pub up_events: Vec<ScaleEvent>,
    /// The same towards fewer replicas.
    pub down_events: Vec<ScaleEvent>,
    /// The condition `ScaledToZero`, which the controller keeps in the HPA's status: True if it scaled to zero
    /// itself. `None` without the condition.
    pub scaled_to_zero: Option<bool>,
}

/// The replicas that the metrics proposed at one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// The proposal, before stabilization and limits.
    pub replicas: i32,
    /// The moment of the sync.
    pub at: Timestamp,
}

/// One rescale by the controller itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaleEvent {
    /// By how many replicas, in the direction of the list.
    pub change: i32,
    /// The moment of the sync.
    pub at: Timestamp,
    /// Whether its slot may be taken. The longest period of its own direction decides; a longer policy of the
    /// other direction goes on counting the event until the slot is taken.
    pub outdated: bool,
}

/// The moment that is `seconds` before `now`.
pub(super) fn cutoff(now: Timestamp, seconds: i32) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(seconds.into()))
        .unwrap_or(Timestamp::MIN)
}

impl State {
    /// Begins with the current replicas as the only recommendation (`recordInitialRecommendation`).
    pub(super) fn begin(&mut self, current: i32, now: Timestamp) {
        if self.recommendations.is_empty() {
            self.record(None, current, now);
        }
    }

    /// Records a recommendation in a slot whose entry counts no longer, or behind all others.
    pub(super) fn record(&mut self, slot: Option<usize>, replicas: i32, now: Timestamp) {
        let recommendation = Recommendation { replicas, at: now };
        match slot.and_then(|slot| self.recommendations.get_mut(slot)) {
            Some(old) => *old = recommendation,
            None => self.recommendations.push(recommendation),
        }
    }

    /// The replicas at the start of a policy's period, rebuilt from the controller's own rescales
    /// (`getReplicasChangePerPeriod`). An event that is as old as the period counts no longer. Example: 9
    /// replicas, of which 4 were added 20 s ago, were 5 at the start of a period of 30 s.
    pub(super) fn start_of_period(&self, current: i32, period: i32, now: Timestamp) -> i32 {
        let start = cutoff(now, period);
        let change = |events: &[ScaleEvent]| {
            let within = events.iter().filter(|event| event.at > start);
            within.fold(0_i32, |sum, event| sum.wrapping_add(event.change))
        };
        current
            .wrapping_sub(change(&self.up_events))
            .wrapping_add(change(&self.down_events))
    }

    /// Records a rescale (`storeScaleEvent`). `rules` are those of its direction.
    pub(super) fn record_rescale(&mut self, rules: &Rules, from: i32, to: i32, now: Timestamp) {
        let (events, change) = if to > from {
            (&mut self.up_events, to.wrapping_sub(from))
        } else {
            (&mut self.down_events, from.wrapping_sub(to))
        };
        let oldest = cutoff(now, rules.longest_period());
        let mut slot = None;
        for event in events.iter_mut() {
            event.outdated |= event.at < oldest;
            if event.outdated {
                slot = Some(event);
            }
        }
        let event = ScaleEvent {
            change,
            at: now,
            outdated: false,
        };
        match slot {
            Some(old) => *old = event,
            None => events.push(event),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpa::{
        Policy, Select,
        testing::{NOW, at},
    };

    fn rules(period: i32) -> Rules {
        Rules {
            window: 0,
            select: Select::Max,
            policies: vec![Policy::Pods(4, period)],
            tolerance: None,
        }
    }

    fn changes(events: &[ScaleEvent]) -> Vec<i32> {
        events.iter().map(|event| event.change).collect()
    }

    #[test]
    fn an_event_takes_the_last_slot_that_is_outdated_by_its_own_direction() {
        let mut state = State::default();
        for (to, second) in [(2, 0), (4, 10), (7, 20)] {
            state.record_rescale(&rules(60), to - 1, to, at(NOW + second));
        }
        // As old as the period is not older.
        state.record_rescale(&rules(60), 1, 9, at(NOW + 70));
        assert_eq!(
            changes(&state.up_events),
            [8, 1, 1],
            "only the first is older than 60 s"
        );
        state.record_rescale(&rules(60), 1, 10, at(NOW + 200));
        assert_eq!(changes(&state.up_events), [8, 1, 9], "the last of three");
        // What is outdated stays so under longer periods, until its slot is taken.
        state.record_rescale(&rules(1000), 1, 11, at(NOW + 201));
        assert_eq!(changes(&state.up_events), [8, 10, 9]);
    }

    #[test]
    fn a_longer_policy_of_the_other_direction_counts_an_event_until_its_slot_is_taken() {
        let mut state = State::default();
        state.record_rescale(&rules(15), 2, 6, at(NOW));
        let now = at(NOW + 20);
        assert_eq!(state.start_of_period(6, 60, now), 2);
        assert_eq!(state.start_of_period(6, 20, now), 6, "as old as the period");
        // The second rescale takes the slot, and the first one is forgotten for policies of 60 s too.
        state.record_rescale(&rules(15), 6, 7, now);
        assert_eq!(state.start_of_period(7, 60, now), 6);
        state.record_rescale(&rules(15), 7, 4, now);
        assert_eq!(state.start_of_period(4, 60, now), 6);
    }
}
