//! The open model: journeys begin when they are due, however fast the service answers.

use std::{rc::Rc, time::Duration};

use super::{alarm::Alarm, journey, plan::UserId, worker::Worker};
use crate::scenario::rate::Profile;

/// Waits longer than this can be interrupted by the end of the load.
const LONG: Duration = Duration::from_millis(50);

/// After this many journeys in a row the thread yields, so that sockets are served.
const AT_ONCE: u32 = 16;

/// Begins this thread's share of the journeys of a load: of four threads, thread 1 begins journeys 1, 5, 9, ...
pub(super) async fn run(worker: &Rc<Worker>, lane: usize, profile: &Profile, alarm: &Alarm) {
    let (first, step) = worker.share.numbers();
    let mut moments = profile.moments(first, step);
    let (mut number, mut in_a_row) = (first, 0);
    while let Some(due) = moments.next() {
        if !wait(worker, due, alarm).await {
            // The load was stopped. What was due before now and was not begun counts as unsent.
            let now = worker.share.clock.elapsed();
            let missed = std::iter::once(due).chain(moments).take_while(|due| *due < now);
            worker
                .recorder
                .unsent(u64::try_from(missed.count()).unwrap_or(u64::MAX));
            return;
        }
        journey::begin(worker, UserId { lane, number }, due);
        number += step;
        in_a_row += 1;
        if in_a_row >= AT_ONCE {
            in_a_row = 0;
            tokio::task::yield_now().await;
        }
    }
    // A profile may end with a pause, and the pause belongs to the run.
    wait(worker, profile.duration(), alarm).await;
}

/// Waits until a moment. The result is `false` when the load is to end before it.
pub(super) async fn wait(worker: &Worker, due: Duration, alarm: &Alarm) -> bool {
    let stop = &worker.share.end_early;
    // `select!` costs more than many waits last: short waits look at `stop` only afterwards.
    if due.saturating_sub(worker.share.clock.elapsed()) > LONG || worker.share.clock.now() < 0.0 {
        return tokio::select! {
            biased;
            () = stop.cancelled() => false,
            rung = alarm.until(due) => rung.is_ok(),
        };
    }
    alarm.until(due).await.is_ok() && !stop.is_cancelled()
}
