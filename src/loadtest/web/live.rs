//! What is known of a run while it goes on, and the event that shows it. Pure.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hyper::body::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    engine::Detail,
    judge,
    model::{
        cause,
        measured::{End, Generator, Measured, Requests, Second},
        scaling::Scaling,
    },
    report::{Report, Verdict, Workload, html},
    scenario::model::Scenario,
};

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    /// Nothing was sent yet.
    #[default]
    Starting,
    /// The steps of the setup are done, which have no load.
    Setup,
    /// Load is sent.
    Running,
    /// The page asked for the end; what is under way is waited for.
    Stopping,
    /// The load is over, and the steps of the teardown are done.
    Teardown,
    /// The report is there.
    Over,
}

/// A run that goes on.
#[derive(Clone, Debug)]
pub(super) struct Run {
    scenario: Arc<Scenario>,
    target: String,
    began: Timestamp,
    seconds: Vec<Second>,
    failures: BTreeMap<String, u64>,
    scaling: Option<Scaling>,
}

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    /// How far the run is.
    pub(super) state: State,
    /// The run; `None` before it begins.
    pub(super) run: Option<Run>,
}

/// The event that the script of the page reads.
#[derive(Serialize)]
struct Event<'a> {
    state: State,
    name: &'a str,
    target: &'a str,
    html: String,
}

impl Run {
    /// A run that begins at this moment. `target` is the URL as reports show it.
    pub(super) fn new(scenario: Arc<Scenario>, target: &str, began: Timestamp) -> Self {
        Self {
            scenario,
            target: target.to_owned(),
            began,
            seconds: Vec::new(),
            failures: BTreeMap::new(),
            scaling: None,
        }
    }

    /// Adds a complete second. Without a `scaling` the one of before is kept.
    pub(super) fn second(&mut self, second: &Second, detail: &Detail, scaling: Option<Scaling>) {
        self.seconds.push(second.clone());
        for (failure, count) in detail.steps.iter().flat_map(|step| &step.failures) {
            cause::count(&mut self.failures, failure.to_string(), *count);
        }
        if scaling.is_some() {
            self.scaling = scaling;
        }
    }

    /// The run so far, in the form from which reports are written. It has no verdict yet, and what only the end of a
    /// run tells is empty.
    fn so_far(&self) -> Report {
        let scenario = &self.scenario;
        let elapsed = self.seconds.last().map_or(0, |second| second.at + 1);
        let elapsed = Duration::from_secs(elapsed.into());
        let sum = |of: fn(&Second) -> u64| self.seconds.iter().map(of).sum();
        let total = Requests {
            due: sum(|second| second.due),
            answered: sum(|second| second.answered),
            retried: sum(|second| second.retried),
            failures: self.failures.clone(),
            ..Requests::default()
        };
        Report {
            name: scenario.name.clone(),
            target: self.target.clone(),
            load: scenario.load.profile().until(elapsed),
            load_unit: judge::unit(scenario),
            objective: scenario.objective(),
            measured: Measured {
                runs: std::collections::BTreeSet::new(),
                began: self.began,
                planned: scenario.load.profile().duration(),
                elapsed,
                end: End::Completed,
                total,
                steps: BTreeMap::new(),
                schedule_error: crate::model::latencies::Latencies::default(),
                seconds: self.seconds.clone(),
                generator: Generator::default(),
                websocket: None,
            },
            workloads: self
                .scaling
                .iter()
                .map(|scaling| Workload {
                    scaling: scaling.clone(),
                    ..Workload::default()
                })
                .collect(),
            checks: Vec::new(),
            doubts: Vec::new(),
            verdict: Verdict::Pass,
            grade: None,
        }
    }
}

impl Live {
    /// The end of the run is asked for. Returns whether there is something to end.
    pub(super) fn stop(&mut self) -> bool {
        match self.state {
            State::Starting | State::Setup | State::Running => self.state = State::Stopping,
            State::Stopping => {}
            State::Teardown | State::Over => return false,
        }
        true
    }

    /// The event as the page reads it: `run`, with one line of JSON.
    pub(super) fn event(&self) -> Bytes {
        let report = self.run.as_ref().map(Run::so_far);
        let event = Event {
            state: self.state,
            name: report.as_ref().map_or("", |report| &report.name),
            target: report.as_ref().map_or("", |report| &report.target),
            html: report.as_ref().map(html::live::render).unwrap_or_default(),
        };
        // JSON of strings cannot fail, and it has no line breaks.
        let json = serde_json::to_string(&event).unwrap_or_default();
        Bytes::from(format!("event: run\ndata: {json}\n\n"))
    }
}
