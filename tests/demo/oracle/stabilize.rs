//! Stabilization: earlier proposals that still count.

use super::{Between, Moment, hpa::Direction};

/// The raw proposal of a sync, before any limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Recommendation {
    /// Moment of the sync.
    pub at: Moment,
    /// The replicas that were proposed, as a range.
    pub proposed: Between,
    /// Whether the proposal was surely made: a failed sync remembers nothing.
    pub certain: bool,
}

/// The current count, moved into the range of recent proposals. The lowest proposal of the scale-up window is
/// a lower bound, and the highest one of the scale-down window an upper bound. `blur` is how exactly ages are
/// known, in seconds.
pub(super) fn stabilize(
    history: &[Recommendation],
    (up, down): (&Direction, &Direction),
    current: i32,
    desired: Between,
    now: Moment,
    blur: Moment,
) -> Between {
    let (mut floor, mut ceiling) = (desired, desired);
    for recommendation in history {
        let age = now - recommendation.at;
        match membership(recommendation, age, up.window, blur) {
            Membership::Inside => {
                floor.low = floor.low.min(recommendation.proposed.low);
                floor.high = floor.high.min(recommendation.proposed.high);
            }
            Membership::Unknown => floor.low = floor.low.min(recommendation.proposed.low),
            Membership::Outside => {}
        }
        match membership(recommendation, age, down.window, blur) {
            Membership::Inside => {
                ceiling.low = ceiling.low.max(recommendation.proposed.low);
                ceiling.high = ceiling.high.max(recommendation.proposed.high);
            }
            Membership::Unknown => ceiling.high = ceiling.high.max(recommendation.proposed.high),
            Membership::Outside => {}
        }
    }
    Between {
        low: current.max(floor.low).min(ceiling.low),
        high: current.max(floor.high).min(ceiling.high),
    }
}

enum Membership {
    Inside,
    Unknown,
    Outside,
}

/// Whether a proposal is in the window. One that is exactly as old as the window is outside.
fn membership(recommendation: &Recommendation, age: Moment, window: Moment, blur: Moment) -> Membership {
    if window <= 0.0 || age >= window + blur {
        Membership::Outside
    } else if recommendation.certain && age < window - blur {
        Membership::Inside
    } else {
        Membership::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Select;

    fn windows(up: Moment, down: Moment) -> (Direction, Direction) {
        let direction = |window| Direction {
            window,
            select: Select::Max,
            policies: Vec::new(),
            tolerance: None,
        };
        (direction(up), direction(down))
    }

    fn history(points: &[(Moment, i32)]) -> Vec<Recommendation> {
        points
            .iter()
            .map(|(at, proposed)| Recommendation {
                at: *at,
                proposed: Between::exactly(*proposed),
                certain: true,
            })
            .collect()
    }

    fn stable(points: &[(Moment, i32)], up: Moment, down: Moment, current: i32, desired: i32) -> Between {
        let (up, down) = windows(up, down);
        stabilize(
            &history(points),
            (&up, &down),
            current,
            Between::exactly(desired),
            100.0,
            0.0,
        )
    }

    #[test]
    fn the_highest_recent_proposal_holds_the_count_up() {
        let recent = [(85.0, 9), (90.0, 5), (95.0, 2)];
        assert_eq!(stable(&recent, 0.0, 20.0, 9, 2), Between::exactly(9));
        assert_eq!(stable(&recent, 0.0, 12.0, 9, 2), Between::exactly(5));
    }

    #[test]
    fn raw_proposals_are_remembered_even_beyond_the_maximum() {
        assert_eq!(stable(&[(95.0, 500)], 0.0, 300.0, 20, 2), Between::exactly(20));
    }

    #[test]
    fn a_proposal_as_old_as_the_window_no_longer_counts() {
        assert_eq!(stable(&[(90.0, 9)], 0.0, 10.0, 9, 2), Between::exactly(2));
    }

    #[test]
    fn a_scale_up_window_waits_for_the_lowest_proposal() {
        assert_eq!(
            stable(&[(90.0, 2), (95.0, 8)], 30.0, 0.0, 3, 9),
            Between::exactly(3)
        );
        assert_eq!(
            stable(&[(90.0, 6), (95.0, 8)], 30.0, 0.0, 3, 9),
            Between::exactly(6)
        );
    }

    #[test]
    fn a_failed_sync_may_or_may_not_hold_the_count() {
        let (up, down) = windows(0.0, 20.0);
        let maybe = Recommendation {
            at: 95.0,
            proposed: Between::exactly(9),
            certain: false,
        };
        let stable = stabilize(&[maybe], (&up, &down), 9, Between::exactly(2), 100.0, 0.0);
        assert_eq!(stable, Between { low: 2, high: 9 });
    }

    #[test]
    fn at_the_edge_of_the_window_both_are_possible() {
        let (up, down) = windows(0.0, 10.0);
        let stable = stabilize(
            &history(&[(89.9, 9)]),
            (&up, &down),
            9,
            Between::exactly(2),
            100.0,
            0.5,
        );
        assert_eq!(stable, Between { low: 2, high: 9 });
    }
}
