//! `vas test capacity`: finds the load that a number of replicas carries, and the HPA target that follows
//! from it.

use std::{io, process::ExitCode, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    EXIT_INTERRUPTED, EXIT_MISSED, EXIT_PRECONDITION, EXIT_PROVES_NOTHING,
    capacity_args::{ElasticArgs, Output, SearchArgs},
    destination::{self, DestinationError},
    load_args::{LoadError, TargetArgs},
    restore::describe,
    scenario_args::{self, ScenarioArgsError},
    subject_args::SubjectArgs,
    verdict,
};
use crate::{
    EXIT_INVALID,
    kube_config::{KubeConfigArgs, KubeConfigError},
    leader_election::parse_duration,
    output,
};
use vas_cluster::{server_clock::ServerClock, shutdown};
use vas_loadtest::{
    capacity::{
        curve::Curve,
        elastic::{ElasticSettings, Trial},
        guardian::Guardian,
        hold::Lease,
        markdown,
        report::{Capacity, Point, SCHEMA_VERSION},
        search::SearchError,
        steps::{StepError, Steps},
        text,
    },
    cluster::{
        error::ClusterError,
        resource::{Resource, Subject},
    },
    engine::Settings,
    scenario::model::{Scenario, Threshold},
};

/// Most replica counts that are measured unless `--replicas` names them.
const COUNTS: usize = 4;

/// Find the load that one, two, four replicas carry
///
/// Holds the replicas of a workload: suspends it by an annotation of its VoiceAssistScaling, so that its HPA
/// follows no metric, and sets the replicas of its scale target. For each count it raises the load step by
/// step until the objective is missed twice, then halves the gap. From the capacities it fits the Universal
/// Scalability Law, with its knee, and suggests a target for the HPA.
///
/// What it changed is put back at the end, when it is interrupted, and by a second process when it is killed.
/// If the whole machine is gone, scaling goes on by itself after two minutes. Counts must lie within
/// minReplicas and maxReplicas: the HPA controller moves others to the nearer bound, also when suspended.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas test capacity voiceassist -n voiceassist-staging --workload api-gateway --target https://staging.example
  vas test capacity voiceassist -n voiceassist-staging --replicas 2,4,8 --target https://staging.example \\
      --scenario api-journey --threshold 'latency p99 < 1s' -o json=capacity.json -o md=capacity.md

Exit codes: 0 found, 99 not even the least load meets the objective, 2 usage, 3 the steps prove nothing,
4 a precondition does not hold, 130 interrupted, 1 anything else.")]
pub(super) struct Args {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Replica counts to measure. Default: minReplicas, doubled up to maxReplicas, at most four
    #[arg(long, value_name = "NUMBER,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replicas: Vec<u32>,
    /// Journeys and thresholds of this scenario of vas, or of a file; its load is not used
    #[arg(long, value_name = "SCENARIO|FILE")]
    scenario: Option<String>,
    /// What has to hold, instead of the scenario's thresholds; may be given several times. Default: latency
    /// p95 < 500ms and errors < 1%
    #[arg(long = "threshold", value_name = "THRESHOLD")]
    thresholds: Vec<Threshold>,
    /// Write a report: json=FILE or md=FILE; may be given several times. - is standard output, and the text
    /// for people goes to standard error then
    #[arg(short, long = "output", value_name = "FORMAT=FILE")]
    outputs: Vec<Output>,
    /// From each renewal of the hold to its end
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = parse_duration, hide = true)]
    hold: Duration,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    elastic: ElasticArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

#[derive(Debug, thiserror::Error)]
enum CapacityError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Scenario(#[from] ScenarioArgsError),
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    #[error("cannot start the process that would put everything back: {0}")]
    Guardian(#[source] io::Error),
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Step(#[from] StepError<ClusterError>),
    #[error("cannot put back what was changed: {0}; try again with: vas test restore {1}")]
    NotGivenBack(#[source] ClusterError, String),
    #[error(transparent)]
    Output(#[from] DestinationError),
}

impl CapacityError {
    fn code(&self) -> u8 {
        match self {
            Self::Load(_) | Self::Scenario(_) => EXIT_INVALID,
            Self::Output(error) if error.is_usage() => EXIT_INVALID,
            Self::Step(StepError::Interrupted) => EXIT_INTERRUPTED,
            Self::Step(
                StepError::Search(SearchError::Inconclusive { .. }) | StepError::NotRecovered { .. },
            ) => EXIT_PROVES_NOTHING,
            Self::Step(StepError::Search(SearchError::NothingHolds(_))) => EXIT_MISSED,
            Self::Cluster(error) | Self::Step(StepError::Steady(error)) if error.is_precondition() => {
                EXIT_PRECONDITION
            }
            _ => 1,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        match self.try_run() {
            Ok(written) => ExitCode::from(verdict::after_writing(0, written)),
            Err(error) => {
                output::say(&format!("vas test capacity: {error}"));
                ExitCode::from(error.code())
            }
        }
    }

    /// Returns whether all reports could be written.
    fn try_run(&self) -> Result<bool, CapacityError> {
        destination::try_all(self.outputs.iter().map(Output::destination))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CapacityError::Start)?;
        let capacity = runtime.block_on(self.test())?;
        let reports = self.outputs.iter().map(|output| match output {
            Output::Json(to) => (to, json(&capacity)),
            Output::Markdown(to) => (to, Ok(markdown::render(&capacity))),
        });
        Ok(destination::publish(
            "vas test capacity",
            &text::render(&capacity),
            reports,
        ))
    }

    async fn test(&self) -> Result<Capacity, CapacityError> {
        let stop = shutdown::on_signal().map_err(CapacityError::Start)?;
        let steps = self.steps(stop.clone())?;
        let (resource, namespace) = self.subject.resource(&self.kube).await?;
        let subject = self.subject.subject(&resource).await?;
        let counts = counts(&self.replicas, subject.bounds)?;
        let mut capacity = self.empty(&namespace, &subject, &steps.scenario);

        let clock = ServerClock::of(&resource.client).await;
        let now = clock.now();
        let lease = Lease {
            holder: format!("vas_{}-{:x}", std::process::id(), now.as_nanosecond()),
            since: format!("{now:.0}"),
            lasts: self.hold,
            clock,
        };
        let guardian = Guardian::start(&self.guardian_arguments(&namespace, &lease.holder))
            .map_err(CapacityError::Guardian)?;
        let held = Held {
            resource: &resource,
            subject: &subject,
            lease: &lease,
        };
        let measuring = Box::pin(self.measure(&held, &steps, &counts));
        let measured = held.while_kept(&steps, measuring).await;
        // Whatever came of the measurement, the hold is given back before its error is returned. The guardian
        // waits until then, because it gives the hold back if this process is killed.
        let given = resource.give_back(Some(&lease.holder)).await;
        guardian.dismiss();
        if let Some(given) =
            given.map_err(|error| CapacityError::NotGivenBack(error, self.subject.name.clone()))?
        {
            output::say(&describe(&self.subject.name, &given));
        }
        capacity.points = measured?;
        if self.elastic.elastic {
            let trial = self.trial(&capacity.points, &steps, &resource, &subject);
            capacity.elastic = Some(trial.run(output::say).await?);
        }
        capacity.conclude(subject.bounds.0);
        Ok(capacity)
    }

    async fn measure(
        &self,
        held: &Held<'_>,
        steps: &Steps,
        counts: &[u32],
    ) -> Result<Vec<Point>, CapacityError> {
        let Held {
            resource,
            subject,
            lease,
        } = held;
        unless(&steps.stop, resource.until_suspended(subject)).await?;
        let mut points: Vec<Point> = Vec::new();
        for &replicas in counts {
            let limit = self.search.ready_timeout;
            unless(&steps.stop, resource.scale_to(subject, replicas, limit)).await?;
            let steady = async || resource.steady(subject, replicas, lease).await;
            let settings = self.search.settings(points.last());
            let (found, taken) = steps
                .search(settings, steady, |words| {
                    output::say(&format!("{replicas} replicas: {words}"));
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
    /// up to twice what the most replicas carry, but not above `--max-rate`.
    fn trial<'a>(
        &self,
        points: &[Point],
        steps: &'a Steps,
        resource: &'a Resource,
        subject: &'a Subject,
    ) -> Trial<'a> {
        let curve = Curve::new(
            points
                .iter()
                .map(|point| (point.replicas, point.capacity))
                .collect(),
        );
        let (min, max) = subject.bounds;
        Trial {
            steps,
            resource,
            subject,
            settings: ElasticSettings {
                base: curve.capacity(min.max(1)) / 2.0,
                most: (2.0 * curve.capacity(max)).min(self.search.max_rate),
                ramp: self.elastic.ramp,
                settle: self.elastic.settle,
                scale_down: self.elastic.scale_down_timeout,
            },
        }
    }

    fn steps(&self, stop: CancellationToken) -> Result<Steps, CapacityError> {
        let target = self.target.target()?;
        let scenario = scenario_args::journeys(self.scenario.as_deref(), &self.thresholds, &target)?;
        Ok(Steps {
            scenario,
            target,
            engine: Settings {
                threads: self.search.threads,
                ..Settings::default()
            },
            warm_up: self.search.warm_up,
            step: self.search.step,
            stop,
        })
    }

    fn guardian_arguments(&self, namespace: &str, holder: &str) -> Vec<std::ffi::OsString> {
        let own = [
            "test",
            "restore",
            &self.subject.name,
            "--namespace",
            namespace,
            "--guard",
            holder,
        ];
        let own = own.into_iter().map(Into::into);
        own.chain(self.kube.flags()).collect()
    }

    fn empty(&self, namespace: &str, subject: &Subject, scenario: &Scenario) -> Capacity {
        Capacity {
            schema_version: SCHEMA_VERSION,
            name: self.subject.name.clone(),
            namespace: namespace.to_owned(),
            workload: subject.workload.clone(),
            target: self.target.url().to_owned(),
            objective: scenario.thresholds.iter().map(ToString::to_string).collect(),
            precision: self.search.precision / 100.0,
            points: Vec::new(),
            scalability: None,
            no_scalability: None,
            elastic: None,
            suggestion: None,
        }
    }
}

/// A workload whose scaling is suspended by a hold while its replicas are measured.
struct Held<'a> {
    resource: &'a Resource,
    subject: &'a Subject,
    lease: &'a Lease,
}

impl Held<'_> {
    /// Takes the hold, and does the work while the hold is renewed. Ends with an error if the hold is lost.
    async fn while_kept<T>(
        &self,
        steps: &Steps,
        work: impl Future<Output = Result<T, CapacityError>>,
    ) -> Result<T, CapacityError> {
        let Held {
            resource,
            subject,
            lease,
        } = self;
        unless(&steps.stop, resource.hold(subject, lease)).await?;
        tokio::select! {
            done = work => done,
            lost = resource.keep(lease) => Err(lost.into()),
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
) -> Result<T, CapacityError> {
    tokio::select! {
        done = work => Ok(done?),
        () = stop.cancelled() => Err(CapacityError::Step(StepError::Interrupted)),
    }
}

fn json(capacity: &Capacity) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(capacity)? + "\n")
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
