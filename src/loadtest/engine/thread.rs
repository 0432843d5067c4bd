//! One sending thread: its runtime, the load that it sends, and the wait for requests in flight.

use std::{io, rc::Rc, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::task::LocalSet;

use super::{
    alarm::Alarm,
    closed, open,
    plan::Plan,
    worker::{Share, Worker},
};
use crate::{
    http::Target,
    scenario::model::{Lane, Model, Scenario},
};

/// Starts a thread that sends its share of the scenario.
pub(super) fn spawn(share: Share, scenario: Arc<Scenario>, target: Target) -> io::Result<()> {
    std::thread::Builder::new()
        .name(format!("load-{}", share.index))
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                // The runtime looks at sockets after this many tasks: answers must not wait behind requests.
                .event_interval(13)
                .build();
            // Where these fail no totals are sent, and the collector knows by that that a thread was lost.
            if let (Ok(runtime), Ok(plan)) = (runtime, Plan::new(&scenario, &target)) {
                let users = LocalSet::new();
                let ran = users.block_on(&runtime, run(share, scenario, target, plan));
                // Dropping a user that is still in progress counts its request as failed. The totals must
                // come after that.
                drop(users);
                if let Some(worker) = ran {
                    worker.finish();
                }
            }
        })
        .map(drop)
}

/// Sends the load and waits for requests in flight. `None` where the runtime cannot wait for moments.
async fn run(share: Share, scenario: Arc<Scenario>, target: Target, plan: Plan) -> Option<Rc<Worker>> {
    let worker = Rc::new(Worker::new(share, &scenario, &target, plan));
    // Each load waits for moments of its own.
    let alarm = |_: &Lane| Alarm::new(worker.share.clock, worker.share.precise).ok();
    let lanes = scenario.lanes();
    let alarms: Vec<Alarm> = lanes.iter().map(alarm).collect::<Option<_>>()?;
    let ticks = tokio::task::spawn_local(roll(worker.clone()));
    let loads = lanes.iter().zip(&alarms).enumerate();
    join_all(loads.map(|(number, (lane, alarm))| run_lane(&worker, number, lane, alarm))).await;
    // The order matters: answers from here on do not count in the rate, then users stop before their next
    // step, and then the requests in flight are awaited.
    worker.recorder.load_is_over();
    worker.stop.cancel();
    drain(&worker, patience(&scenario)).await;
    ticks.abort();
    Some(worker)
}

/// Sends one of the loads that run side by side.
async fn run_lane(worker: &Rc<Worker>, number: usize, lane: &Lane, alarm: &Alarm) {
    match lane.model {
        Model::Open => open::run(worker, number, &lane.profile, alarm).await,
        Model::Closed => closed::run(worker, number, &lane.profile, alarm).await,
    }
}

/// Closes seconds when they are over, even while no answer comes.
async fn roll(worker: Rc<Worker>) {
    let Ok(alarm) = Alarm::new(worker.share.clock, false) else {
        return;
    };
    loop {
        let next = Duration::from_secs(worker.share.clock.elapsed().as_secs() + 1);
        if alarm.until(next).await.is_err() {
            return;
        }
        worker.recorder.roll(worker.share.clock.elapsed());
    }
}

/// Waits for requests in flight; each of them has its own time limit.
async fn drain(worker: &Worker, patience: Duration) {
    const LOOK: Duration = Duration::from_millis(10);
    let until = worker.share.clock.elapsed() + patience;
    while worker.recorder.concurrency.get() > 0 && worker.share.clock.elapsed() < until {
        tokio::time::sleep(LOOK).await;
    }
}

/// How long requests may still be in flight when the load is over. A WebSocket has one timeout to connect,
/// and what is awaited on it has another.
fn patience(scenario: &Scenario) -> Duration {
    2 * scenario.timeout + Duration::from_secs(1)
}
