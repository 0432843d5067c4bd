//! What one user does: the steps of its journey, one after another.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{
    body::{Body, Known, text_of},
    due::Due,
    inputs::Drawer,
    next::Next,
    plan::{PlannedAction, PlannedJourney, PlannedRequest, PlannedStep, UserId, pause},
    recorder::Times,
    turns::Turns,
    websocket::{self, Owner},
    worker::{Reached, Worker},
};
use crate::{
    http::{Answer, Asking, Detail, Failure, Jar, LARGEST_BODY, Own, decoded, set_by},
    scenario::extract::Extract,
};

/// Largest value that a user takes from an answer, in bytes: each user keeps its values, and there may be thousands
/// of users.
const LARGEST_VALUE: usize = 256 * 1024;

/// One user, with what it remembers from step to step.
#[derive(Debug)]
pub(super) struct User {
    /// Number among the users of all loads.
    number: u64,
    /// Whether no turn follows the first one (open model).
    is_open: bool,
    /// Values of the variables in templates.
    pub(super) values: BTreeMap<String, String>,
    /// Which steps the user has done; it skips a step with `once` that it has done.
    done: Vec<bool>,
    turns: u64,
    /// Random numbers of its pauses, rows and values.
    random: fastrand::Rng,
    /// The user's cookies; `None` where it keeps none.
    cookies: Option<RefCell<Jar>>,
    /// The user's own connections: for each host as many as it sends requests at once. None when all users share
    /// connections.
    connections: Vec<Own>,
    /// The most requests that it sends at once.
    at_once: usize,
}

/// Begins one journey that is due at `intended` (open model).
pub(super) fn begin(worker: &Rc<Worker>, id: UserId, intended: Duration) {
    let worker = worker.clone();
    entered(&worker);
    tokio::task::spawn_local(async move {
        if let Some(journey) = worker.plan.journey_of(id) {
            let mut user = User::new(id, journey, &worker);
            user.turn(&worker, journey, intended, &worker.stop).await;
        }
        left(&worker);
    });
}

/// Lets a user take turn after turn until `stop` is cancelled or no turn is left (closed model).
pub(super) fn live(worker: &Rc<Worker>, id: UserId, stop: CancellationToken) {
    let worker = worker.clone();
    entered(&worker);
    tokio::task::spawn_local(async move {
        if let Some(journey) = worker.plan.journey_of(id) {
            let mut user = User::new(id, journey, &worker);
            let turns = worker.share.turns.get(id.lane).and_then(Option::as_deref);
            while !stop.is_cancelled() && !worker.share.end_early.is_cancelled() {
                // A turn may fail without waiting for anything. The loop must still yield, so that other
                // users get their turn and the run can end.
                tokio::task::coop::consume_budget().await;
                if !turns.is_none_or(Turns::begin) {
                    break;
                }
                let now = worker.share.clock.elapsed();
                user.turn(&worker, journey, now, &stop).await;
                if let Some(turns) = turns {
                    turns.end();
                }
            }
        }
        left(&worker);
    });
}

/// Takes one turn and no other, and returns the values that it extracted.
pub(super) async fn once(worker: &Worker, journey: &PlannedJourney) -> BTreeMap<String, String> {
    let mut user = User::new(UserId { lane: 0, number: 0 }, journey, worker);
    let now = worker.share.clock.elapsed();
    user.turn(worker, journey, now, &worker.stop).await;
    user.values
}

fn entered(worker: &Worker) {
    let concurrency = &worker.recorder.concurrency;
    concurrency.set(concurrency.get() + 1);
}

fn left(worker: &Worker) {
    let concurrency = &worker.recorder.concurrency;
    concurrency.set(concurrency.get().saturating_sub(1));
}

impl User {
    fn new(id: UserId, journey: &PlannedJourney, worker: &Worker) -> Self {
        let number = worker.plan.number_of(id);
        let is_open = worker.plan.is_open(id);
        Self {
            number,
            is_open,
            values: worker.plan.values_of(number),
            done: vec![false; journey.steps.len()],
            turns: 0,
            random: worker.plan.random(number),
            cookies: journey.cookies.then(RefCell::default),
            at_once: journey.width,
            connections: worker.own_connections(is_open, journey.width),
        }
    }

    /// Does all steps once. A failed step ends the turn, because later steps need what it would have given.
    async fn turn(
        &mut self,
        worker: &Worker,
        journey: &PlannedJourney,
        mut intended: Duration,
        stop: &CancellationToken,
    ) {
        self.values.insert("iteration".to_owned(), self.turns.to_string());
        let drawer = Drawer {
            user: self.number,
            turn: self.turns,
            random: &mut self.random,
            counters: &worker.share.counters,
            clock: worker.share.clock,
        };
        journey.draws.draw(&mut self.values, drawer);
        self.turns += 1;
        let mut place = 0;
        loop {
            let (places, after) = journey.at(place, &mut self.random);
            place = after;
            let Some(planned) = journey.steps.get(places.clone()) else {
                return;
            };
            let Some(last) = planned.last() else {
                return;
            };
            if last.once && self.done.get(places.start).copied().unwrap_or(false) {
                continue;
            }
            let next = match planned {
                [only] => self.step(worker, only, intended, stop).await,
                batch => self.batch(worker, batch, intended).await,
            };
            if let (Next::Step, Some(done)) = (next, self.done.get_mut(places)) {
                done.fill(true);
            }
            // Nobody pauses when the run stops, nor after the last step in the open model, where no further
            // turn follows.
            let is_last = after >= journey.steps.len();
            let no_pause = stop.is_cancelled() || (is_last && self.is_open);
            if !no_pause && !rest(pause(last.think, &mut self.random), stop).await {
                return;
            }
            if next == Next::Turn || stop.is_cancelled() {
                return;
            }
            intended = worker.share.clock.elapsed();
        }
    }

    async fn step(
        &mut self,
        worker: &Worker,
        planned: &PlannedStep,
        intended: Duration,
        stop: &CancellationToken,
    ) -> Next {
        let due = Due::new(worker, planned.id, intended);
        match &planned.action {
            PlannedAction::Request(request) => {
                let own = self.connections.get_mut(planned.host * self.at_once);
                let host = worker.host(planned.host);
                let user = Owner {
                    values: &self.values,
                    cookies: self.cookies.as_ref(),
                };
                let asked = ask(worker, host, due, request, user, own).await;
                self.counted(request, asked)
            }
            PlannedAction::WebSocket(socket) => {
                // At the limit the user gives up a connection of its own for the WebSocket.
                let own = self.connections.iter_mut().find(|own| own.is_open());
                let user = Owner {
                    values: &self.values,
                    cookies: self.cookies.as_ref(),
                };
                let host = worker.host(planned.host);
                websocket::hold(worker, due, (host, socket), user, own, stop).await
            }
        }
    }

    /// Sends requests at once, each on a connection of its own where the user has its own. One that fails ends
    /// the turn when all are over.
    async fn batch(&mut self, worker: &Worker, batch: &[PlannedStep], intended: Duration) -> Next {
        let user = Owner {
            values: &self.values,
            cookies: self.cookies.as_ref(),
        };
        let at_once = self.at_once;
        let mut own: Vec<Option<&mut Own>> = self.connections.iter_mut().map(Some).collect();
        let asking = batch.iter().enumerate().filter_map(|(place, step)| {
            let PlannedAction::Request(request) = &step.action else {
                return None;
            };
            let due = Due::new(worker, step.id, intended);
            let host = worker.host(step.host);
            let own = own.get_mut(step.host * at_once + place).and_then(Option::take);
            Some(async move { (request, ask(worker, host, due, request, user, own).await) })
        });
        let mut next = Next::Step;
        for (request, asked) in join_all(asking).await {
            if self.counted(request, asked) == Next::Turn {
                next = Next::Turn;
            }
        }
        next
    }

    /// Judges the answer to a request, and counts it.
    fn counted(&mut self, request: &PlannedRequest, asked: Asked<'_>) -> Next {
        let Asked { due, times, answer } = asked;
        let failure = answer.and_then(|answer| self.judge(request, &answer)).err();
        let next = if failure.is_some() { Next::Turn } else { Next::Step };
        due.ended(times, failure);
        next
    }

    /// Checks the answer, and extracts the values that later steps need.
    fn judge(&mut self, request: &PlannedRequest, answer: &Answer) -> Result<(), Failure> {
        if !request.expect.hold(answer.status) {
            return Err(Failure::Status(answer.status));
        }
        if request.checks.is_empty() && request.extract.is_empty() {
            return Ok(());
        }
        let decoded = decoded(&answer.headers, &answer.body, LARGEST_BODY)?;
        let body = Body::new(&decoded);
        let known = Known {
            headers: Some(&answer.headers),
            values: &self.values,
        };
        for check in &request.checks {
            body.fulfils(check, known)?;
        }
        for (name, from) in &request.extract {
            let value = match from {
                Extract::Json(pointer) => body.at(pointer).map(text_of),
                Extract::Regex(pattern) => {
                    let found = pattern.first_in(body.bytes());
                    found.map(|found| String::from_utf8_lossy(found).into_owned())
                }
                Extract::Css(css) => css.first_in(body.bytes()),
                Extract::Cookie(name) => set_by(&answer.headers, name).map(str::to_owned),
                Extract::Header(header) => answer
                    .headers
                    .get(header.as_str())
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned),
            };
            let missing = || Failure::Check(format!("nothing to take {{{{{name}}}}} from"), Detail::NONE);
            let value = value.ok_or_else(missing)?;
            if value.len() > LARGEST_VALUE {
                let words = format!(
                    "what is there for {{{{{name}}}}} is larger than {} KiB",
                    LARGEST_VALUE >> 10
                );
                return Err(Failure::Check(words, Detail::NONE));
            }
            self.values.insert(name.clone(), value);
        }
        Ok(())
    }
}

/// A request that is over and not judged yet. What follows is not the work of the service.
struct Asked<'a> {
    due: Due<'a>,
    times: Times,
    answer: Result<Answer, Failure>,
}

/// Sends one request and waits for its answer.
async fn ask<'a>(
    worker: &'a Worker,
    host: &Reached,
    due: Due<'a>,
    request: &PlannedRequest,
    user: Owner<'_>,
    own: Option<&mut Own>,
) -> Asked<'a> {
    let outgoing = match request.outgoing(host.pool.target(), user.values) {
        Ok(outgoing) => outgoing,
        Err(failure) => {
            return Asked {
                times: due.times(None),
                due,
                answer: Err(failure),
            };
        }
    };
    let asking = Asking {
        pool: &host.pool,
        keep_body: request.reads_body(),
        timeout: worker.timeout,
        clock: worker.share.clock,
        cookies: user.cookies,
    };
    let exchanged = if request.follow {
        worker.follower.exchange(asking, own, &outgoing).await
    } else {
        asking.exchange(own, &outgoing, worker.timeout).await
    };
    let times = due.times(exchanged.sent);
    worker.recorder.traffic(due.step(), &exchanged.traffic);
    if exchanged.retried {
        worker.recorder.retried(due.step(), times);
    }
    Asked {
        due,
        times,
        answer: exchanged.answer,
    }
}

/// Pauses. The result is `false` when `stop` is cancelled before the pause is over.
pub(super) async fn rest(pause: Duration, stop: &CancellationToken) -> bool {
    if pause.is_zero() {
        return true;
    }
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}
