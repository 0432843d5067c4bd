//! Wakes resources at the boundaries of their schedules.
//!
//! A timer runs on the monotonic clock, and schedules follow the clock on the wall, which somebody may set. So this looks
//! at both every second: what is due is reconciled, and after a step of the wall clock everything with a schedule is,
//! because other entries may be active now.
//!
//! Invariant: nothing here decides what a boundary changes. A reconcile that comes for nothing writes nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::{cache::Key, metrics::Metrics, streams::Triggers};
use vas_cluster::clock::Clock;

/// Time between two looks at the clocks.
const LOOK: Duration = Duration::from_secs(1);
/// How far the wall clock may drift from the monotonic one between two looks without having been set. Clocks that are
/// slewed drift by a two-thousandth.
const DRIFT: SignedDuration = SignedDuration::from_millis(500);

/// The next boundary of each resource that has one, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct Boundaries(Mutex<BTreeMap<Key, Timestamp>>);

impl Boundaries {
    /// Sets or removes the next boundary of a resource.
    pub(super) fn set(&self, key: &Key, at: Option<Timestamp>) {
        let mut boundaries = self.0.lock();
        match at {
            Some(at) => boundaries.insert(key.clone(), at),
            None => boundaries.remove(key),
        };
    }

    /// The resources of which a boundary has been reached. Each is returned once.
    fn due(&self, now: Timestamp) -> Vec<Key> {
        self.0
            .lock()
            .extract_if(.., |_, at| *at <= now)
            .map(|(key, _)| key)
            .collect()
    }

    fn first(&self) -> Option<Timestamp> {
        self.0.lock().values().min().copied()
    }

    fn all(&self) -> Vec<Key> {
        self.0.lock().keys().cloned().collect()
    }
}

/// Tells whether the wall clock was set between two looks.
#[derive(Debug, Default)]
struct Steps {
    /// The time that the monotonic clock showed less than the wall clock at the last look.
    ahead: Option<SignedDuration>,
}

impl Steps {
    fn stepped(&mut self, wall: Timestamp, monotonic: Duration) -> bool {
        let monotonic = SignedDuration::try_from(monotonic).unwrap_or_default();
        let ahead = wall
            .duration_since(Timestamp::UNIX_EPOCH)
            .saturating_sub(monotonic);
        let before = self.ahead.replace(ahead);
        before.is_some_and(|before| ahead.saturating_sub(before).abs() > DRIFT)
    }
}

/// Triggers reconciles at boundaries and after steps of the wall clock, for ever.
pub(super) async fn wake(
    boundaries: Arc<Boundaries>,
    clock: Arc<dyn Clock>,
    triggers: Triggers,
    metrics: Metrics,
) {
    let mut steps = Steps::default();
    loop {
        let now = clock.now();
        let keys = if steps.stepped(now, clock.monotonic()) {
            tracing::info!("the wall clock was set; all resources with a schedule are reconciled");
            boundaries.all()
        } else {
            boundaries.due(now)
        };
        metrics
            .next_boundary
            .set(boundaries.first().map_or(0, Timestamp::as_second));
        for (namespace, name) in keys {
            triggers.trigger(&namespace, [name]);
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::streams::Queue;

    const HOUR: i64 = 3600;

    /// A wall clock that tests set, beside a monotonic one that goes with the runtime's.
    struct Set {
        wall: Mutex<Timestamp>,
        started: tokio::time::Instant,
    }

    impl Set {
        fn step(&self, seconds: i64) {
            let mut wall = self.wall.lock();
            *wall += SignedDuration::from_secs(seconds);
        }
    }

    impl Clock for Set {
        fn now(&self) -> Timestamp {
            *self.wall.lock() + SignedDuration::try_from(self.monotonic()).unwrap()
        }

        fn monotonic(&self) -> Duration {
            self.started.elapsed()
        }
    }

    struct Scene {
        boundaries: Arc<Boundaries>,
        clock: Arc<Set>,
        queue: std::pin::Pin<Box<dyn futures::Stream<Item = String> + Send>>,
    }

    /// The task at midnight of 1970-01-02, with a boundary of `a` in an hour and of `b` in two.
    fn scene() -> Scene {
        let clock = Arc::new(Set {
            wall: Mutex::new(Timestamp::from_second(24 * HOUR).unwrap()),
            started: tokio::time::Instant::now(),
        });
        let (triggers, queue): (Triggers, Queue) = Triggers::new();
        let boundaries = Arc::new(Boundaries::default());
        for (name, hours) in [("a", 1), ("b", 2)] {
            let at = Timestamp::from_second((24 + hours) * HOUR).unwrap();
            boundaries.set(&("ns".to_owned(), name.to_owned()), Some(at));
        }
        let metrics = Metrics::register(&mut Registry::default(), Duration::from_secs(1800));
        tokio::spawn(wake(boundaries.clone(), clock.clone(), triggers, metrics));
        Scene {
            boundaries,
            clock,
            queue: Box::pin(queue.triggered()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_boundary_wakes_its_resource_once_and_within_a_second() {
        let mut scene = scene();
        assert_eq!(scene.queue.next().await.as_deref(), Some("a"));
        let late = scene.clock.now() - Timestamp::from_second(25 * HOUR).unwrap();
        assert!(late.total(jiff::Unit::Second).unwrap() <= 1.0, "{late}");
        assert_eq!(scene.queue.next().await.as_deref(), Some("b"));
        let silence = tokio::time::timeout(Duration::from_secs(90_000), scene.queue.next()).await;
        assert!(silence.is_err(), "{silence:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_of_the_wall_clock_wakes_all_that_have_a_schedule_in_both_directions() {
        for seconds in [HOUR / 2, -HOUR] {
            let mut scene = scene();
            tokio::time::sleep(Duration::from_secs(10)).await;
            scene.clock.step(seconds);
            let woken = [
                scene.queue.next().await.unwrap(),
                scene.queue.next().await.unwrap(),
            ];
            assert_eq!(woken, ["a", "b"]);
            let gone = scene.clock.started.elapsed();
            assert!(gone < Duration::from_secs(12), "{gone:?}");
            scene.boundaries.set(&("ns".to_owned(), "a".to_owned()), None);
        }
    }
}
