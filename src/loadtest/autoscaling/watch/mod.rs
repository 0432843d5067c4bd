//! What a workload does while a test runs, on the clock of its load.
//!
//! ```text
//! follow   one kind of objects, as they change        objects   which objects, and what is told of them
//! metrics  the metrics of the HPA, read each second    memory    what the pods use
//! ```
//!
//! What is seen becomes a [`Scaling`] in `loadtest::autoscaling::observer`. Nothing is written to the cluster.

mod follow;
mod memory;
pub(in crate::loadtest) mod metrics;
mod objects;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::observer::Observer;
use crate::loadtest::{
    clock::RunClock,
    cluster::{
        error::{ClusterError, wait},
        resource::{Resource, Subject},
    },
    model::scaling::{Moment, Scaling},
};

/// Longest wait for the first look at everything.
const FIRST_LOOK: Duration = Duration::from_secs(15);

/// What the watches share.
#[derive(Clone, Debug)]
struct Notes {
    clock: Arc<OnceLock<RunClock>>,
    observer: Arc<Mutex<Observer>>,
    /// The last thing that went wrong; watches try again by themselves.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Notes {
    /// Now, on the clock of the load; zero before it begins.
    fn now(&self) -> Moment {
        self.clock.get().map_or(0.0, RunClock::now)
    }
}

/// A running watch. Dropped, it ends.
#[derive(Debug)]
pub struct Watch {
    notes: Notes,
    _tasks: JoinSet<()>,
}

impl Watch {
    /// Begins to watch a workload and its HPA, as it is now.
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

    /// Waits until target, HPA and pods have been seen.
    ///
    /// # Errors
    /// When they were not in time.
    pub async fn first_look(&self) -> Result<(), ClusterError> {
        let complete = wait(FIRST_LOOK, async || Ok(self.look(Observer::is_complete)));
        if complete.await? {
            return Ok(());
        }
        let trouble = self.notes.trouble.lock().clone();
        Err(ClusterError::Precondition(format!(
            "cannot watch the workload, its HPA and its pods: {}",
            trouble.unwrap_or_else(|| "the API server does not answer".to_owned())
        )))
    }

    /// The load begins: until now everything was seen at its beginning.
    pub fn begin(&self, clock: RunClock) {
        // A test has one load.
        let _ = self.notes.clock.set(clock);
    }

    /// Looks at what was seen so far.
    pub fn look<T>(&self, at: impl FnOnce(&Observer) -> T) -> T {
        at(&self.notes.observer.lock())
    }

    /// Ends the watch.
    pub fn end(self) -> Scaling {
        self.look(|observer| observer.scaling().clone())
    }
}
