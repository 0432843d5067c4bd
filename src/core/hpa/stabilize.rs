//! Stabilization: earlier recommendations hold back the present one.

use jiff::Timestamp;

use super::{
    conditions::Reason,
    spec::Behavior,
    state::{State, cutoff},
};

/// A recommendation after stabilization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stabilized {
    pub(super) replicas: i32,
    /// The reason of the condition `AbleToScale`.
    pub(super) reason: Reason,
}

/// Without `behavior` the highest recommendation of the window counts, also where the present one asks for more
/// replicas than there are (`stabilizeRecommendation`). One that is exactly as old as the window still counts.
/// Example: 5 replicas, a proposal of 6, and 9 proposed four minutes ago give 9.
pub(super) fn without_behavior(state: &mut State, proposal: i32, window: i32, now: Timestamp) -> Stabilized {
    let oldest = cutoff(now, window);
    let (mut highest, mut slot) = (proposal, None);
    for (position, recommendation) in state.recommendations.iter().enumerate() {
        if recommendation.at < oldest {
            slot = Some(position);
        } else {
            highest = highest.max(recommendation.replicas);
        }
    }
    state.record(slot, proposal, now);
    Stabilized {
        replicas: highest,
        reason: if highest == proposal {
            Reason::ReadyForNewScale
        } else {
            Reason::ScaleDownStabilized
        },
    }
}

/// With `behavior` the current replicas stay where they are between the lowest recommendation of the window of
/// `scaleUp` and the highest of that of `scaleDown` (`stabilizeRecommendationWithBehaviors`). One that is exactly
/// as old as a window no longer counts. Example: 5 replicas, a proposal of 2, and 4 proposed a minute ago give 4
/// with a window of 300 s for scaling down.
pub(super) fn with_behavior(
    state: &mut State,
    behavior: &Behavior,
    current: i32,
    proposal: i32,
    now: Timestamp,
) -> Stabilized {
    let up = cutoff(now, behavior.up.window);
    let down = cutoff(now, behavior.down.window);
    let (mut lowest, mut highest, mut slot) = (proposal, proposal, None);
    for (position, recommendation) in state.recommendations.iter().enumerate() {
        if recommendation.at > up {
            lowest = lowest.min(recommendation.replicas);
        }
        if recommendation.at > down {
            highest = highest.max(recommendation.replicas);
        }
        if recommendation.at < up && recommendation.at < down {
            slot = Some(position);
        }
    }
    state.record(slot, proposal, now);
    let replicas = current.max(lowest).min(highest);
    Stabilized {
        replicas,
        reason: if replicas == proposal {
            Reason::ReadyForNewScale
        } else if proposal >= current {
            Reason::ScaleUpStabilized
        } else {
            Reason::ScaleDownStabilized
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpa::{
        state::Recommendation,
        testing::{NOW, at, hpa},
    };

    /// A state with these recommendations and their ages in seconds.
    fn state(recommendations: &[(i32, i64)]) -> State {
        let recommendation = |(replicas, age): &(i32, i64)| Recommendation {
            replicas: *replicas,
            at: at(NOW - age),
        };
        State {
            recommendations: recommendations.iter().map(recommendation).collect(),
            ..State::default()
        }
    }

    fn replicas(state: &State) -> Vec<i32> {
        state.recommendations.iter().map(|one| one.replicas).collect()
    }

    #[test]
    fn without_behavior_the_highest_counts_in_both_directions_and_an_age_of_the_window_too() {
        let of = |proposal, age| without_behavior(&mut state(&[(9, age)]), proposal, 300, at(NOW)).replicas;
        assert_eq!((of(2, 300), of(2, 301)), (9, 2));
        assert_eq!(of(6, 240), 9);
        assert_eq!(of(12, 240), 12);
    }

    #[test]
    fn with_behavior_an_age_of_the_window_counts_no_longer() {
        let behavior = hpa("behavior: {scaleUp: {stabilizationWindowSeconds: 60}}")
            .behavior
            .unwrap();
        let of = |recommendation, proposal, age| {
            let stable = with_behavior(
                &mut state(&[(recommendation, age)]),
                &behavior,
                5,
                proposal,
                at(NOW),
            );
            (stable.replicas, stable.reason)
        };
        assert_eq!(of(4, 2, 299), (4, Reason::ScaleDownStabilized));
        assert_eq!(of(4, 2, 300), (2, Reason::ReadyForNewScale));
        assert_eq!(of(9, 2, 299), (5, Reason::ScaleDownStabilized));
        assert_eq!(of(6, 9, 59), (6, Reason::ScaleUpStabilized));
        assert_eq!(of(6, 9, 60), (9, Reason::ReadyForNewScale));
        assert_eq!(of(9, 6, 59), (6, Reason::ReadyForNewScale));
    }

    #[test]
    fn the_proposal_itself_is_recorded_in_the_last_slot_that_is_too_old_for_both_windows() {
        let mut old = state(&[(1, 400), (2, 10), (3, 350), (4, 20)]);
        let behavior = hpa("behavior: {scaleDown: {}}").behavior.unwrap();
        assert_eq!(with_behavior(&mut old, &behavior, 9, 7, at(NOW)).replicas, 7);
        assert_eq!(replicas(&old), [1, 2, 7, 4]);
        let mut old = state(&[(1, 400), (2, 10), (3, 300)]);
        without_behavior(&mut old, 7, 300, at(NOW));
        without_behavior(&mut old, 8, 300, at(NOW));
        assert_eq!(replicas(&old), [7, 2, 3, 8]);
    }
}
