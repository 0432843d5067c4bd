//! Ends a load early.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::model::measured::End;

/// A handle that ends a load early. Only the first order counts.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    stop: CancellationToken,
    end: Arc<Mutex<Option<(End, Instant)>>>,
}

impl Ending {
    /// Ends the load. No further requests begin, and those in flight are awaited.
    #[expect(
        clippy::disallowed_methods,
        reason = "the moment of the order ends the time of sending"
    )]
    pub fn order(&self, end: End) {
        self.end.lock().get_or_insert_with(|| (end, Instant::now()));
        self.stop.cancel();
    }

    /// Cancelled with the first order.
    pub(super) fn is_ordered(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// The first order and the moment at which it was given.
    pub(super) fn given(&self) -> Option<(End, Instant)> {
        self.end.lock().clone()
    }
}
