//! What one kind of user does: its steps, which of them are alternatives, and which are sent at once.

use std::collections::BTreeSet;

use super::{
    model::{Action, Step, Think},
    template::Template,
};

/// What one kind of user does.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// Name, unique in the scenario.
    pub name: String,
    /// Share of the users, relative to the other weights.
    pub weight: u32,
    /// Pause after each step that has no pause of its own. Default: no pause.
    pub think: Think,
    /// Whether users keep cookies as browsers do, for as long as they live.
    pub cookies: bool,
    /// Headers of every request, such as `Authorization: Bearer {{token}}`. A header is left out of the
    /// requests before the step that sets its variables.
    pub headers: Vec<(String, Template)>,
    /// Steps in their order; at least one.
    pub steps: Vec<Step>,
}

impl Journey {
    /// The steps of which a turn does one, if this step has a weight: it and its neighbours that have one too.
    pub fn alternatives(&self, index: usize) -> &[Step] {
        let weightless = |step: &Step| step.weight.is_none();
        let (before, rest) = self.steps.split_at(index.min(self.steps.len()));
        let begin = before.iter().rposition(weightless).map_or(0, |last| last + 1);
        let length = rest.iter().position(weightless).unwrap_or(rest.len());
        self.steps.get(begin..index + length).unwrap_or_default()
    }

    /// The steps, those together that are sent at once.
    pub fn batches(&self) -> impl Iterator<Item = &[Step]> {
        let together = |one: &Step, other: &Step| one.batch.is_some() && one.batch == other.batch;
        self.steps.chunk_by(together)
    }

    /// The field of each step in the journey's document, such as `steps[2]` or `steps[2].parallel[0]`.
    pub fn fields(&self) -> impl Iterator<Item = String> {
        let of_batch = |(place, batch): (usize, &[Step])| {
            let fields = batch.iter().enumerate().map(|(index, step)| match step.batch {
                Some(_) => format!("steps[{place}].parallel[{index}]"),
                None => format!("steps[{place}]"),
            });
            fields.collect::<Vec<_>>()
        };
        self.batches().enumerate().flat_map(of_batch)
    }

    /// The most requests that are sent at once.
    pub fn width(&self) -> usize {
        self.batches().map(<[Step]>::len).max().unwrap_or(1)
    }

    /// The share of the turns in which a step is done.
    pub fn share_of(&self, index: usize) -> f64 {
        let weight = |step: &Step| step.weight.map(f64::from);
        let Some(own) = self.steps.get(index).and_then(weight) else {
            return 1.0;
        };
        let all: f64 = self.alternatives(index).iter().filter_map(weight).sum();
        if all > 0.0 { own / all } else { 0.0 }
    }
}

/// The variables that have a value before the steps of a journey: those that earlier steps of every turn extract.
/// What one request of a batch extracts has no value in the others.
#[derive(Debug, Default)]
pub struct Known<'a> {
    before: BTreeSet<&'a str>,
    /// What the last step, or its batch, extracts.
    fresh: BTreeSet<&'a str>,
    batch: Option<usize>,
}

impl<'a> Known<'a> {
    /// The variables before this step. It is called for each step, in their order.
    pub fn before(&mut self, step: &'a Step) -> &BTreeSet<&'a str> {
        if step.batch.is_none() || step.batch != self.batch {
            self.before.append(&mut self.fresh);
        }
        self.batch = step.batch;
        // What a step with a weight extracts is there in some turns only.
        if let (Action::Request(request), None) = (&step.action, step.weight) {
            self.fresh.extend(request.extract.keys().map(String::as_str));
        }
        &self.before
    }

    /// The variables after the last step.
    pub fn after(mut self) -> BTreeSet<&'a str> {
        self.before.append(&mut self.fresh);
        self.before
    }
}
