//! The end of a run: everything that was due counts, whatever is still in flight.

use std::{rc::Rc, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::LocalSet};
use tokio_util::sync::CancellationToken;

use super::{begin, contains, get, hold, quiet, rate, scenario, server::Server, target, template};
use crate::{
    clock::RunClock,
    engine::{
        journey,
        plan::{Plan, UserId},
        recorder::{Message, Totals},
        sharing::PerUser,
        worker::{Share, Worker},
    },
    http::{Protocol, Target},
    model::measured::{Measured, WebSockets},
    scenario::{
        model::{Action, Scenario},
        payload::Payload,
        websocket::Part,
    },
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn send(text: &str) -> Part {
    Part::Send(Payload::Text(template(text)))
}

fn awaits(text: &str) -> Part {
    Part::Await(contains(text), None)
}

/// Ten connections in half a second, after which the load ends. An answer may take as long as `timeout`.
async fn ten(path: &str, sequence: Vec<Part>, timeout: Duration) -> Measured {
    let server = Server::plain().await;
    let mut websocket = quiet(path, MINUTE);
    websocket.sequence = sequence;
    let mut scenario = scenario(rate(20.0, SECOND / 2), vec![Action::WebSocket(websocket)]);
    scenario.timeout = timeout;
    let target = target(&server.url, Protocol::Http1, None);
    begin(scenario, &target).finish().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_awaited_after_another_when_the_load_ends_has_failed_if_it_never_comes() {
    // The first answer comes late. A full timeout for the second would end long after the time that one
    // answer has.
    let sequence = vec![send("one"), awaits("one"), awaits("two")];
    let measured = ten("/reply/1500", sequence, 2 * SECOND).await;
    assert_eq!((measured.total.answered, measured.total.failed()), (0, 10));
    let causes: Vec<&String> = measured.total.failures.keys().collect();
    assert_eq!(causes, ["WebSocket: no awaited message in time"]);
    let websocket = measured.websocket.unwrap();
    assert_eq!((websocket.connected, websocket.held), (10, Some(0)));
    assert!(websocket.unanswered >= Some(10), "{websocket:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_goes_home_in_a_pause_has_the_answers_to_all_that_it_asked() {
    let sequence = vec![send("one"), Part::Pause(MINUTE), awaits("one")];
    let measured = ten("/reply/1000", sequence.clone(), MINUTE).await;
    assert_eq!(measured.total.answered, 10, "{:?}", measured.total.failures);
    assert_eq!(measured.websocket.unwrap().round_trip.count(), 10);
    let measured = ten("/silent", sequence, 2 * SECOND).await;
    assert_eq!((measured.total.answered, measured.total.failed()), (0, 10));
}

/// A worker in the middle of a run, and the channel to which it hands its measurements.
fn worker(scenario: &Scenario, target: &Target) -> (Rc<Worker>, mpsc::UnboundedReceiver<Message>) {
    let (messages, received) = mpsc::unbounded_channel();
    let share = Share {
        index: 0,
        threads: 1,
        part: scenario.part,
        connections: 10,
        per_user: PerUser::default(),
        precise: false,
        clock: RunClock::begins_in(Duration::ZERO),
        turns: Vec::new(),
        counters: Arc::default(),
        end_early: CancellationToken::new(),
        messages,
    };
    let plan = Plan::new(scenario, target).unwrap();
    let worker = Worker::new(share, scenario, target, plan);
    (Rc::new(worker), received)
}

/// Begins one journey of this step and drops it as soon as `reached` holds. Returns the totals handed on
/// after that.
fn dropped(url: &str, action: Action, reached: impl Fn(&Worker) -> bool) -> Totals {
    let target = target(url, Protocol::Http1, None);
    let scenario = scenario(rate(1.0, SECOND), vec![action]);
    let (worker, mut received) = worker(&scenario, &target);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let users = LocalSet::new();
    let under_way = async {
        journey::begin(&worker, UserId { lane: 0, number: 0 }, Duration::ZERO);
        while !reached(&worker) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    users
        .block_on(&runtime, async { tokio::time::timeout(MINUTE, under_way).await })
        .unwrap();
    drop(users);
    worker.finish();
    assert_eq!(Rc::strong_count(&worker), 1);
    loop {
        if let Message::Totals(totals) = received.blocking_recv().unwrap() {
            return *totals;
        }
    }
}

#[test]
fn who_is_dropped_under_way_counts_as_failed() {
    let servers = tokio::runtime::Runtime::new().unwrap();
    let server = servers.block_on(Server::plain());
    let asked = |worker: &Worker| worker.target.pool.usage().opened_so_far() > 0;
    let talks = |worker: &Worker| {
        let mut sent = 0;
        worker.recorder.websockets(|all| sent = all.messages.0);
        sent > 0
    };
    let of = |totals: &Totals| {
        let step = &totals.steps[0];
        (
            step.requests.due,
            step.requests.answered,
            step.failures.values().sum::<u64>(),
        )
    };
    let sockets = |all: &WebSockets| (all.connected, all.failures.values().sum::<u64>(), all.unanswered);

    let request = dropped(&server.url, get("/after/60000"), asked);
    assert_eq!(of(&request), (1, 0, 1));
    let connecting = Action::WebSocket(quiet("/after/60000", MINUTE));
    let connecting = dropped(&server.url, connecting, asked);
    assert_eq!(of(&connecting), (1, 0, 1));
    assert_eq!(sockets(&connecting.websockets), (0, 1, Some(0)));
    let held = dropped(&server.url, hold("/silent", MINUTE), talks);
    assert_eq!(of(&held), (1, 0, 1));
    let (connected, failed, unanswered) = sockets(&held.websockets);
    assert_eq!((connected, failed), (1, 1));
    assert!(unanswered > Some(0), "{unanswered:?}");
}
