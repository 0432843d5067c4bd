//! The capacity test: holds the replicas of a workload, searches for the load of each count, gives the replicas
//! back, and concludes.
//!
//! Whatever comes of the measurement, the replicas are given back before its error is returned. If this
//! process is killed, the guardian gives them back.

use std::{ffi::OsString, io, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    curve::Curve,
    elastic::{ElasticSettings, Trial},
    guardian::Guardian,
    hold::Lease,
    report::{Capacity, Point, SCHEMA_VERSION},
    search,
    steps::{StepError, Steps},
};
use crate::cluster::{
    error::ClusterError,
    resource::{Resource, Subject},
};
use vas_cluster::server_clock::ServerClock;

/// Most replica counts that are measured unless the user names them.
const COUNTS: usize = 4;

/// What the user asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Replica counts to measure; empty for the fewest, doubled up to the most, at most four.
    pub counts: Vec<u32>,
    /// Time from each renewal of the hold to its end.
    pub hold: Duration,
    /// First load, in requests (journeys) per second.
    pub start_rate: f64,
    /// Highest load, in requests (journeys) per second.
    pub max_rate: f64,
    /// Precision of a capacity, as a share of it: 0.02 is 2 %.
    pub precision: f64,
    /// Longest wait for replicas to be Ready.
    pub ready_timeout: Duration,
    /// The test with scaling on, afterwards; `None` to leave it out.
    pub elastic: Option<ElasticWishes>,
}

/// Times of the test with scaling on.
#[derive(Clone, Copy, Debug)]
pub struct ElasticWishes {
    /// Time to ramp up to a plateau.
    pub ramp: Duration,
    /// Time for the replicas to follow the load.
    pub settle: Duration,
    /// Longest wait for the fewest replicas before each try.
    pub scale_down: Duration,
}

/// Why the test has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The guardian cannot be started, so nothing was changed.
    #[error("cannot start the process that would put everything back: {0}")]
    Guardian(#[source] io::Error),
    /// The cluster refused a request, or the workload cannot be tested.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A search ended without a result.
    #[error(transparent)]
    Step(#[from] StepError<ClusterError>),
    /// The replicas could not be given back.
    #[error("cannot put back what was changed: {0}; try again with: vas test restore {1}")]
    NotGivenBack(#[source] ClusterError, String),
}

/// A capacity test of one workload.
#[derive(Debug)]
pub struct Test {
    /// The resource of the workload.
    pub resource: Resource,
    /// The workload whose capacity is measured.
    pub subject: Subject,
    /// Sends loads and judges them.
    pub steps: Steps,
    /// The URL of the target as reports show it, with credentials masked.
    pub url: String,
    /// What the user asks for.
    pub settings: Settings,
}

impl Test {
    /// Measures, and puts everything back. `guardian` gives the arguments with which this program puts back
    /// what the named holder changed; `say` gets a line for each step.
    ///
    /// # Errors
    /// See [`TestError`].
    pub async fn run(
        &self,
        guardian: impl FnOnce(&str) -> Vec<OsString>,
        say: impl Fn(&str),
    ) -> Result<Capacity, TestError> {
        let Self {
            resource, subject, ..
        } = self;
        let counts = counts(&self.settings.counts, subject.bounds)?;
        let mut capacity = self.empty();

        let clock = ServerClock::of(&resource.client).await;
        let now = clock.now();
        let lease = Lease {
            holder: format!("vas_{}-{:x}", std::process::id(), now.as_nanosecond()),
            since: format!("{now:.0}"),
            lasts: self.settings.hold,
            clock,
        };
        let guardian = Guardian::start(&guardian(&lease.holder)).map_err(TestError::Guardian)?;
        let measuring = Box::pin(self.measure(&lease, &counts, &say));
        let measured = self.while_held(&lease, measuring).await;
        // The hold is given back before the error of the measurement is returned. The guardian waits until
        // then, because it gives the hold back if this process is killed.
        let given = resource.give_back(Some(&lease.holder)).await;
        guardian.dismiss();
        if let Some(given) = given.map_err(|error| TestError::NotGivenBack(error, resource.name.clone()))? {
            say(&given.in_words(&resource.name));
        }
        capacity.points = measured?;
        if let Some(wishes) = self.settings.elastic {
            let trial = self.trial(&capacity.points, wishes);
            capacity.elastic = Some(trial.run(say).await?);
        }
        capacity.conclude(subject.bounds.0);
        Ok(capacity)
    }

    /// Takes the hold, and does the work while the hold is renewed. Ends with an error if the hold is lost.
    async fn while_held<T>(
        &self,
        lease: &Lease,
        work: impl Future<Output = Result<T, TestError>>,
    ) -> Result<T, TestError> {
        unless(&self.steps.stop, self.resource.hold(&self.subject, lease)).await?;
        tokio::select! {
            done = work => done,
            lost = self.resource.keep(lease) => Err(lost.into()),
        }
    }

    async fn measure(
        &self,
        lease: &Lease,
        counts: &[u32],
        say: &impl Fn(&str),
    ) -> Result<Vec<Point>, TestError> {
        let Self {
            resource,
            subject,
            steps,
            ..
        } = self;
        unless(&steps.stop, resource.until_suspended(subject)).await?;
        let mut points: Vec<Point> = Vec::new();
        for &replicas in counts {
            let limit = self.settings.ready_timeout;
            unless(&steps.stop, resource.scale_to(subject, replicas, limit)).await?;
            let steady = async || resource.steady(subject, replicas, lease).await;
            let settings = self.settings.search(points.last());
            let (found, taken) = steps
                .search(settings, steady, |words| {
                    say(&format!("{replicas} replicas: {words}"));
                })
                .await?;
            points.push(Point {
                replicas,
                capacity: found.held,
                failed: found.failed,
                steps: taken,
            });
        }
        Ok(points)
    }

    /// The test with scaling on. Ramps begin at half of what the fewest measured replicas carry. Plateaus go
    /// up to twice what the most replicas carry, but not above the highest load.
    fn trial(&self, points: &[Point], wishes: ElasticWishes) -> Trial<'_> {
        let curve = Curve::new(
            points
                .iter()
                .map(|point| (point.replicas, point.capacity))
                .collect(),
        );
        let (min, max) = self.subject.bounds;
        Trial {
            steps: &self.steps,
            resource: &self.resource,
            subject: &self.subject,
            settings: ElasticSettings {
                base: curve.capacity(min.max(1)) / 2.0,
                most: (2.0 * curve.capacity(max)).min(self.settings.max_rate),
                ramp: wishes.ramp,
                settle: wishes.settle,
                scale_down: wishes.scale_down,
            },
        }
    }

    /// The report before anything was measured.
    fn empty(&self) -> Capacity {
        let thresholds = &self.steps.scenario.thresholds;
        Capacity {
            schema_version: SCHEMA_VERSION,
            name: self.resource.name.clone(),
            namespace: self.resource.namespace.clone(),
            workload: self.subject.workload.clone(),
            target: self.url.clone(),
            objective: thresholds.iter().map(ToString::to_string).collect(),
            precision: self.settings.precision,
            points: Vec::new(),
            scalability: None,
            no_scalability: None,
            elastic: None,
            suggestion: None,
        }
    }
}

impl Settings {
    /// Settings of the search for one replica count. It starts at half the capacity of the count before: more
    /// replicas seldom carry less.
    fn search(&self, before: Option<&Point>) -> search::Settings {
        search::Settings {
            start: before.map_or(self.start_rate, |point| point.capacity / 2.0),
            most: self.max_rate,
            precision: self.precision,
            ..search::Settings::default()
        }
    }
}

/// The replica counts to measure, in ascending order. Example: bounds of 2 to 20 give 2, 4, 8 and 16.
fn counts(given: &[u32], (min, max): (u32, u32)) -> Result<Vec<u32>, ClusterError> {
    if let Some(outside) = given.iter().find(|count| !(min..=max).contains(*count)) {
        return Err(ClusterError::Precondition(format!(
            "--replicas {outside} lies outside minReplicas {min} and maxReplicas {max}: the HPA controller would move it to the nearer bound; choose others, or change the bounds"
        )));
    }
    let mut counts = if given.is_empty() {
        let doubled = std::iter::successors(Some(min.max(1)), |count| count.checked_mul(2));
        doubled.take_while(|count| *count <= max).take(COUNTS).collect()
    } else {
        given.to_vec()
    };
    counts.sort_unstable();
    counts.dedup();
    Ok(counts)
}

/// The outcome of the work; an error if a signal comes before it is done.
async fn unless<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, TestError> {
    tokio::select! {
        done = work => Ok(done?),
        () = stop.cancelled() => Err(TestError::Step(StepError::Interrupted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_double_from_the_least_and_lie_within_the_bounds() {
        assert_eq!(counts(&[], (2, 10)).unwrap(), [2, 4, 8]);
        assert_eq!(counts(&[], (0, 100)).unwrap(), [1, 2, 4, 8]);
        assert_eq!(counts(&[4, 2, 4], (2, 10)).unwrap(), [2, 4]);
        let error = counts(&[1, 2], (2, 10)).unwrap_err();
        assert!(
            error.is_precondition() && error.to_string().contains("minReplicas 2"),
            "{error}"
        );
    }
}
