//! The two halves of the load: settings are found on the first one, and judged on the second one, which they have not
//! seen, at the time to Ready that is given, half of it and twice.
//!
//! The judged time is what comes after the warm-up; it is cut in the middle. The second half is replayed with a warm-up
//! of its own before it, so that both halves together judge each moment once. All settings take over the replicas that
//! those of now have at the start of a half, so that none of them is cheaper only because it started with fewer.

use jiff::Timestamp;
use vas_core::replay::{Assumptions, Load, Model, Outcome, Policy, replay, replay_from};

use crate::simulate::{
    comparison::Settings,
    cost::{MONTH, Price},
};

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// Hours of it in which the load has a value.
    pub hours: f64,
    /// Requests that were offered in it.
    pub offered: f64,
}

/// Fewest hours with values of a half that says something: six of the longest windows that are tried, an hour.
const FEWEST_HOURS: f64 = 6.0;

impl Stretch {
    /// All its hours, with or without values.
    #[must_use]
    pub fn whole(&self) -> f64 {
        self.from.duration_until(self.to).as_secs_f64() / 3600.0
    }

    /// Whether it has so few values that nothing can be recommended from it.
    fn is_little(&self) -> bool {
        self.hours < FEWEST_HOURS || self.hours < self.whole() / 2.0 || self.offered <= 0.0
    }
}

/// Why nothing can be recommended, as a sentence; `None` where both halves have enough values.
pub(super) fn too_little(fitted: &Stretch, judged: &Stretch) -> Option<String> {
    (fitted.is_little() || judged.is_little()).then(|| {
        let half = |stretch: &Stretch| {
            let requests = if stretch.offered > 0.0 { "" } else { ", and no request at all" };
            format!("values for {:.1} h of {:.1} h{requests}", stretch.hours, stretch.whole())
        };
        format!(
            "The load is too little to recommend anything: the first half has {}, the second one has {}. Each half needs \
             requests, and values for at least {FEWEST_HOURS} h and for half of its time. Take a longer --load, or an earlier --start.",
            half(fitted),
            half(judged)
        )
    })
}

/// What came of settings on one half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The figures of the replay.
    pub outcome: Outcome,
    /// Cost for a month, in the currency of the price; without a price the replica-hours of a month.
    pub cost: f64,
}

/// What came of settings on both halves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// On the first half.
    pub fitted: Figures,
    /// On the second half.
    pub judged: Figures,
    /// On the second half with half of the time to Ready.
    pub at_half: Figures,
    /// On the second half with twice the time to Ready.
    pub at_twice: Figures,
}

/// Both halves of a load.
#[derive(Clone, Debug)]
pub(super) struct Halves {
    first: Load,
    second: Load,
    assumptions: Assumptions,
    price: Option<Price>,
    /// Replicas at the start of each half, its warm-up included.
    pub(super) starts: [u32; 2],
}

impl Halves {
    /// The halves, and the replicas that the settings of now have at the start of each.
    pub(super) fn of(settings: &Settings, current: &Model) -> Self {
        let (load, assumptions) = (&settings.load, settings.assumptions.clone());
        let middle = load.end().midpoint(assumptions.warm_up);
        let (first, cut) = (load.part(0, middle), middle - assumptions.warm_up);
        let policy = Policy::Hpa(Box::new(current.clone()));
        let (mut begins, mut at_cut) = (None, 0);
        replay(&first, &assumptions, &policy, |moment| {
            begins.get_or_insert(moment.desired);
            if moment.at <= cut {
                at_cut = moment.desired;
            }
        });
        Self {
            first,
            second: load.part(cut, load.end()),
            assumptions,
            price: settings.price,
            starts: [begins.unwrap_or_default(), at_cut],
        }
    }

    /// The judged time of both halves; the figures of any settings say how much of it has values.
    pub(super) fn stretches(&self, figures: &Judged) -> [Stretch; 2] {
        let stretch = |load: &Load, outcome: &Outcome| Stretch {
            from: load.time(self.assumptions.warm_up),
            to: load.time(load.end()),
            hours: outcome.seconds / 3600.0,
            offered: outcome.offered,
        };
        [
            stretch(&self.first, &figures.fitted.outcome),
            stretch(&self.second, &figures.judged.outcome),
        ]
    }

    /// What comes of an HPA on the first half.
    pub(super) fn fit(&self, model: &Model) -> Outcome {
        let policy = Policy::Hpa(Box::new(model.clone()));
        let [start, _] = self.starts;
        replay_from(&self.first, &self.assumptions, &policy, Some(start), |_| {})
    }

    /// What comes of it on the second half, beside what came of it on the first one.
    pub(super) fn judge(&self, model: &Model, fitted: Outcome) -> Judged {
        let policy = Policy::Hpa(Box::new(model.clone()));
        let [_, start] = self.starts;
        let at = |factor: f64| {
            let assumptions = Assumptions {
                time_to_ready: self.assumptions.time_to_ready.times(factor),
                ..self.assumptions.clone()
            };
            let outcome = replay_from(&self.second, &assumptions, &policy, Some(start), |_| {});
            self.figures(outcome)
        };
        Judged {
            fitted: self.figures(fitted),
            judged: at(1.0),
            at_half: at(0.5),
            at_twice: at(2.0),
        }
    }

    /// An outcome with its cost.
    pub(super) fn figures(&self, outcome: Outcome) -> Figures {
        let replicas = outcome.mean_replicas();
        Figures {
            outcome,
            cost: self.price.map_or(replicas * MONTH, |price| price.month(replicas)),
        }
    }
}
