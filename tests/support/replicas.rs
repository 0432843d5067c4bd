//! What the Deployments of a namespace have had all the time: replicas that were asked for, and those Ready.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, Client, api::ListParams};
use tokio::task::JoinHandle;

use super::{eventually, eventually::within};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// One look at one Deployment.
#[derive(Clone, Debug)]
pub struct Sample {
    pub at: Instant,
    pub workload: String,
    pub wanted: i32,
    pub ready: i32,
}

/// The samples so far. Looking ends when it is dropped.
pub struct Replicas {
    samples: Arc<Mutex<Vec<Sample>>>,
    looking: JoinHandle<()>,
}

impl Replicas {
    /// Begins to look. What cannot be read is not there: an API server that is away leaves a gap.
    pub fn watch(client: &Client, namespace: &str) -> Self {
        let deployments = Api::<Deployment>::namespaced(client.clone(), namespace);
        let samples = Arc::<Mutex<Vec<Sample>>>::default();
        let kept = Arc::clone(&samples);
        let looking = tokio::spawn(async move {
            loop {
                if let Ok(found) = deployments.list(&ListParams::default()).await {
                    let at = Instant::now();
                    let found = found.items.into_iter().filter_map(|found| sample(at, found));
                    kept.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                }
                tokio::time::sleep(LOOK).await;
            }
        });
        Self { samples, looking }
    }

    /// The samples of a workload since then.
    pub fn since(&self, workload: &str, then: Instant) -> Vec<Sample> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = samples
            .iter()
            .filter(|sample| sample.workload == workload && sample.at >= then);
        mine.cloned().collect()
    }

    /// The fewest replicas that were wanted since then; `None` if nothing was seen.
    pub fn fewest(&self, workload: &str, then: Instant) -> Option<i32> {
        let samples = self.since(workload, then);
        samples.iter().map(|sample| sample.wanted).min()
    }

    fn last(&self, workload: &str) -> Option<Sample> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples
            .iter()
            .rev()
            .find(|sample| sample.workload == workload)
            .cloned()
    }

    /// Waits until so many replicas are wanted and Ready; returns how long that took.
    pub async fn reach(&self, workload: &str, count: i32, deadline: Duration) -> Duration {
        let began = Instant::now();
        let what = format!("{workload} has {count} replicas, all Ready");
        eventually(deadline, &what, || async {
            let last = self.last(workload).ok_or("no look yet")?;
            let reached = last.wanted == count && last.ready == count;
            reached.then_some(()).ok_or_else(|| format!("{last:?}"))
        })
        .await;
        began.elapsed()
    }

    /// Waits until at least so many are Ready, and as many as are wanted; returns how many, and how long that took.
    pub async fn rise(&self, workload: &str, least: i32, deadline: Duration) -> (i32, Duration) {
        let began = Instant::now();
        let reached = within(deadline, || async {
            let now = self.last(workload).ok_or("no look yet")?;
            if now.wanted >= least && now.ready == now.wanted {
                return Ok(now.ready);
            }
            Err(format!("{now:?}"))
        })
        .await;
        let course = self.course(workload, began);
        let reached = reached.unwrap_or_else(|seen| {
            panic!("{workload} has not {least} Ready replicas after {deadline:?}, but went {course}: {seen}")
        });
        (reached, began.elapsed())
    }

    /// The replicas that were wanted since then, each with the second: `3 (0 s), 5 (9 s)`.
    pub fn course(&self, workload: &str, then: Instant) -> String {
        let mut text = String::new();
        let mut before = None;
        for sample in self.since(workload, then) {
            if before != Some(sample.wanted) {
                let comma = if text.is_empty() { "" } else { ", " };
                let second = sample.at.duration_since(then).as_secs();
                let _ = write!(text, "{comma}{} ({second} s)", sample.wanted);
                before = Some(sample.wanted);
            }
        }
        text
    }

    /// Panics if the replicas fell since then.
    #[track_caller]
    pub fn assert_none_fell(&self, workload: &str, then: Instant) {
        let samples = self.since(workload, then);
        let fell = samples.windows(2).find(|pair| pair[1].wanted < pair[0].wanted);
        let course = self.course(workload, then);
        assert!(fell.is_none(), "{workload} fell without a reason: {course}");
    }

    /// Panics if a step was larger than the behaviour allows.
    #[track_caller]
    pub fn assert_steps(&self, workload: &str, then: Instant, up: i32, down: i32) {
        for pair in self.since(workload, then).windows(2) {
            let step = pair[1].wanted - pair[0].wanted;
            let course = self.course(workload, then);
            assert!(
                step <= up && -step <= down,
                "{workload}: a step of {step}: {course}"
            );
        }
    }
}

fn sample(at: Instant, deployment: Deployment) -> Option<Sample> {
    Some(Sample {
        at,
        workload: deployment.metadata.name?,
        wanted: deployment.spec.replicas?,
        ready: deployment.status?.ready_replicas.unwrap_or_default(),
    })
}

impl Drop for Replicas {
    fn drop(&mut self) {
        self.looking.abort();
    }
}
