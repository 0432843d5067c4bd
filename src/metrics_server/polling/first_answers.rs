//! Whether every query was sent to Prometheus once. Readiness waits for that: a replica without values would
//! answer the HPA with errors where another replica has the number.
//!
//! It does not matter what Prometheus answered, and the wait for a query that hangs is limited. Without
//! Prometheus the right answer is an error that says why.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use crate::metrics::reads::Memory;

/// Longest wait after both lists are complete.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Time between two checks.
const INTERVAL: Duration = Duration::from_millis(100);

/// Whether the first round of queries has ended.
#[derive(Debug, Default)]
pub(crate) struct FirstAnswers(AtomicBool);

impl FirstAnswers {
    /// Whether the round has ended.
    pub(crate) fn are_in(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for the lists and then for the round. Never returns, like the other tasks of the server.
    pub(crate) async fn follow(&self, memory: &Memory, lists: [watch::Receiver<bool>; 2]) {
        for mut list in lists {
            // The sender lives as long as the process, so the channel does not close.
            let _ = list.wait_for(|complete| *complete).await;
        }
        // From here on the registry is complete, so every shape that has no outcome yet is one to wait for.
        let round = async {
            while !was_everything_asked(memory) {
                tokio::time::sleep(INTERVAL).await;
            }
        };
        if timeout(LONGEST_WAIT, round).await.is_err() {
            tracing::warn!(
                "Prometheus has not answered every query yet; serving begins without those values"
            );
        }
        self.0.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
}

/// Whether every shape has an outcome. A shape beyond a limit is never polled, so it is not waited for.
fn was_everything_asked(memory: &Memory) -> bool {
    memory.registry.entries().iter().all(|(key, entry)| {
        let mut shapes = entry
            .metrics
            .iter()
            .filter_map(|metric| metric.shape.as_ref().ok());
        shapes.all(|shape| {
            memory.store.get(shape).is_some() || memory.store.refusal(&key.namespace, shape).is_some()
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::metrics::registry::Registry;
    use vas_core::metrics::{
        freshness::Failure,
        promql::{Labels, Matchers, Source},
    };

    fn memory(gauges: &[&str]) -> Memory {
        let source = Source {
            labels: Labels {
                namespace: "namespace".parse().unwrap(),
                pod: "pod".parse().unwrap(),
                matchers: Matchers::default(),
            },
            bind_queries: true,
        };
        let registry = Registry::new([("default".to_owned(), source)].into_iter().collect());
        for gauge in gauges {
            let scaling = json!({
                "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
                "metadata": {"namespace": "ns", "name": gauge, "uid": "1", "generation": 1},
                "spec": {"workloads": [{
                    "name": "worker",
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
                    "maxReplicas": 5,
                    "metrics": [{"name": "depth",
                        "queueDepth": {"gauge": gauge, "target": {"averageValue": "50"}}}],
                }]},
            });
            registry.apply(&serde_json::from_value(scaling).unwrap());
        }
        Memory {
            registry: Arc::new(registry),
            store: Arc::default(),
            pods: Arc::default(),
            resource_names: Arc::default(),
            external_metrics: true,
        }
    }

    fn ask_for(memory: &Memory, name: &str) {
        let entries = memory.registry.entries();
        let (_, entry) = entries.iter().find(|(key, _)| key.name == name).unwrap();
        let shape = entry.metrics[0].shape.clone().unwrap();
        let refused = Failure::Unsuitable("Prometheus is down".into());
        memory.store.record(&shape, Err(refused), &memory.pods);
    }

    /// Lets the waiting tasks run for so many seconds of paused time.
    async fn seconds(first: &Arc<FirstAnswers>, seconds: f64) -> bool {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        first.are_in()
    }

    #[tokio::test(start_paused = true)]
    async fn the_round_is_over_when_each_question_was_put_once_or_after_ten_seconds() {
        for answers in [true, false] {
            let memory = memory(&["one", "two"]);
            let (first, (listing, lists)) = (Arc::<FirstAnswers>::default(), watch::channel(false));
            let following = (first.clone(), memory.clone());
            tokio::spawn(async move { following.0.follow(&following.1, [lists.clone(), lists]).await });
            ask_for(&memory, "one");
            assert!(!seconds(&first, 100.0).await, "the lists are not in");
            listing.send_replace(true);
            assert!(!seconds(&first, 9.0).await, "the second question was not put yet");
            if answers {
                ask_for(&memory, "two");
                assert!(seconds(&first, 0.5).await, "an error is an answer");
            } else {
                assert!(
                    seconds(&first, 2.0).await,
                    "one that hangs does not hold up the others"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_is_asked_nothing_is_waited_for() {
        let (first, lists) = (Arc::<FirstAnswers>::default(), watch::channel(true).1);
        let following = first.clone();
        tokio::spawn(async move { following.follow(&memory(&[]), [lists.clone(), lists]).await });
        assert!(seconds(&first, 0.01).await);
    }
}
