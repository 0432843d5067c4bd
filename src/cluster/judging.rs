//! Runs the validation and evaluation of resources on blocking threads: at most two at once, and the
//! namespaces take turns.
//!
//! To judge a resource means to parse what its author wrote. The cost of each resource is bounded, but a
//! tenant may write many. So this work never runs on the runtime's own threads, where requests, polls and
//! lease renewals go on. A namespace has at most one piece of work queued or running. Example: namespace A
//! has 1000 resources to judge and B has one. The one of B runs beside the first one of A, not after 1000.
//! Used by the operator and by the metrics server.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
    task::JoinError,
};

/// Pieces of work that run at the same time. Two, so that slow work of one tenant leaves a thread for the
/// others.
const AT_ONCE: usize = 2;

/// The queue of the work to judge resources, with one place for each namespace.
#[derive(Debug)]
pub struct JudgingQueue {
    /// Permits to run. The semaphore is fair (first in, first out), so that the namespaces take turns.
    permits: Arc<Semaphore>,
    /// For each namespace that has work, a semaphore with one permit: its one place in the queue.
    namespaces: Mutex<BTreeMap<String, Weak<Semaphore>>>,
}

impl Default for JudgingQueue {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            namespaces: Mutex::default(),
        }
    }
}

/// The place of a namespace in the queue, for as long as it is kept.
#[derive(Debug)]
pub struct Held {
    /// Never an error: the semaphore is never closed.
    _place: Result<OwnedSemaphorePermit, AcquireError>,
}

impl JudgingQueue {
    /// Runs `work` for `namespace` when it is its turn. If this future is dropped before that, the work never
    /// runs; once it has begun it runs to its end.
    ///
    /// # Errors
    /// When the work panics, or when the runtime shuts down.
    pub async fn run<T: Send + 'static>(
        &self,
        namespace: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let in_queue = self.hold(namespace).await;
        let permit = self.permits.clone().acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let _held = (in_queue, permit);
            work()
        })
        .await
    }

    /// Takes the one place of a namespace in the queue. Its work has no turn until the place is dropped.
    pub async fn hold(&self, namespace: &str) -> Held {
        Held {
            _place: self.place_of(namespace).acquire_owned().await,
        }
    }

    fn place_of(&self, namespace: &str) -> Arc<Semaphore> {
        let mut namespaces = self.namespaces.lock();
        if let Some(place) = namespaces.get(namespace).and_then(Weak::upgrade) {
            return place;
        }
        // The map holds weak references. Entries of namespaces without work are dropped here.
        namespaces.retain(|_, place| place.strong_count() > 0);
        let place = Arc::new(Semaphore::new(1));
        namespaces.insert(namespace.to_owned(), Arc::downgrade(&place));
        place
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use futures::future::join_all;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::*;

    /// Work that reports when it begins, and ends when the test releases it.
    struct Gate {
        began: UnboundedSender<&'static str>,
        held: Mutex<Vec<(&'static str, Sender<()>)>>,
    }

    impl Gate {
        fn work(self: &Arc<Self>, name: &'static str) -> impl FnOnce() + Send + 'static {
            let gate = self.clone();
            move || {
                let (end, ended) = channel();
                gate.held.lock().push((name, end));
                gate.began.send(name).unwrap();
                ended.recv().unwrap();
            }
        }

        fn end(&self, name: &str) {
            let mut held = self.held.lock();
            let index = held.iter().position(|(held, _)| *held == name).unwrap();
            held.remove(index).1.send(()).unwrap();
        }
    }

    #[tokio::test]
    async fn a_namespace_with_much_work_delays_another_by_one_piece_and_two_run_at_once() {
        let (began, mut begins) = unbounded_channel();
        let gate = Arc::new(Gate {
            began,
            held: Mutex::default(),
        });
        let queue = JudgingQueue::default();
        let much = join_all((0..100).map(|_| queue.run("much", gate.work("much"))));
        let others = async {
            tokio::task::yield_now().await;
            tokio::join!(queue.run("b", gate.work("b")), queue.run("c", gate.work("c")))
        };
        let watch = async {
            let mut first = [begins.recv().await.unwrap(), begins.recv().await.unwrap()];
            first.sort_unstable();
            assert_eq!(first, ["b", "much"]);
            assert!(begins.is_empty(), "a third runs beside two");
            gate.end("b");
            assert_eq!(begins.recv().await, Some("c"));
            gate.end("much");
            for _ in 0..99 {
                assert_eq!(begins.recv().await, Some("much"));
                gate.end("much");
            }
            gate.end("c");
        };
        let (results, _, ()) = tokio::join!(much, others, watch);
        assert!(results.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn work_that_panics_or_is_given_up_leaves_its_place() {
        let queue = JudgingQueue::default();
        for _ in 0..5 {
            assert!(
                queue
                    .run("a", || panic!("a defect"))
                    .await
                    .unwrap_err()
                    .is_panic()
            );
        }
        let held = queue.hold("a").await;
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, queue.run("a", || ()));
        assert!(given_up.await.is_err());
        drop(held);
        assert_eq!(queue.run("a", || 1).await.unwrap(), 1);
        assert_eq!(queue.run("b", || 2).await.unwrap(), 2);
        assert_eq!(
            queue.namespaces.lock().len(),
            1,
            "what waits for nothing is forgotten"
        );
    }
}
