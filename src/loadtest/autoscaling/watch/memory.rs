//! Reads the memory of the pods from `metrics.k8s.io` every 15 s, the interval of its own measurements.

use std::time::Duration;

use tokio::task::JoinSet;

use super::Notes;
use crate::cluster::resource::{Resource, Subject};
use vas_core::hpa::metric_reads;

/// Interval between two reads.
const EVERY: Duration = Duration::from_secs(15);

/// Starts to read the memory. A failed read is skipped.
pub(super) fn watch(tasks: &mut JoinSet<()>, resource: &Resource, subject: &Subject, notes: &Notes) {
    let path = metric_reads::usage(&resource.namespace, &subject.selector);
    let (resource, notes) = (resource.clone(), notes.clone());
    tasks.spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Ok(usage) = resource.get("read the memory of the pods", &path).await {
                notes.observer.lock().usage(notes.now(), &usage);
            }
        }
    });
}
