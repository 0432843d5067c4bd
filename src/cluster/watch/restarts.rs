//! Counts lists and watches that failed and began again.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family},
    registry::Registry,
};
use vas_core::monitoring::families::Family;

use crate::telemetry::families::register;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    watch: String,
}

/// The counts of a process by the name of the watch. A clone counts into the same.
#[derive(Clone, Debug, Default)]
pub struct Restarts(family::Family<Labels, Counter>);

impl Restarts {
    /// Shows the counts as this family, whose label is `watch`.
    pub fn register(&self, registry: &mut Registry, family: Family) {
        register(registry, family, self.0.clone());
    }

    /// The count of one watch, which is there from now on.
    pub(super) fn of(&self, watch: &str) -> Counter {
        self.0.get_or_create_owned(&Labels {
            watch: watch.to_owned(),
        })
    }
}
