//! Puts together what all threads measured: each second while the run goes on, everything at its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::{
    abort_guard::{AbortGuard, Ended},
    detail::Detail,
    ending::Ending,
    machine::{CpuMeter, Machine, PauseWatch, cpu_time},
    recorder::{Message, Slice, Totals},
};
use crate::{
    clock::RunClock,
    http::Failure,
    model::{
        latencies::Latencies,
        measured::{End, Fault, Generator, Measured, Requests, RunId, Second, WebSockets},
    },
    scenario::model::{Action, Load, Scenario, any_action},
};

/// Merges the measurements of all threads.
pub(super) struct Collector {
    scenario: Arc<Scenario>,
    names: Vec<String>,
    threads: u32,
    clock: RunClock,
    machine: Machine,
    ending: Ending,
    notify: UnboundedSender<(Second, Detail)>,
    pauses: PauseWatch,
    cpu_at_start: Option<Duration>,
    load_cpu: CpuMeter,
    second_cpu: CpuMeter,
    cpu_share: Option<f64>,
    open: BTreeMap<u32, (u32, Slice)>,
    next: u32,
    abort_guard: AbortGuard,
    seconds: Vec<Second>,
    totals: Vec<Totals>,
}

impl Collector {
    pub(super) fn new(
        scenario: Arc<Scenario>,
        names: Vec<String>,
        threads: u32,
        clock: RunClock,
        machine: Machine,
        ending: Ending,
        notify: UnboundedSender<(Second, Detail)>,
    ) -> Self {
        Self {
            scenario,
            names,
            threads,
            clock,
            machine,
            ending,
            notify,
            pauses: PauseWatch::start(clock),
            cpu_at_start: cpu_time(),
            load_cpu: CpuMeter::start(machine, clock),
            second_cpu: CpuMeter::start(machine, clock),
            cpu_share: None,
            open: BTreeMap::new(),
            next: 0,
            abort_guard: AbortGuard::default(),
            seconds: Vec::new(),
            totals: Vec::new(),
        }
    }

    /// Collects until every thread is done. The result is `None` if a thread was lost.
    pub(super) async fn collect(mut self, mut received: UnboundedReceiver<Message>) -> Option<Measured> {
        tokio::time::sleep_until(self.clock.zero().into()).await;
        self.load_cpu = CpuMeter::start(self.machine, self.clock);
        self.second_cpu = self.load_cpu;
        while let Some(message) = received.recv().await {
            match message {
                Message::Slice(slice) => self.slice(*slice),
                Message::Totals(totals) => self.totals.push(*totals),
            }
        }
        // Threads end in different seconds, so the last seconds lack the threads that ended before: close
        // these seconds as they are.
        while !self.open.is_empty() {
            self.close_next();
        }
        (self.totals.len() == usize::try_from(self.threads).ok()?).then(|| self.measured())
    }

    fn slice(&mut self, slice: Slice) {
        let (heard, all) = self.open.entry(slice.second).or_default();
        *heard += 1;
        all.latency.merge(&slice.latency);
        all.concurrency += slice.concurrency;
        all.websockets += slice.websockets;
        all.connected += slice.connected;
        for (second, lost) in slice.lost {
            *all.lost.entry(second).or_default() += lost;
        }
        all.detail.merge(slice.detail);
        // A second is complete when every thread has handed it on. Seconds are closed in order.
        while self
            .open
            .get(&self.next)
            .is_some_and(|(heard, _)| *heard >= self.threads)
        {
            self.close_next();
        }
    }

    fn close_next(&mut self) {
        let (_, slice) = self.open.remove(&self.next).unwrap_or_default();
        let generator_cpu = self.second_cpu.share(self.clock);
        self.second_cpu = CpuMeter::start(self.machine, self.clock);
        if self.is_of_the_load(self.next) {
            // Only seconds of the load count. While the last answers are awaited the processors idle, and the
            // share would sink.
            self.cpu_share = self.load_cpu.share(self.clock).or(self.cpu_share);
        }
        let second = Second {
            at: self.next,
            due: self.due_in(self.next).unwrap_or_else(|| slice.detail.due()),
            answered: slice.detail.answered(),
            failed: slice.detail.failed(),
            retried: slice.detail.retried(),
            latency: slice.latency.quantiles(),
            concurrency: slice.concurrency,
            websockets: slice.websockets,
            generator_cpu,
        };
        self.next += 1;
        self.guard(Ended {
            failed: second.failed,
            answered: second.answered,
            connected: slice.connected,
            lost: slice.lost.values().sum(),
        });
        self.seconds.push(second);
        self.take_back(&slice.lost);
        if let Some(second) = self.seconds.last() {
            // The send fails when nobody follows the run, which is no error.
            let _ = self.notify.send((second.clone(), slice.detail));
        }
    }

    /// Subtracts lost WebSockets from the answered ones of the seconds in which they were connected.
    fn take_back(&mut self, lost: &BTreeMap<u32, u64>) {
        for (second, lost) in lost {
            let second = usize::try_from(*second).ok();
            if let Some(second) = second.and_then(|second| self.seconds.get_mut(second)) {
                second.answered = second.answered.saturating_sub(*lost);
            }
        }
    }

    /// Whether load was sent in this second.
    fn is_of_the_load(&self, second: u32) -> bool {
        let (_, elapsed) = self.end();
        Duration::from_secs(second.into()) < elapsed
    }

    /// How the load ended, and how long it lasted. It ended as planned unless somebody ordered an early end.
    fn end(&self) -> (End, Duration) {
        let planned = self.scenario.load.profile().duration();
        // An order that comes while the last answers are awaited shortens nothing: the planned duration is
        // the limit.
        match self.ending.given() {
            Some((end, at)) => (end, planned.min(at.saturating_duration_since(self.clock.zero()))),
            None => (End::Completed, planned),
        }
    }

    /// Requests that the profile of an open load makes due in this second. `None` where the profile does not
    /// tell: in the closed model, with journeys of several steps, and when the load was stopped early.
    fn due_in(&self, second: u32) -> Option<u64> {
        // Several loads do not round as their sum does.
        let Load::Open(profile) = &self.scenario.load else {
            return None;
        };
        if self.ending.is_ordered().is_cancelled()
            || self
                .scenario
                .journeys
                .iter()
                .any(|journey| journey.steps.len() > 1)
        {
            return None;
        }
        let part = self.scenario.part;
        let at = |second: u32| part.share(profile.due_before(Duration::from_secs(u64::from(second))));
        Some(at(second + 1) - at(second))
    }

    /// Ends the run when too many requests fail.
    fn guard(&mut self, second: Ended) {
        let Some(abort) = self.scenario.abort else {
            return;
        };
        if let Some(share) = self.abort_guard.share(second, abort) {
            self.ending.order(End::Aborted(format!(
                "{:.0} % of the requests of {} s failed; the scenario gives up at {:.0} %",
                100.0 * share,
                abort.over.as_secs(),
                100.0 * abort.errors,
            )));
        }
    }

    fn measured(self) -> Measured {
        let steps = self.steps();
        let mut total = Requests::default();
        for step in steps.values() {
            total.merge(step);
        }
        let mut schedule_error = Latencies::default();
        for thread in &self.totals {
            schedule_error.merge(&thread.schedule_error);
        }
        let (end, elapsed) = self.end();
        // A run of a number of turns is as long as these take: the profile only limits it.
        let planned = match self.scenario.turns() {
            Some(_) if end == End::Completed => elapsed,
            _ => self.scenario.load.profile().duration(),
        };
        Measured {
            runs: BTreeSet::from([RunId(fastrand::u64(..))]),
            began: self.clock.timestamp(),
            planned,
            elapsed,
            end,
            total,
            steps,
            schedule_error,
            websocket: self.websockets(),
            generator: self.generator(),
            seconds: self.seconds,
        }
    }

    fn steps(&self) -> BTreeMap<String, Requests> {
        // A server may send back what it was sent, also what came from the environment.
        let secrets = &self.scenario.inputs.secrets;
        let mut steps: BTreeMap<String, Requests> = BTreeMap::new();
        for thread in &self.totals {
            for (name, measured) in self.names.iter().zip(&thread.steps) {
                let step = steps.entry(name.clone()).or_default();
                step.merge(&measured.requests);
                for (failure, count) in &measured.failures {
                    let detail = failure.detail();
                    let masked = detail.as_deref().map(|detail| secrets.masked(detail));
                    step.fail(&failure.to_string(), *count, masked.as_deref());
                }
            }
        }
        steps
    }

    fn generator(&self) -> Generator {
        let sum = |of: fn(&Totals) -> u64| self.totals.iter().map(of).sum();
        Generator {
            threads: self.threads,
            cpu_seconds: cpu_time()
                .zip(self.cpu_at_start)
                .map(|(now, began)| now.saturating_sub(began).as_secs_f64()),
            cpu_share: self.cpu_share,
            faults: self.faults(),
            processors: self.machine.processors,
            connections: sum(|totals| totals.connections.0),
            connections_peak: sum(|totals| totals.connections.1),
            connections_limit: self.machine.connections,
            waited_for_connection: sum(|totals| totals.connections.2),
            unsent: sum(|totals| totals.unsent),
            longest_pause: self.pauses.longest().as_secs_f64(),
        }
    }

    /// Requests that the generator could not send, by the resource that it lacked.
    fn faults(&self) -> BTreeMap<Fault, u64> {
        let mut faults = BTreeMap::new();
        let steps = self.totals.iter().flat_map(|thread| &thread.steps);
        for (failure, count) in steps.flat_map(|step| &step.failures) {
            if let Failure::Generator(fault) = failure {
                *faults.entry(*fault).or_default() += count;
            }
        }
        faults
    }

    fn websockets(&self) -> Option<WebSockets> {
        any_action(&self.scenario.journeys, Action::is_websocket).then(|| {
            let mut all = WebSockets::counting();
            for thread in &self.totals {
                all.merge(&thread.websockets);
            }
            // The true peak over all threads lies between two known figures: the sum at the end of each
            // second, and the peak of one thread. The greater of the two was certainly held at once.
            let seconds = self.seconds.iter().map(|second| second.websockets);
            let threads = self.totals.iter().map(|thread| thread.websockets.held_peak);
            all.held_peak = seconds.chain(threads).max().unwrap_or(0);
            all
        })
    }
}
