//! The settings that no other one beats in both shortage and cost: a Pareto front.

use vas_core::replay::Outcome;

use super::space::Place;

/// Settings that were replayed over the first half.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tried {
    pub(super) place: Place,
    /// Steps from what is written.
    pub(super) distance: usize,
    pub(super) outcome: Outcome,
}

/// Those that no other one beats: each has a shorter shortage than all that are cheaper. The cheapest first. Of several
/// with the same figures it is the one that changes least. Those that are short for more than `most_short` of the time
/// are left out: nobody asks what a service costs that is away.
pub(super) fn front(all: &[Tried], most_short: f64) -> Vec<Tried> {
    let mut sorted: Vec<&Tried> = all
        .iter()
        .filter(|one| one.outcome.short() <= most_short)
        .collect();
    sorted.sort_by(|one, other| {
        let cost = one
            .outcome
            .mean_replicas()
            .total_cmp(&other.outcome.mean_replicas());
        let short = one.outcome.short().total_cmp(&other.outcome.short());
        let least = one.distance.cmp(&other.distance);
        cost.then(short)
            .then(least)
            .then_with(|| one.place.cmp(&other.place))
    });
    let mut best = f64::INFINITY;
    sorted.retain(|one| {
        let better = one.outcome.short() < best;
        if better {
            best = one.outcome.short();
        }
        better
    });
    sorted.into_iter().cloned().collect()
}

/// How much room each point of a front has: the way from the one before to the one after, as a share of the whole front
/// in both figures. The ends have all of it. (Crowding distance of NSGA-II.)
pub(super) fn room(front: &[Tried]) -> Vec<f64> {
    let figures: Vec<[f64; 2]> = front
        .iter()
        .map(|one| [one.outcome.mean_replicas(), one.outcome.short()])
        .collect();
    let way = |from: Option<&[f64; 2]>, to: Option<&[f64; 2]>, figure: usize| {
        let value = |one: Option<&[f64; 2]>| one.and_then(|one| one.get(figure)).copied();
        Some((value(to)? - value(from)?).abs())
    };
    (0..figures.len())
        .map(|position| {
            let before = position.checked_sub(1).and_then(|before| figures.get(before));
            let after = figures.get(position + 1);
            let share = |figure| {
                let whole = way(figures.first(), figures.last(), figure).filter(|whole| *whole > 0.0)?;
                Some(way(before, after, figure)? / whole)
            };
            share(0)
                .zip(share(1))
                .map_or(f64::INFINITY, |(cost, short)| cost + short)
        })
        .collect()
}

/// At most so many points of a front, spread over it. Those with the least room go first.
pub(super) fn spread(mut front: Vec<Tried>, most: usize) -> Vec<Tried> {
    while front.len() > most {
        let rooms = room(&front);
        let least = rooms
            .iter()
            .enumerate()
            .min_by(|(_, one), (_, other)| one.total_cmp(other));
        let Some((position, _)) = least else { break };
        front.remove(position);
    }
    front
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tried(cost: f64, short: f64, distance: usize) -> Tried {
        Tried {
            place: vec![distance],
            distance,
            outcome: Outcome {
                seconds: 100.0,
                short_seconds: short,
                replica_seconds: cost * 100.0,
                ..Outcome::default()
            },
        }
    }

    fn figures(tried: &Tried) -> (f64, f64) {
        (tried.outcome.mean_replicas(), tried.outcome.short())
    }

    #[test]
    fn of_the_same_figures_the_one_that_changes_least_stays_and_what_is_short_for_too_long_is_left_out() {
        let all = [
            tried(3.0, 1.0, 4),
            tried(3.0, 1.0, 1),
            tried(4.0, 1.0, 0),
            tried(2.0, 40.0, 1),
            tried(5.0, 0.0, 3),
        ];
        let found: Vec<usize> = front(&all, 0.05).iter().map(|one| one.distance).collect();
        assert_eq!(found, [1, 3]);
    }

    proptest! {
        #[test]
        fn no_point_is_beaten_and_every_other_one_is(
            all in prop::collection::vec((0..20_u32, 0..20_u32, 0..5_usize), 0..60)
        ) {
            let all: Vec<Tried> = all
                .iter()
                .map(|&(cost, short, steps)| tried(f64::from(cost), f64::from(short), steps))
                .collect();
            let found = front(&all, 1.0);
            for one in &all {
                let (cost, short) = figures(one);
                let beaten = found.iter().map(figures).any(|other| other != (cost, short) && other.0 <= cost && other.1 <= short);
                let there = found.iter().any(|other| figures(other) == (cost, short));
                prop_assert!(beaten != there, "{one:?}");
            }
            let few = spread(found.clone(), 4);
            prop_assert!(few.len() == found.len().min(4));
            prop_assert!(few.iter().all(|one| found.contains(one)));
            if few.len() > 1 {
                prop_assert_eq!(few.first(), found.first());
                prop_assert_eq!(few.last(), found.last());
            }
        }
    }
}
