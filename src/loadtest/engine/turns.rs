//! A fixed number of turns, which the users of all threads share. Each load has its own, and the run ends with
//! the last turn of all loads, if every load has a fixed number.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::Ending;
use crate::{
    model::measured::End,
    scenario::model::{Lane, Scenario},
};

/// The turns of one load.
#[derive(Debug)]
pub(super) struct Turns {
    /// Turns that no user has begun.
    left: AtomicU64,
    run: Arc<Run>,
}

/// The turns of all loads together.
#[derive(Debug)]
struct Run {
    /// Turns that are not over; `None` where a load goes on for as long as its profile.
    open: Option<AtomicU64>,
    ending: Ending,
}

impl Turns {
    /// The turns of this process's part of each load; `None` for one without a fixed number. The end of the last turn ends the run.
    pub(super) fn of(scenario: &Scenario, ending: &Ending) -> Vec<Option<Arc<Self>>> {
        let part = scenario.part;
        let own = |lane: &Lane| lane.iterations.map(|turns| part.share(turns));
        let lanes = scenario.lanes();
        let all = lanes
            .iter()
            .try_fold(0_u64, |all, lane| Some(all.saturating_add(own(lane)?)));
        let run = Arc::new(Run {
            open: all.map(AtomicU64::new),
            ending: ending.clone(),
        });
        let turns = |turns: u64| {
            Arc::new(Self {
                left: AtomicU64::new(turns),
                run: run.clone(),
            })
        };
        lanes.iter().map(|lane| own(lane).map(turns)).collect()
    }

    /// Takes a turn. The result is `false` if none is left.
    pub(super) fn begin(&self) -> bool {
        let less_one = |left: u64| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one)
            .is_ok()
    }

    /// A turn that was begun is over.
    pub(super) fn end(&self) {
        let open = self.run.open.as_ref();
        if open.is_some_and(|open| open.fetch_sub(1, Ordering::AcqRel) == 1) {
            self.run.ending.order(End::Completed);
        }
    }
}
