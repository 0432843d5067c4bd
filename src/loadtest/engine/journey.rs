//! What one user does: the steps of its journey, one after another.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    body::Body,
    due::Due,
    plan::{PlannedAction, PlannedJourney, PlannedRequest, PlannedStep, pause},
    websocket,
    worker::Worker,
};
use crate::loadtest::{
    http::{Answer, Asking, Detail, Failure, LARGEST_BODY, Own, decoded},
    scenario::model::Extract,
};

/// What a user knows.
#[derive(Debug, Default)]
pub(super) struct User {
    /// Variables of the templates.
    pub(super) values: BTreeMap<String, String>,
    /// Steps it has done that are done once.
    done: Vec<bool>,
    turns: u64,
    /// The connection for its requests, unless they share those of all users.
    connection: Option<Own>,
}

/// Whether the rest of the journey makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Step,
    Turn,
}

/// Begins one journey that is due at `intended` (open model).
pub(super) fn begin(worker: &Rc<Worker>, number: u64, intended: Duration) {
    let worker = worker.clone();
    entered(&worker);
    tokio::task::spawn_local(async move {
        if let Some(journey) = worker.plan.journey_of(number) {
            let mut user = User::new(number, journey, worker.own_connection());
            user.turn(&worker, journey, intended, &worker.home).await;
        }
        left(&worker);
    });
}

/// Lets a user take turn after turn until it is to go home (closed model).
pub(super) fn live(worker: &Rc<Worker>, number: u64, home: CancellationToken) {
    let worker = worker.clone();
    entered(&worker);
    tokio::task::spawn_local(async move {
        if let Some(journey) = worker.plan.journey_of(number) {
            let mut user = User::new(number, journey, worker.own_connection());
            while !home.is_cancelled() && !worker.share.stop.is_cancelled() {
                // A turn may fail without waiting for anything: others must have theirs, and the run its end.
                tokio::task::coop::consume_budget().await;
                let now = worker.share.clock.elapsed();
                user.turn(&worker, journey, now, &home).await;
            }
        }
        left(&worker);
    });
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
    fn new(number: u64, journey: &PlannedJourney, connection: Option<Own>) -> Self {
        Self {
            values: BTreeMap::from([("user".to_owned(), number.to_string())]),
            done: vec![false; journey.steps.len()],
            turns: 0,
            connection,
        }
    }

    /// All steps once. A failed step ends the turn: what follows would ask for what is not there.
    async fn turn(
        &mut self,
        worker: &Worker,
        journey: &PlannedJourney,
        mut intended: Duration,
        home: &CancellationToken,
    ) {
        self.values.insert("iteration".to_owned(), self.turns.to_string());
        self.turns += 1;
        let last = journey.steps.len().saturating_sub(1);
        for (index, step) in journey.steps.iter().enumerate() {
            if step.once && self.done.get(index).copied().unwrap_or(false) {
                continue;
            }
            let next = self.step(worker, step, intended, home).await;
            if let (Next::Step, Some(done)) = (next, self.done.get_mut(index)) {
                *done = true;
            }
            // Journeys of the open model are not begun again: nobody waits after their last step.
            let again = home.is_cancelled() || (index == last && worker.is_open());
            if !again && !rest(pause(step.think), home).await {
                return;
            }
            if next == Next::Turn || home.is_cancelled() {
                return;
            }
            intended = worker.share.clock.elapsed();
        }
    }

    async fn step(
        &mut self,
        worker: &Worker,
        step: &PlannedStep,
        intended: Duration,
        home: &CancellationToken,
    ) -> Next {
        let due = Due::new(worker, step.id, intended);
        match &step.action {
            PlannedAction::Request(request) => self.request(worker, due, request).await,
            PlannedAction::WebSocket(socket) => {
                let own = self.connection.as_mut();
                websocket::hold(worker, due, socket, &self.values, own, home).await
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
        };
        let own = self.connection.as_mut();
        let exchanged = if request.follow {
            worker.follower.exchange(asking, own, &outgoing).await
        } else {
            asking.exchange(own, &outgoing, worker.timeout).await
        };
        // Before the answer is judged, which is no work of the service.
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

    /// Whether an answer is as it should be; takes out of it what later steps need.
    fn judge(&mut self, request: &PlannedRequest, answer: &Answer) -> Result<(), Failure> {
        if !request.expect.hold(answer.status) {
            return Err(Failure::Status(answer.status));
        }
        if !request.reads_body() && request.extract.is_empty() {
            return Ok(());
        }
        let decoded = decoded(&answer.headers, &answer.body, LARGEST_BODY)?;
        let body = Body::new(&decoded);
        for check in &request.checks {
            body.fulfils(check)?;
        }
        for (name, from) in &request.extract {
            let value = match from {
                Extract::Json(pointer) => body.at(pointer).map(text_of),
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

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Pauses; `false` when the user is to go home before.
pub(super) async fn rest(pause: Duration, home: &CancellationToken) -> bool {
    if pause.is_zero() {
        return true;
    }
    tokio::select! {
        biased;
        () = home.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}
