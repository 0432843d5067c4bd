//! The evidence on a story: samples, pods, syncs and what was written.

use std::collections::BTreeMap;

use super::{Moment, Pods, Sample, Track};

/// Everything about one HPA and its target.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    /// The pods under the target's selector.
    pub pods: Track<Pods>,
    /// `status.replicas` of the target.
    pub status_replicas: Track<i32>,
    /// What each metric of the HPA would have returned, by the name of the metric.
    pub feeds: BTreeMap<String, Feed>,
    /// The HPA controller's syncs, in order.
    pub syncs: Vec<Sync>,
    /// `spec.replicas` of the target before the first sync.
    pub initial: i32,
}

/// A metric's readings over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Feed {
    /// What a reader would have got from the source at each moment.
    pub readings: Track<Reading>,
    /// How much older than the sync the reading may be that it saw, in seconds.
    pub lag: Moment,
}

/// An answer of a metrics API.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reading {
    /// An error: there is no usable data.
    Missing,
    /// One number, in milli-units.
    Object(i64),
    /// A number for each pod.
    PerPod(BTreeMap<String, Sample>),
}

/// One sync of the controller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sync {
    /// Moment at which it read the metrics.
    pub at: Moment,
    /// The count it wrote; `None` if it wrote nothing.
    pub wrote: Option<i32>,
    /// Whether the evidence is complete at this moment. Earlier syncs only add to the history.
    pub judged: bool,
}
