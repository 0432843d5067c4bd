//! What one user does: the steps of its journey, one after another.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    body::{Body, Known, text_of},
    due::Due,
    inputs::Drawer,
    next::Next,
    plan::{PlannedAction, PlannedJourney, PlannedRequest, PlannedStep, pause},
    turns::Turns,
    websocket::{self, Owner},
    worker::Worker,
};
use crate::{
    http::{Answer, Asking, Detail, Failure, Jar, LARGEST_BODY, Own, decoded, set_by},
    scenario::extract::Extract,
};

/// One user, with what it remembers from step to step.
#[derive(Debug)]
pub(super) struct User {
    number: u64,
    /// Values of the variables in templates.
    pub(super) values: BTreeMap<String, String>,
    /// Which steps the user has done; it skips a step with `once` that it has done.
    done: Vec<bool>,
    turns: u64,
    /// Random numbers of its pauses, rows and values.
    random: fastrand::Rng,
    /// The user's cookies; `None` where it keeps none.
    cookies: Option<RefCell<Jar>>,
    /// The user's own connection for requests; `None` when all users share connections.
    connection: Option<Own>,
}

/// Begins one journey that is due at `intended` (open model).
pub(super) fn begin(worker: &Rc<Worker>, number: u64, intended: Duration) {
    let worker = worker.clone();
    entered(&worker);
    tokio::task::spawn_local(async move {
        if let Some(journey) = worker.plan.journey_of(number) {
            let mut user = User::new(number, journey, &worker);
            user.turn(&worker, journey, intended, &worker.stop).await;
        }
        left(&worker);
    });
}

/// Lets a user take turn after turn until `stop` is cancelled or no turn is left (closed model).
pub(super) fn live(worker: &Rc<Worker>, number: u64, stop: CancellationToken) {
    let worker = worker.clone();
    entered(&worker);
    tokio::task::spawn_local(async move {
        if let Some(journey) = worker.plan.journey_of(number) {
            let mut user = User::new(number, journey, &worker);
            while !stop.is_cancelled() && !worker.share.end_early.is_cancelled() {
                // A turn may fail without waiting for anything. The loop must still yield, so that other
                // users get their turn and the run can end.
                tokio::task::coop::consume_budget().await;
                let turns = worker.share.turns.as_deref();
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
    let mut user = User::new(0, journey, worker);
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
    fn new(number: u64, journey: &PlannedJourney, worker: &Worker) -> Self {
        Self {
            number,
            values: worker.plan.values_of(number),
            done: vec![false; journey.steps.len()],
            turns: 0,
            random: worker.plan.random(number),
            cookies: journey.cookies.then(RefCell::default),
            connection: worker.own_connection(),
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
            let (index, after) = journey.at(place, &mut self.random);
            place = after;
            let Some(planned) = journey.steps.get(index) else {
                return;
            };
            if planned.once && self.done.get(index).copied().unwrap_or(false) {
                continue;
            }
            let next = self.step(worker, planned, intended, stop).await;
            if let (Next::Step, Some(done)) = (next, self.done.get_mut(index)) {
                *done = true;
            }
            // Nobody pauses when the run stops, nor after the last step in the open model, where no further
            // turn follows.
            let is_last = after >= journey.steps.len();
            let no_pause = stop.is_cancelled() || (is_last && worker.is_open());
            if !no_pause && !rest(pause(planned.think, &mut self.random), stop).await {
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
            PlannedAction::Request(request) => self.request(worker, due, request).await,
            PlannedAction::WebSocket(socket) => {
                let own = self.connection.as_mut();
                let user = Owner {
                    values: &self.values,
                    cookies: self.cookies.as_ref(),
                };
                websocket::hold(worker, due, socket, user, own, stop).await
            }
        }
    }

    async fn request(&mut self, worker: &Worker, due: Due<'_>, request: &PlannedRequest) -> Next {
        let outgoing = match worker.plan.outgoing(request, &self.values) {
            Ok(outgoing) => outgoing,
            Err(failure) => {
                let times = due.times(None);
                due.ended(times, Some(failure));
                return Next::Turn;
            }
        };
        let asking = Asking {
            pool: &worker.pool,
            keep_body: request.reads_body(),
            timeout: worker.timeout,
            clock: worker.share.clock,
            cookies: self.cookies.as_ref(),
        };
        let own = self.connection.as_mut();
        let exchanged = if request.follow {
            worker.follower.exchange(asking, own, &outgoing).await
        } else {
            asking.exchange(own, &outgoing, worker.timeout).await
        };
        // The request is over before its answer is judged: to judge is not the work of the service.
        let times = due.times(exchanged.sent);
        worker.recorder.traffic(due.step(), &exchanged.traffic);
        if exchanged.retried {
            worker.recorder.retried(due.step(), times);
        }
        let failure = exchanged
            .answer
            .and_then(|answer| self.judge(request, &answer))
            .err();
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
            self.values.insert(name.clone(), value.ok_or_else(missing)?);
        }
        Ok(())
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
