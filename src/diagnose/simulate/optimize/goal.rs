//! What is wanted: the bound, what is better within it, and why settings are recommended for it, in words.

use std::{fmt::Write as _, str::FromStr};

use vas_core::replay::Outcome;

use super::{Figures, Judged};

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
    /// Position of the recommended point among the points; `None` to keep what there is.
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

    /// Whether figures of one half are within the bound.
    pub(super) fn fits(&self, one: &Figures, now: &Figures) -> bool {
        match self {
            Self::NoWorse => one.outcome.short() <= now.outcome.short(),
            Self::MaxShort(share) => one.outcome.short() <= *share,
            Self::MaxCost(most) => one.cost <= *most,
        }
    }

    /// Whether figures are within the bound on both halves. What is no worse also lets no more requests wait for too
    /// long, and has no more of them refused, on the second half.
    pub(super) fn keeps(&self, figures: &Judged, now: &Judged) -> bool {
        let (one, other) = (&figures.judged.outcome, &now.judged.outcome);
        let waits = match self {
            Self::NoWorse => one.violations <= other.violations && one.refused <= other.refused,
            Self::MaxShort(_) | Self::MaxCost(_) => true,
        };
        waits && self.fits(&figures.fitted, &now.fitted) && self.fits(&figures.judged, &now.judged)
    }

    /// Whether figures are better than those of what there is, on the same half.
    pub(super) fn is_better(&self, one: &Figures, now: &Figures) -> bool {
        let clearly = |one: f64, now: f64| one < now * (1.0 - WORTH);
        match self {
            Self::NoWorse | Self::MaxShort(_) => clearly(one.cost, now.cost),
            Self::MaxCost(_) => clearly(one.outcome.short(), now.outcome.short()),
        }
    }

    /// What better means, after "settings that".
    pub(super) fn better_in_words(&self) -> &'static str {
        match self {
            Self::NoWorse | Self::MaxShort(_) => "cost at least 1 % less",
            Self::MaxCost(_) => "are short for at least 1 % less time",
        }
    }

    /// What settings are ordered by, the best first.
    pub(super) fn order(&self, figures: &Figures) -> (f64, f64) {
        let (cost, short) = (figures.cost, figures.outcome.short());
        match self {
            Self::NoWorse | Self::MaxShort(_) => (cost, short),
            Self::MaxCost(_) => (short, cost),
        }
    }

    /// The figure that the bound is about.
    pub(super) fn bounded(&self, figures: &Figures) -> f64 {
        match self {
            Self::NoWorse | Self::MaxShort(_) => figures.outcome.short(),
            Self::MaxCost(_) => figures.cost,
        }
    }

    /// A figure that the bound is about, with its unit.
    pub(super) fn shown(&self, figure: f64) -> String {
        match self {
            Self::NoWorse | Self::MaxShort(_) => format!("{} of the time", percent(figure)),
            Self::MaxCost(_) => format!("{figure:.2}"),
        }
    }

    /// Why settings are recommended.
    pub(super) fn why(&self, figures: &Judged, now: &Judged) -> String {
        let (one, other) = (&figures.judged, &now.judged);
        let short = |figures: &Figures| percent(figures.outcome.short());
        let share = |part: f64, outcome: &Outcome| percent(part / outcome.offered.max(f64::MIN_POSITIVE));
        let waited = |figures: &Figures| share(figures.outcome.violations, &figures.outcome);
        let refused = |figures: &Figures| share(figures.outcome.refused, &figures.outcome);
        let mut words = format!(
            "On the half that it was not found on it is short for {} of the time instead of {}, violates the objective for \
             {} of the requests instead of {}, has {} of them refused instead of {}, and costs {:+.1} %.",
            short(one),
            short(other),
            waited(one),
            waited(other),
            refused(one),
            refused(other),
            (one.cost / other.cost - 1.0) * 100.0
        );
        let (twice, now_twice) = (&figures.at_twice, &now.at_twice);
        let above = self
            .most_short()
            .is_some_and(|share| twice.outcome.short() > share);
        if above || twice.outcome.short() > now_twice.outcome.short() {
            // Writing to a String cannot fail.
            let _ = write!(
                words,
                " With twice the time to Ready it would be short for {} instead of {}{}.",
                short(twice),
                short(now_twice),
                if above { ", which is above the bound" } else { "" }
            );
        }
        words
    }
}

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{:.3} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_share_or_minutes_a_day() {
        assert_eq!("0.1%".parse(), Ok(Goal::MaxShort(0.001)));
        assert_eq!("0 %".parse(), Ok(Goal::MaxShort(0.0)));
        assert_eq!("14.4m/day".parse(), Ok(Goal::MaxShort(0.01)));
        for wrong in ["0.1", "2m", "-1%", "101%", "1441m/day", "NaN%", "", "%"] {
            assert_eq!(wrong.parse::<Goal>(), Err(GoalError), "{wrong}");
        }
    }
}
