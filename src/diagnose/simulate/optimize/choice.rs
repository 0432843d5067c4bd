//! Chooses the settings that are recommended: the first half says which come into question and in what order, and the
//! second half judges them in that order until one passes.
//!
//! Invariant: at most [`MOST_JUDGED`] settings are judged, because among many some pass by chance. What is not
//! recommended is told with what was tried, and not as if nothing else could exist.

use std::fmt::Write as _;

use vas_core::replay::Outcome;

use super::{Figures, Goal, Judged, Point, front::Tried};

/// Most settings that the second half judges for a recommendation.
const MOST_JUDGED: usize = 20;
/// Settings that are judged at the same time.
const TOGETHER: usize = 4;

/// What a choice is made from.
pub(super) struct Choice<'a> {
    pub(super) goal: &'a Goal,
    /// What there is, on both halves.
    pub(super) now: &'a Judged,
    /// All settings that were replayed on the first half and scale up at all.
    pub(super) tried: &'a [Tried],
    /// What is short for a larger share of the time on the first half is not recommended.
    pub(super) most_short: f64,
    /// Figures of an outcome.
    pub(super) figures: &'a dyn Fn(Outcome) -> Figures,
    /// Judges settings on the second half, in their order.
    pub(super) judge: &'a dyn Fn(&[Tried]) -> Vec<Option<Point>>,
}

/// What was chosen; without settings, what there is stays.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) settings: Option<(Tried, Point)>,
    /// Why, as a sentence.
    pub(super) reason: String,
}

impl Choice<'_> {
    pub(super) fn make(&self) -> Chosen {
        let candidates = self.candidates();
        let mut judged: Vec<Point> = Vec::new();
        let best = candidates.get(..MOST_JUDGED).unwrap_or(&candidates);
        for some in best.chunks(TOGETHER) {
            for (tried, point) in some.iter().zip((self.judge)(some)) {
                let Some(point) = point else { continue };
                if self.passes(&point.figures) {
                    return Chosen {
                        reason: self.goal.why(&point.figures, self.now),
                        settings: Some((tried.clone(), point)),
                    };
                }
                judged.push(point);
            }
        }
        Chosen {
            settings: None,
            reason: if candidates.is_empty() {
                self.why_no_candidate()
            } else {
                self.why_none_passes(candidates.len(), &judged)
            },
        }
    }

    /// Whether what there is keeps the bound on both halves.
    fn kept(&self) -> bool {
        self.goal.keeps(self.now, self.now)
    }

    /// Settings that keep the bound on the first half and, if what there is keeps it too, are better there. The best
    /// first; of several with the same figures the one that changes least.
    fn candidates(&self) -> Vec<Tried> {
        let kept = self.kept();
        let mut found: Vec<(&Tried, (f64, f64))> = self
            .tried
            .iter()
            .filter(|one| one.distance > 0 && one.outcome.short() <= self.most_short)
            .map(|one| (one, (self.figures)(one.outcome)))
            .filter(|(_, figures)| self.goal.fits(figures, &self.now.fitted))
            .filter(|(_, figures)| !kept || self.goal.is_better(figures, &self.now.fitted))
            .map(|(one, figures)| (one, self.goal.order(&figures)))
            .collect();
        found.sort_by(|(one, first), (other, second)| {
            let figures = first.0.total_cmp(&second.0).then(first.1.total_cmp(&second.1));
            figures
                .then(one.distance.cmp(&other.distance))
                .then_with(|| one.place.cmp(&other.place))
        });
        found.dedup_by(|(one, _), (other, _)| one.outcome == other.outcome);
        found.into_iter().map(|(one, _)| one.clone()).collect()
    }

    fn passes(&self, figures: &Judged) -> bool {
        self.goal.keeps(figures, self.now)
            && (!self.kept() || self.goal.is_better(&figures.judged, &self.now.judged))
    }

    /// Why nothing came into question on the first half.
    fn why_no_candidate(&self) -> String {
        if self.kept() {
            return format!(
                "No settings that were tried are within the bound and {} on the first half.",
                self.goal.better_in_words()
            );
        }
        let within = |one: &&Tried| one.outcome.short() <= self.most_short;
        let figure = |one: &Tried| self.goal.bounded(&(self.figures)(one.outcome));
        let least = |all: &mut dyn Iterator<Item = &Tried>| all.map(figure).fold(f64::INFINITY, f64::min);
        let of_kept = least(&mut self.tried.iter().filter(within));
        if of_kept.is_infinite() {
            return "No settings that were tried scale up without being short for far too long.".to_owned();
        }
        let mut words = format!(
            "No settings that were tried keep the bound on the first half; the least there is {}.",
            self.goal.shown(of_kept)
        );
        let cheaper = self
            .tried
            .iter()
            .filter(|one| !within(one) && figure(one) < of_kept);
        let cheaper = cheaper.count();
        if cheaper > 0 {
            // Writing to a String cannot fail.
            let _ = write!(
                words,
                " Settings with less ({cheaper}) were short for more than {:.3} % of the time, and are not recommended.",
                self.most_short * 100.0
            );
        }
        words
    }

    /// Why none of the settings that came into question passed on the second half.
    fn why_none_passes(&self, candidates: usize, judged: &[Point]) -> String {
        let first = format!(
            "The second half judged {} of {candidates} settings that are within the bound",
            judged.len()
        );
        if self.kept() {
            let better = self.goal.better_in_words();
            return format!(
                "{first} and {better} on the first half, the best first: none of them is within the bound and {better} there too."
            );
        }
        let least = judged
            .iter()
            .map(|point| self.goal.bounded(&point.figures.judged));
        format!(
            "{first} on the first half, the best first: none of them is within it there too; the least there is {}.",
            self.goal.shown(least.fold(f64::INFINITY, f64::min))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURRENT: [(f64, f64); 2] = [(0.02, 100.0), (0.02, 100.0)];

    fn figures(short: f64, cost: f64) -> Figures {
        let outcome = Outcome {
            seconds: 1000.0,
            offered: 1000.0,
            short_seconds: short * 1000.0,
            replica_seconds: cost * 1000.0,
            ..Outcome::default()
        };
        Figures { outcome, cost }
    }

    fn judged([fitted, judged]: [(f64, f64); 2]) -> Judged {
        Judged {
            fitted: figures(fitted.0, fitted.1),
            judged: figures(judged.0, judged.1),
            at_half: figures(judged.0 / 2.0, judged.1),
            at_twice: figures(judged.0 * 2.0, judged.1),
        }
    }

    /// Chooses from settings with their shortage and cost on the first half and on the second one. The settings' number is
    /// their place.
    fn choose(goal: Goal, now: [(f64, f64); 2], all: &[[(f64, f64); 2]]) -> (Option<usize>, String) {
        let all: Vec<Judged> = all.iter().map(|one| judged(*one)).collect();
        choose_of(goal, &judged(now), &all)
    }

    fn choose_of(goal: Goal, now: &Judged, all: &[Judged]) -> (Option<usize>, String) {
        let tried: Vec<Tried> = all
            .iter()
            .enumerate()
            .map(|(number, one)| Tried {
                place: vec![number],
                distance: 1,
                outcome: one.fitted.outcome,
            })
            .collect();
        let judge = |some: &[Tried]| {
            let point = |one: &Tried| {
                Some(Point {
                    values: Vec::new(),
                    figures: *all.get(one.place[0])?,
                })
            };
            some.iter().map(point).collect()
        };
        let found = Choice {
            goal: &goal,
            now,
            tried: &tried,
            most_short: 0.05,
            figures: &|outcome| Figures {
                outcome,
                cost: outcome.mean_replicas(),
            },
            judge: &judge,
        }
        .make();
        (found.settings.map(|(tried, _)| tried.place[0]), found.reason)
    }

    #[test]
    fn the_cheapest_that_keeps_the_bound_on_both_halves_is_chosen() {
        let all = [
            [(0.02, 70.0), (0.001, 70.0)],
            [(0.008, 80.0), (0.011, 80.0)],
            [(0.008, 120.0), (0.008, 120.0)],
            [(0.0, 150.0), (0.0, 150.0)],
        ];
        let (point, reason) = choose(Goal::MaxShort(0.01), CURRENT, &all);
        assert_eq!(point, Some(2));
        for words in [
            "short for 0.800 % of the time instead of 2.000 %",
            "costs +20.0 %.",
        ] {
            assert!(reason.contains(words), "{reason}");
        }
        let twice = "With twice the time to Ready it would be short for 1.600 % instead of 4.000 %, which is above the bound.";
        assert!(reason.contains(twice), "{reason}");
        assert_eq!(choose(Goal::MaxShort(0.05), CURRENT, &all).0, Some(0));
        assert_eq!(choose(Goal::NoWorse, CURRENT, &all).0, Some(0));
        assert_eq!(choose(Goal::MaxCost(130.0), CURRENT, &all).0, Some(1));
        let (none, reason) = choose(Goal::MaxCost(60.0), CURRENT, &all);
        assert_eq!(none, None);
        assert!(
            reason.ends_with("on the first half; the least there is 70.00."),
            "{reason}"
        );
    }

    #[test]
    fn what_is_better_only_where_it_was_found_is_not_recommended() {
        let now = [(0.0, 100.0), (0.0, 100.0)];
        let all = [[(0.0, 80.0), (0.0, 99.5)], [(0.0, 60.0), (0.001, 60.0)]];
        for goal in [Goal::NoWorse, Goal::MaxShort(0.0)] {
            let (point, reason) = choose(goal, now, &all);
            assert_eq!(point, None);
            let words = "The second half judged 2 of 2 settings that are within the bound and cost at least 1 % less on the first half";
            assert!(reason.starts_with(words), "{reason}");
        }
    }

    #[test]
    fn settings_that_others_beat_on_the_first_half_come_into_question_too() {
        let now = [(0.0, 100.0), (0.0, 100.0)];
        // On the first half the second one is beaten by the first one, which is short on the second half.
        let all = [[(0.0, 60.0), (0.001, 60.0)], [(0.0, 70.0), (0.0, 70.0)]];
        assert_eq!(choose(Goal::NoWorse, now, &all).0, Some(1));
    }

    #[test]
    fn at_most_20_are_judged_and_that_is_said() {
        let now = [(0.0, 100.0), (0.0, 100.0)];
        let mut all: Vec<[(f64, f64); 2]> = (0..25_u32)
            .map(|number| [(0.0, 50.0 + f64::from(number)), (0.1, 50.0)])
            .collect();
        all[19][1] = (0.0, 50.0);
        assert_eq!(choose(Goal::NoWorse, now, &all).0, Some(19));
        all.swap(19, 20);
        all[19][0].1 = 69.0;
        all[20][0].1 = 70.0;
        let (point, reason) = choose(Goal::NoWorse, now, &all);
        assert_eq!(point, None);
        assert!(
            reason.starts_with("The second half judged 20 of 25 settings"),
            "{reason}"
        );
    }

    #[test]
    fn cheaper_settings_that_are_short_for_too_long_are_named() {
        let all = [[(0.02, 70.0), (0.02, 70.0)], [(0.5, 20.0), (0.5, 20.0)]];
        let (point, reason) = choose(Goal::MaxCost(50.0), CURRENT, &all);
        assert_eq!(point, None);
        let words =
            "the least there is 70.00. Settings with less (1) were short for more than 5.000 % of the time";
        assert!(reason.contains(words), "{reason}");
    }

    #[test]
    fn no_worse_holds_for_violations_and_refused_requests_too() {
        let now = judged([(0.0, 100.0), (0.0, 100.0)]);
        let one = |violations: f64, refused: f64| {
            let mut one = judged([(0.0, 80.0), (0.0, 80.0)]);
            one.judged.outcome.violations = violations;
            one.judged.outcome.refused = refused;
            one
        };
        assert_eq!(choose_of(Goal::NoWorse, &now, &[one(0.0, 0.0)]).0, Some(0));
        for worse in [one(10.0, 0.0), one(0.0, 10.0)] {
            assert_eq!(choose_of(Goal::NoWorse, &now, &[worse]).0, None);
            let (point, reason) = choose_of(Goal::MaxShort(0.01), &now, &[worse]);
            assert_eq!(point, Some(0));
            assert!(reason.contains("1.000 % of the"), "{reason}");
        }
    }

    #[test]
    fn a_longer_shortage_with_twice_the_time_to_ready_is_told_for_every_goal() {
        let now = judged([(0.001, 100.0), (0.001, 100.0)]);
        let mut one = judged([(0.001, 80.0), (0.0005, 80.0)]);
        one.at_twice = figures(0.01, 80.0);
        for goal in [Goal::NoWorse, Goal::MaxShort(0.02)] {
            let (_, reason) = choose_of(goal, &now, &[one]);
            let words = "With twice the time to Ready it would be short for 1.000 % instead of 0.200 %.";
            assert!(reason.contains(words), "{reason}");
        }
        one.at_twice = figures(0.002, 80.0);
        assert!(!choose_of(Goal::NoWorse, &now, &[one]).1.contains("twice"));
    }
}
