//! The load engine sends the requests of a scenario when they are due, and measures.
//!
//! ```text
//! plan       the scenario, ready to send              alarm     waits to the microsecond
//! open       journeys begin when they are due         closed    users begin again when they are done
//! journey    the steps of one user                    websocket one connection, held
//! detail     one second by step, for live watching    due       a request until it counts, exactly once
//! recorder   measurements of one thread               collector measurements of all threads, by second
//! machine    limits and load of the generator itself  body      a body or message, and checks on it
//! sharing    which users share connections            abort_guard  ends a run in which too many requests fail
//! thread     one sending thread                       worker    what the journeys of one thread use
//! turns      a fixed number of turns, which all users share
//! once       what is done before the load and after it
//! inputs     what a turn gets from data files and made-up values
//! ```
//!
//! Each sending thread has its own runtime, connections and histograms, so that threads share nothing while
//! they send. In the open model the moment at which a request is due is computed beforehand, from the
//! integral of the rate. Its latency counts from that moment, even if the generator or the service falls
//! behind.

mod abort_guard;
mod alarm;
mod body;
mod closed;
mod collector;
mod content_length;
mod detail;
mod due;
mod ending;
mod error;
mod inputs;
mod journey;
mod machine;
mod next;
mod once;
mod open;
mod plan;
mod recorder;
mod sharing;
mod thread;
mod turns;
mod websocket;
mod worker;

use std::sync::Arc;

use tokio::sync::mpsc;

use self::{
    collector::Collector, inputs::Counters, machine::Machine, plan::Plan, sharing::Connections, turns::Turns,
    worker::Share,
};
pub use self::{
    detail::{Buckets, Detail, StepDetail},
    ending::Ending,
    error::EngineError,
    once::{OnceError, once},
    sharing::Sharing,
};
use super::{
    clock::RunClock,
    http::Target,
    model::measured::{End, Measured, Second},
    scenario::{model::Scenario, rate::Profile},
};

/// Settings of the engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Number of sending threads; by default as many as the load needs.
    pub threads: Option<u32>,
    /// The greatest number of connections at once; by default as many as the process may open.
    pub max_connections: Option<u64>,
    /// Which users share connections.
    pub sharing: Sharing,
    /// Whether to spin for the last millisecond before a request is due. This is exact to microseconds, and
    /// it occupies whole processors.
    pub precise: bool,
}

/// A load that is being sent.
#[derive(Debug)]
pub struct Running {
    names: Vec<String>,
    note: Option<String>,
    seconds: mpsc::UnboundedReceiver<(Second, Detail)>,
    measured: tokio::task::JoinHandle<Option<Measured>>,
    ending: Ending,
}

/// Finds requests that cannot be sent, without sending anything. Requests with variables are checked when
/// their values are known.
///
/// # Errors
/// When a step has a method, path or header that HTTP does not allow.
pub fn check(scenario: &Scenario, target: &Target) -> Result<(), EngineError> {
    for once in [&scenario.setup, &scenario.teardown].into_iter().flatten() {
        Plan::new(&once::alone(scenario, once), target)?;
    }
    Plan::new(scenario, target).map(drop)
}

/// Begins to send at the zero of the clock.
///
/// # Errors
/// When a step cannot be sent as it is, or a thread cannot be started.
pub fn start(
    scenario: Arc<Scenario>,
    target: &Target,
    settings: Settings,
    clock: RunClock,
) -> Result<Running, EngineError> {
    // Each thread makes a plan of its own, because requests are not shared between threads. This one finds
    // out, before anything is sent, whether every step can be sent.
    let names = Plan::new(&scenario, target)?.step_names().to_vec();
    let machine = Machine::of_this_process(settings.max_connections);
    let threads = settings
        .threads
        .unwrap_or_else(|| threads_for(&scenario, machine))
        // Each thread has at least one connection.
        .clamp(1, u32::try_from(machine.connections).unwrap_or(u32::MAX));
    let connections = Connections::of(settings.sharing, &scenario, target, machine);
    let ending = Ending::default();
    let turns = Turns::of(&scenario, &ending);
    let counters = Arc::new(Counters::of(&scenario.inputs, scenario.part));
    // Each thread holds a sender, and the one of this function goes when it returns. So the collector sees
    // the end of the channel when the last thread has ended.
    let (messages, received) = mpsc::unbounded_channel();
    for index in 0..threads {
        let share = Share {
            index,
            threads,
            part: scenario.part,
            connections: connections.share(machine.connections, index, threads),
            per_user: connections.per_user,
            precise: settings.precise,
            clock,
            end_early: ending.is_ordered(),
            turns: turns.clone(),
            counters: counters.clone(),
            messages: messages.clone(),
        };
        thread::spawn(share, scenario.clone(), target.clone()).map_err(EngineError::Thread)?;
    }
    let (notify, seconds) = mpsc::unbounded_channel();
    let collector = Collector::new(
        scenario,
        names.clone(),
        threads,
        clock,
        machine,
        ending.clone(),
        notify,
    );
    Ok(Running {
        names,
        note: connections.note,
        seconds,
        measured: tokio::spawn(collector.collect(received)),
        ending,
    })
}

impl Running {
    /// The next second of the run, as soon as every thread has finished it; `None` when the load is over.
    pub async fn next_second(&mut self) -> Option<Second> {
        self.next_detailed().await.map(|(second, _)| second)
    }

    /// As [`Self::next_second`], with what happened in each step.
    pub async fn next_detailed(&mut self) -> Option<(Second, Detail)> {
        self.seconds.recv().await
    }

    /// Names of the steps, in the order of [`Detail::steps`]. Steps with equal names count together.
    pub fn step_names(&self) -> &[String] {
        &self.names
    }

    /// A warning about the load that the user should read before it starts.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// A handle that ends the load from elsewhere.
    pub fn ending(&self) -> Ending {
        self.ending.clone()
    }

    /// Ends the load early; see [`Ending::order`].
    pub fn stop(&self, end: End) {
        self.ending.order(end);
    }

    /// Waits for the end of the load.
    ///
    /// # Errors
    /// When a thread ended without handing on its measurements.
    pub async fn finish(self) -> Result<Measured, EngineError> {
        self.measured.await.ok().flatten().ok_or(EngineError::Lost)
    }
}

/// The number of sending threads: one per share of load that a thread sends with room to spare, and at most
/// one per processor. At 12 000 requests per second that is three threads.
fn threads_for(scenario: &Scenario, machine: Machine) -> u32 {
    /// Requests per second of one thread; one thread sends them with half of a processor.
    const RATE: f64 = 5000.0;
    /// Users (closed model) of one thread.
    const USERS: f64 = 500.0;
    let peak = |profile: Option<&Profile>| profile.map_or(0.0, Profile::peak);
    let wanted = peak(scenario.load.rates()) / RATE + peak(scenario.load.users()) / USERS;
    let wanted = scenario.part.of_level(wanted);
    let mut threads = 1;
    while threads < machine.processors && f64::from(threads) < wanted {
        threads += 1;
    }
    threads
}

#[cfg(test)]
mod tests;
