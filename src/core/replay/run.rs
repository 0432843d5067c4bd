//! One policy over the whole load.

use jiff::Timestamp;

use crate::hpa::{Hpa, Scale, Selector, State, Sync, step};

use super::{
    Millis,
    assumptions::Assumptions,
    fleet::{self, Fleet},
    history::History,
    load::Load,
    millis,
    model::{Model, Readings, When},
    outcome::{Moment, Outcome},
    policy::{Ahead, Policy, demand},
    queue::{Queue, Waits},
    seconds,
};

/// The state of a replay.
struct Replay<'a> {
    assumptions: &'a Assumptions,
    load: &'a Load,
    /// Index of the piece at `now`.
    piece: usize,
    now: Millis,
    fleet: Fleet<'a>,
    queue: Queue,
    history: History,
    /// Pods that have been Ready for so long are all alike.
    settled: Millis,
    outcome: Outcome,
}

/// How a policy decides, with what it remembers.
enum Deciding<'a> {
    Hpa(&'a Model, Box<Memory>),
    Static(u32),
    Optimum(Ahead<'a>),
}

/// What an HPA and its controller keep from one sync to the next.
struct Memory {
    state: State,
    readings: Readings,
    /// The HPA with the bounds of the moment.
    hpa: Hpa,
    /// When a schedule may change the bounds next.
    until: Timestamp,
}

impl Memory {
    /// The memory at the start. Nobody paused what starts at 0 replicas: the HPA had scaled it there, because it had
    /// nothing to do.
    fn of(model: &Model, replicas: u32) -> Self {
        Self {
            state: State {
                scaled_to_zero: (replicas == 0).then_some(true),
                ..State::default()
            },
            readings: Readings::default(),
            hpa: model.hpa().clone(),
            until: Timestamp::MIN,
        }
    }

    /// Gives the HPA the bounds that a schedule has at this moment.
    fn keep_schedule(&mut self, model: &Model, now: Timestamp) {
        if now < self.until {
            return;
        }
        let found = model.bounds(now);
        if let Some((bounds, _)) = found {
            (self.hpa.min, self.hpa.max) = (bounds.min, bounds.max);
        }
        self.until = found.and_then(|(_, until)| until).unwrap_or(Timestamp::MAX);
    }
}

/// Replays a load. It starts with the replicas that its first value needs, within the bounds of the policy. `observe`
/// sees each moment after a sync, in their order.
pub fn replay(
    load: &Load,
    assumptions: &Assumptions,
    policy: &Policy,
    observe: impl FnMut(&Moment),
) -> Outcome {
    replay_from(load, assumptions, policy, None, observe)
}

/// The same; an HPA starts with so many replicas if they are given, and its own bounds apply from its first sync on. So
/// two HPAs can be compared that take over the same replicas.
pub fn replay_from(
    load: &Load,
    assumptions: &Assumptions,
    policy: &Policy,
    start: Option<u32>,
    mut observe: impl FnMut(&Moment),
) -> Outcome {
    let first = load.pieces().iter().find_map(|(_, rate)| *rate);
    let needed = demand(first.unwrap_or(0.0), assumptions.capacity);
    let (mut deciding, replicas, window) = match policy {
        Policy::Hpa(model) => {
            let within = |bound: i32| u32::try_from(bound).unwrap_or_default();
            let (min, max) = (within(model.hpa().min), within(model.hpa().max));
            let replicas = start.unwrap_or(needed.max(min).min(max));
            let deciding = Deciding::Hpa(model, Box::new(Memory::of(model, replicas)));
            (deciding, replicas, model.longest_window())
        }
        Policy::Static(replicas) => (Deciding::Static(*replicas), *replicas, 0),
        Policy::Optimum => (Deciding::Optimum(Ahead::of(load, assumptions)), needed, 0),
    };
    let age = assumptions.scrape + assumptions.poll;
    let starting = millis(assumptions.controller.cpu_initialization_period);
    let mut replay = Replay {
        assumptions,
        load,
        piece: 0,
        now: 0,
        fleet: Fleet::of(replicas, &assumptions.time_to_ready),
        queue: Queue::default(),
        history: History::of(window + age + assumptions.sync),
        settled: window + age + starting,
        outcome: Outcome::default(),
    };
    // The first decision comes with the first value, and not a sync later.
    while replay.now < load.end() {
        let desired = deciding.decide(&replay);
        replay.scale(desired);
        observe(&replay.moment());
        replay.pass();
    }
    replay.outcome
}

impl Deciding<'_> {
    fn decide(&mut self, replay: &Replay<'_>) -> u32 {
        let Assumptions {
            scrape,
            poll,
            sync,
            controller,
            time_to_ready,
            ..
        } = replay.assumptions;
        match self {
            Self::Static(replicas) => *replicas,
            Self::Optimum(ahead) => {
                // A pod that the next sync creates is Ready a sync later.
                let reach = sync + fleet::millis(time_to_ready.longest());
                ahead.largest(replay.now, replay.now.saturating_add(reach))
            }
            Self::Hpa(model, memory) => {
                let when = When {
                    load: replay.load,
                    now: replay.now,
                    age: scrape + poll,
                    scrape: *scrape,
                };
                let now = replay.load.time(replay.now);
                memory.keep_schedule(model, now);
                let Memory {
                    state, readings, hpa, ..
                } = &mut **memory;
                readings.read(model, &replay.fleet, &replay.history, when);
                let replicas = i32::try_from(replay.fleet.replicas()).unwrap_or(i32::MAX);
                let decision = step(
                    state,
                    &Sync {
                        hpa,
                        controller,
                        scale: Scale {
                            replicas,
                            status: replicas,
                            selector: Selector::Valid,
                        },
                        cohorts: &readings.cohorts,
                        answers: &readings.answers,
                        now,
                    },
                );
                u32::try_from(decision.desired).unwrap_or_default()
            }
        }
    }
}

impl Replay<'_> {
    fn judged(&self) -> bool {
        self.now >= self.assumptions.warm_up
    }

    fn rate(&self) -> Option<f64> {
        self.load.pieces().get(self.piece).and_then(|(_, rate)| *rate)
    }

    fn scale(&mut self, desired: u32) {
        if desired != self.fleet.replicas() {
            if self.judged() {
                self.outcome.rescales += 1;
            }
            self.fleet.scale(desired, self.now);
        }
        self.fleet.settle(self.now - self.settled);
    }

    fn moment(&self) -> Moment {
        let rate = self.rate();
        Moment {
            at: self.now,
            rate,
            demand: demand(rate.unwrap_or(0.0), self.assumptions.capacity),
            desired: self.fleet.replicas(),
            ready: self.fleet.ready(self.now),
            judged: rate.is_some() && self.judged(),
        }
    }

    /// The time until the next sync.
    fn pass(&mut self) {
        let until = (self.now + self.assumptions.sync).min(self.load.end());
        while self.now < until {
            let ends = self.load.pieces().get(self.piece + 1).map(|(next, _)| *next);
            let mut to = until.min(ends.unwrap_or(until));
            if let Some(ready) = self.fleet.next_ready(self.now) {
                to = to.min(ready);
            }
            if !self.judged() {
                to = to.min(self.assumptions.warm_up);
            }
            self.stretch(to);
            self.now = to;
            if ends == Some(to) {
                self.piece += 1;
            }
        }
    }

    /// A stretch in which load and Ready pods stay the same.
    fn stretch(&mut self, to: Millis) {
        let Some(rate) = self.rate() else {
            self.queue.clear();
            self.history.gap(to);
            return;
        };
        let time = to - self.now;
        let ready = self.fleet.ready(self.now);
        let service = f64::from(ready) * self.assumptions.capacity;
        let waits = Waits {
            objective: self.assumptions.objective,
            patience: self.assumptions.patience,
        };
        let flow = self.queue.pass(rate, service, time, waits);
        let waiting = self.queue.waiting(service, waits);
        self.history.add(to, flow.served, ready, waiting);
        if !self.judged() {
            return;
        }
        let outcome = &mut self.outcome;
        outcome.seconds += seconds(time);
        outcome.offered += rate * seconds(time);
        outcome.violations += flow.violations;
        outcome.refused += flow.refused;
        outcome.replica_seconds += f64::from(self.fleet.replicas()) * seconds(time);
        outcome.peak = outcome.peak.max(self.fleet.replicas());
        if rate > service {
            outcome.short_seconds += seconds(time);
        }
    }
}
