//! What is wanted, and the one point that is recommended for it.
//!
//! A point is recommended only if it keeps the bound on both halves, and is better than what there is on the half that
//! it was not found on. Of several, the first half chooses.

use std::{fmt::Write as _, str::FromStr};

use super::{Judged, Point};

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// The least cost without a longer shortage than there is.
    NoWorse,
    /// The least cost with at most this share of the time short, from 0 to 1.
    MaxShort(f64),
    /// The shortest shortage at this cost for a month at most; without a price in replica-hours.
    MaxCost(f64),
}

/// A change of the cost by less than this share is not worth a change of the settings.
const WORTH: f64 = 0.01;

/// Why a text is no bound on the shortage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a share of the time such as 0.1%, or minutes a day such as 2m/day; at most all of it")]
pub struct GoalError;

/// A bound on the time short: `0.1%`, or minutes of a day: `2m/day`.
impl FromStr for Goal {
    type Err = GoalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const DAY: f64 = 1440.0;
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| GoalError);
        let share = match (text.strip_suffix('%'), text.strip_suffix("m/day")) {
            (Some(percent), _) => number(percent)? / 100.0,
            (None, Some(minutes)) => number(minutes)? / DAY,
            (None, None) => return Err(GoalError),
        };
        if (0.0..=1.0).contains(&share) {
            Ok(Self::MaxShort(share))
        } else {
            Err(GoalError)
        }
    }
}

/// What follows from a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// Position of the recommended point on the front; `None` to keep what there is.
    pub point: Option<usize>,
    /// Why, as a sentence.
    pub reason: String,
}

impl Goal {
    /// The shortage that is allowed, where one is named.
    pub(super) fn most_short(&self) -> Option<f64> {
        match self {
            Self::MaxShort(share) => Some(*share),
            Self::NoWorse | Self::MaxCost(_) => None,
        }
    }

    /// Chooses a point of the front.
    pub(super) fn choose(&self, current: &Point, front: &[Point]) -> Recommendation {
        let now = &current.figures;
        let kept = self.keeps(now, now);
        let fitting: Vec<(usize, &Judged)> = front
            .iter()
            .map(|point| &point.figures)
            .enumerate()
            .filter(|(_, figures)| self.keeps(figures, now))
            .collect();
        let better = fitting
            .iter()
            .filter(|(_, figures)| !kept || self.is_better(figures, now));
        let order = |figures: &Judged| {
            let (cost, short) = (figures.fitted.cost, figures.fitted.outcome.short());
            match self {
                Self::NoWorse | Self::MaxShort(_) => (cost, short),
                Self::MaxCost(_) => (short, cost),
            }
        };
        let chosen = better.min_by(|(_, one), (_, other)| {
            let (one, other) = (order(one), order(other));
            one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1))
        });
        let Some(&(position, figures)) = chosen else {
            return Recommendation {
                point: None,
                reason: self.why_keep(kept, now, front),
            };
        };
        Recommendation {
            point: Some(position),
            reason: self.why(figures, now),
        }
    }

    /// Whether figures are within the bound on both halves.
    fn keeps(&self, figures: &Judged, now: &Judged) -> bool {
        let halves = [(&figures.fitted, &now.fitted), (&figures.judged, &now.judged)];
        halves.into_iter().all(|(one, now)| match self {
            Self::NoWorse => one.outcome.short() <= now.outcome.short(),
            Self::MaxShort(share) => one.outcome.short() <= *share,
            Self::MaxCost(most) => one.cost <= *most,
        })
    }

    /// Whether figures are better than those of what there is, on the second half.
    fn is_better(&self, figures: &Judged, now: &Judged) -> bool {
        let (one, now) = (&figures.judged, &now.judged);
        let clearly = |one: f64, now: f64| one < now * (1.0 - WORTH);
        match self {
            Self::NoWorse | Self::MaxShort(_) => clearly(one.cost, now.cost),
            Self::MaxCost(_) => clearly(one.outcome.short(), now.outcome.short()),
        }
    }

    fn why(&self, figures: &Judged, now: &Judged) -> String {
        let percent = |share: f64| format!("{:.3} %", share * 100.0);
        let (one, now) = (&figures.judged, &now.judged);
        let cost = (one.cost / now.cost - 1.0) * 100.0;
        let mut words = format!(
            "On the half that it was not found on it is short for {} of the time instead of {}, and costs {:+.1} %.",
            percent(one.outcome.short()),
            percent(now.outcome.short()),
            cost
        );
        if let Self::MaxShort(share) = self
            && figures.at_twice.outcome.short() > *share
        {
            // Writing to a String cannot fail.
            let _ = write!(
                words,
                " With twice the time to Ready it would be short for {}, which is above the bound.",
                percent(figures.at_twice.outcome.short())
            );
        }
        words
    }

    /// Why nothing is recommended. `kept` is whether what there is keeps the bound; if not, no point does.
    fn why_keep(&self, kept: bool, now: &Judged, front: &[Point]) -> String {
        if kept {
            return match self {
                Self::NoWorse | Self::MaxShort(_) => {
                    "No settings within the bound cost at least 1 % less on both halves.".to_owned()
                }
                Self::MaxCost(_) => {
                    "No settings within the bound are short for less time on both halves.".to_owned()
                }
            };
        }
        let all = front.iter().map(|point| &point.figures).chain([now]);
        match self {
            Self::NoWorse => String::new(),
            Self::MaxShort(_) => {
                let worse = |one: &Judged| one.fitted.outcome.short().max(one.judged.outcome.short());
                let least = all.map(worse).fold(f64::INFINITY, f64::min);
                format!(
                    "No settings that were tried keep the bound on both halves; the least is {:.3} % of the time.",
                    least * 100.0
                )
            }
            Self::MaxCost(_) => {
                let worse = |one: &Judged| one.fitted.cost.max(one.judged.cost);
                let least = all.map(worse).fold(f64::INFINITY, f64::min);
                format!("No settings that were tried keep the bound on both halves; the least is {least:.2}.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use vas_core::replay::Outcome;

    use super::*;
    use crate::simulate::optimize::Figures;

    fn figures(short: f64, cost: f64) -> Figures {
        let outcome = Outcome {
            seconds: 1000.0,
            short_seconds: short * 1000.0,
            ..Outcome::default()
        };
        Figures { outcome, cost }
    }

    /// A point with its shortage and cost on the first half and on the second one.
    fn point(fitted: (f64, f64), judged: (f64, f64)) -> Point {
        Point {
            values: Vec::new(),
            figures: Judged {
                fitted: figures(fitted.0, fitted.1),
                judged: figures(judged.0, judged.1),
                at_half: figures(judged.0 / 2.0, judged.1),
                at_twice: figures(judged.0 * 2.0, judged.1),
            },
        }
    }

    #[test]
    fn a_bound_is_a_share_or_minutes_a_day() {
        assert_eq!("0.1%".parse(), Ok(Goal::MaxShort(0.001)));
        assert_eq!("0 %".parse(), Ok(Goal::MaxShort(0.0)));
        assert_eq!("14.4m/day".parse(), Ok(Goal::MaxShort(0.01)));
        for wrong in ["0.1", "2m", "-1%", "101%", "1441m/day", "NaN%", "", "%"] {
            assert_eq!(wrong.parse::<Goal>(), Err(GoalError), "{wrong}");
        }
    }

    #[test]
    fn the_cheapest_that_keeps_the_bound_on_both_halves_is_chosen() {
        let current = point((0.02, 100.0), (0.02, 100.0));
        let front = [
            point((0.02, 70.0), (0.001, 70.0)),
            point((0.008, 80.0), (0.011, 80.0)),
            point((0.008, 120.0), (0.008, 120.0)),
            point((0.0, 150.0), (0.0, 150.0)),
        ];
        let found = Goal::MaxShort(0.01).choose(&current, &front);
        assert_eq!(found.point, Some(2));
        assert!(
            found
                .reason
                .contains("short for 0.800 % of the time instead of 2.000 %, and costs +20.0 %.")
                && found
                    .reason
                    .contains("With twice the time to Ready it would be short for 1.600 %"),
            "{}",
            found.reason
        );
        assert_eq!(Goal::MaxShort(0.05).choose(&current, &front).point, Some(0));
        assert_eq!(Goal::NoWorse.choose(&current, &front).point, Some(0));
        assert_eq!(Goal::MaxCost(130.0).choose(&current, &front).point, Some(1));
        let none = Goal::MaxCost(60.0).choose(&current, &front);
        assert_eq!(none.point, None);
        assert!(none.reason.ends_with("the least is 70.00."), "{}", none.reason);
    }

    #[test]
    fn what_is_better_only_where_it_was_found_is_not_recommended() {
        let current = point((0.0, 100.0), (0.0, 100.0));
        let front = [point((0.0, 80.0), (0.0, 99.5)), point((0.0, 60.0), (0.001, 60.0))];
        for goal in [Goal::NoWorse, Goal::MaxShort(0.0)] {
            let found = goal.choose(&current, &front);
            assert_eq!(found.point, None, "{found:?}");
            assert!(found.reason.contains("cost at least 1 % less"));
        }
    }
}
