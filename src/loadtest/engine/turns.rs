//! A fixed number of turns, which the users of all threads share.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Ending;
use crate::model::measured::End;

/// The turns of a run that ends after a number of them.
#[derive(Debug)]
pub(super) struct Turns {
    /// Turns that no user has begun.
    left: AtomicU64,
    /// Turns that are not over.
    open: AtomicU64,
    ending: Ending,
}

impl Turns {
    /// This many turns. The end of the last one ends the load.
    pub(super) fn new(turns: u64, ending: Ending) -> Self {
        Self {
            left: AtomicU64::new(turns),
            open: AtomicU64::new(turns),
            ending,
        }
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
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ending.order(End::Completed);
        }
    }
}
