//! What must hold for a policy: `short < 0.1%`.

use std::{fmt, str::FromStr};

use super::comparison::Row;

/// A bound on a figure of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    figure: Figure,
    /// Whether the bound itself is allowed.
    or_equal: bool,
    bound: f64,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    Short,
    Violations,
    Refused,
    ReplicaHours,
    Peak,
    Rescales,
    Cost,
}

/// Names of the figures, and whether they are shares, which are written in percent.
const FIGURES: [(&str, Figure, bool); 7] = [
    ("short", Figure::Short, true),
    ("violations", Figure::Violations, true),
    ("refused", Figure::Refused, true),
    ("replica_hours", Figure::ReplicaHours, false),
    ("peak", Figure::Peak, false),
    ("rescales", Figure::Rescales, false),
    ("cost", Figure::Cost, false),
];

/// Why a text is no threshold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write it as short < 0.1%, violations <= 1%, refused < 0.01%, replica_hours < 5000, peak < 40, rescales < 200 or cost < 700"
)]
pub struct ThresholdError;

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rest) = text.split_once('<').ok_or(ThresholdError)?;
        let (or_equal, bound) = rest.strip_prefix('=').map_or((false, rest), |rest| (true, rest));
        let name = name.trim();
        let (_, figure, share) = FIGURES
            .into_iter()
            .find(|(known, ..)| *known == name)
            .ok_or(ThresholdError)?;
        let bound = bound.trim();
        let bound = match (share, bound.strip_suffix('%')) {
            (true, Some(percent)) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
            (false, None) => bound.parse(),
            // A share without a sign could be meant in percent or not.
            _ => return Err(ThresholdError),
        };
        let bound = bound.ok().filter(|bound| bound.is_finite() && *bound >= 0.0);
        Ok(Self {
            figure,
            or_equal,
            bound: bound.ok_or(ThresholdError)?,
            text: text.trim().to_owned(),
        })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Threshold {
    /// Whether it needs a price.
    #[must_use]
    pub fn needs_price(&self) -> bool {
        self.figure == Figure::Cost
    }

    /// Whether it holds. What cannot be computed, because nothing was judged or has a price, does not hold.
    #[must_use]
    pub fn holds(&self, row: &Row) -> bool {
        let outcome = &row.outcome;
        let of_offered = |part: f64| (outcome.offered > 0.0).then_some(part / outcome.offered);
        let value = match self.figure {
            Figure::Short => (outcome.seconds > 0.0).then_some(outcome.short()),
            Figure::Violations => of_offered(outcome.violations),
            Figure::Refused => of_offered(outcome.refused),
            Figure::ReplicaHours => Some(outcome.replica_hours()),
            Figure::Peak => Some(f64::from(outcome.peak)),
            Figure::Rescales => Some(f64::from(outcome.rescales)),
            Figure::Cost => row.cost,
        };
        value.is_some_and(|value| value < self.bound || (self.or_equal && value <= self.bound))
    }
}

#[cfg(test)]
mod tests {
    use vas_core::replay::Outcome;

    use super::*;

    fn row() -> Row {
        Row {
            name: "resource".to_owned(),
            outcome: Outcome {
                seconds: 1000.0,
                short_seconds: 1.0,
                offered: 1000.0,
                violations: 20.0,
                peak: 9,
                ..Outcome::default()
            },
            elasticity: None,
            cost: None,
        }
    }

    #[test]
    fn a_threshold_holds_or_does_not() {
        for (text, holds) in [
            ("short < 0.2%", true),
            ("short<0.1 %", false),
            ("short <= 0.1%", true),
            ("violations < 2%", false),
            ("refused < 1%", true),
            ("peak < 10", true),
            ("peak < 9", false),
            ("cost < 100", false),
        ] {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold.holds(&row()), holds, "{text}");
            assert_eq!(threshold.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_all_forms() {
        for text in [
            "short",
            "short < 1",
            "short > 1%",
            "peak < 3%",
            "long < 1%",
            "cost < -1",
            "cost < much",
            "",
        ] {
            assert_eq!(text.parse::<Threshold>(), Err(ThresholdError), "{text}");
        }
    }
}
