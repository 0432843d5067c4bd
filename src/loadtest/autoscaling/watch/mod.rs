//! Observes a workload while a test runs, on the time axis of the load.
//!
//! ```text
//! follow   one kind of objects, as they change        objects   which objects, and what is noted of them
//! metrics  the metrics of the HPA, read each second    memory    memory of the pods
//! ```
//!
//! `loadtest::autoscaling::observer` turns the observations into a [`Scaling`]. Nothing is written to the
//! cluster.

mod follow;
mod memory;
pub(crate) mod metrics;
mod objects;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::observer::Observer;
use crate::{
    clock::RunClock,
    cluster::{
        error::{ClusterError, wait},
        resource::{Resource, Subject},
    },
    model::scaling::{Moment, Scaling},
};

/// Longest wait until every object was seen once.
const INITIAL_SYNC: Duration = Duration::from_secs(15);

/// The state that the watches share.
#[derive(Clone, Debug)]
struct Notes {
    clock: Arc<OnceLock<RunClock>>,
    observer: Arc<Mutex<Observer>>,
    /// The last error of a watch. Watches try again by themselves.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Notes {
    /// Seconds since the load began; zero before it begins.
    fn now(&self) -> Moment {
        self.clock.get().map_or(0.0, RunClock::now)
    }
}

/// A running watch. It ends when it is dropped.
#[derive(Debug)]
pub struct Watch {
    notes: Notes,
    _tasks: JoinSet<()>,
}

impl Watch {
    /// Starts to watch a workload and its HPA.
    pub fn start(resource: &Resource, subject: &Subject, hpa: &HorizontalPodAutoscaler) -> Self {
        let target = format!("{}/{}", subject.target.kind.to_lowercase(), subject.target.name);
        let observer = Observer::new(&resource.namespace, &target, &subject.hpa, subject.bounds);
        let notes = Notes {
            clock: Arc::default(),
            observer: Arc::new(Mutex::new(observer)),
            trouble: Arc::default(),
        };
        let mut tasks = JoinSet::new();
        objects::watch(&mut tasks, resource, subject, &notes);
        metrics::watch(&mut tasks, resource, subject, hpa, &notes);
        memory::watch(&mut tasks, resource, subject, &notes);
        Self { notes, _tasks: tasks }
    }

    /// Waits until scale target, HPA and pods have been seen.
    ///
    /// # Errors
    /// When they were not seen in time.
    pub async fn initial_sync(&self) -> Result<(), ClusterError> {
        let complete = wait(INITIAL_SYNC, async || Ok(self.read(Observer::is_complete)));
        if complete.await? {
            return Ok(());
        }
        let trouble = self.notes.trouble.lock().clone();
        Err(ClusterError::Precondition(format!(
            "cannot watch the workload, its HPA and its pods: {}",
            trouble.unwrap_or_else(|| "the API server does not answer".to_owned())
        )))
    }

    /// The load begins. Everything seen so far has the moment zero.
    pub fn begin(&self, clock: RunClock) {
        // A test has one load, so the clock is set once.
        let _ = self.notes.clock.set(clock);
    }

    /// Lets `at` read what was seen so far.
    pub fn read<T>(&self, at: impl FnOnce(&Observer) -> T) -> T {
        at(&self.notes.observer.lock())
    }

    /// Ends the watch, and returns what was seen.
    pub fn end(self) -> Scaling {
        self.read(|observer| observer.scaling().clone())
    }
}
