//! What tests of a group share and use one after the other, such as an installation that each of them breaks and mends.
//!
//! The first test that needs it starts it, and it ends with the last one that waits for it: a cluster that nobody uses
//! costs a tenth of a core. A test that comes later starts it again.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::{Mutex, MutexGuard};

use super::{Cluster, failure, process::Process, turn};

/// What a failed test prints of what is shared.
pub trait Shared {
    fn cluster(&self) -> &Cluster;
    fn namespace(&self) -> &str;
    fn processes(&self) -> Vec<&Process>;
}

/// A static of a group of tests.
#[derive(Debug)]
pub struct Group<T> {
    shared: Mutex<Option<T>>,
    /// Tests that hold it or wait for it.
    tests: AtomicUsize,
    broken: AtomicBool,
}

impl<T: Shared> Group<T> {
    pub const fn new() -> Self {
        Self {
            shared: Mutex::const_new(None),
            tests: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// Waits for those that came before, then for the turn of this test. Starts what is shared if need be. If
    /// it does not start, all tests that need it fail, and none starts it again.
    pub async fn hold<E: std::fmt::Debug>(
        &'static self,
        start: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Held<T> {
        self.tests.fetch_add(1, Ordering::Relaxed);
        let mut shared = self.shared.lock().await;
        turn::wait_with_lock();
        assert!(
            !self.broken.load(Ordering::Relaxed),
            "it did not start for a test before this one"
        );
        if shared.is_none() {
            self.broken.store(true, Ordering::Relaxed);
            *shared = Some(start().await.expect("what is shared starts"));
            self.broken.store(false, Ordering::Relaxed);
        }
        Held {
            shared,
            tests: &self.tests,
        }
    }
}

impl<T: Shared> Default for Group<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// What is shared, held by one test. If the test fails, its state is printed.
pub struct Held<T: Shared + 'static> {
    shared: MutexGuard<'static, Option<T>>,
    tests: &'static AtomicUsize,
}

impl<T: Shared> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.shared.as_ref().expect("it is there until it is dropped")
    }
}

impl<T: Shared> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.shared.as_mut().expect("it is there until it is dropped")
    }
}

impl<T: Shared> Drop for Held<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            failure::print_namespace(self.cluster(), self.namespace());
            for process in self.processes() {
                failure::print_log(process.name(), process.log_file());
            }
        }
        if self.tests.fetch_sub(1, Ordering::Relaxed) == 1 {
            drop(self.shared.take());
        }
    }
}

/// A cluster with the install.
impl Shared for Cluster {
    fn cluster(&self) -> &Cluster {
        self
    }

    fn namespace(&self) -> &'static str {
        "vas-system"
    }

    fn processes(&self) -> Vec<&Process> {
        Vec::new()
    }
}
