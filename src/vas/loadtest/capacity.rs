//! `vas test capacity`: finds the load that a number of replicas carries, and the HPA target that follows
//! from it.

use std::{ffi::OsString, io, time::Duration};

use super::{
    capacity_args::{ElasticArgs, Output, SearchArgs},
    load_args::TargetArgs,
    subject_args::SubjectArgs,
    verdict,
};
use crate::{
    destination, duration,
    exit::{Code, CommandError, Ended, Failure},
    kube_config::{KubeConfigArgs, KubeConfigError},
    runtime, stderr,
};
use vas_cluster::shutdown;
use vas_loadtest::{
    capacity::{
        markdown,
        report::Capacity,
        search::SearchError,
        steps::{StepError, Steps},
        test::{Settings, Test, TestError},
        text,
    },
    cluster::{error::ClusterError, resource::Resource},
    engine,
    judge::Outcome,
    scenario::model::Threshold,
    selection::{SelectionError, journeys},
    setup::{self, SetupError},
};

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
///
/// It has no live page, as `vas test run --web` has: what it does is many short loads, each told on a line.
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
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration::parse, hide = true)]
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
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Test(#[from] TestError),
}

impl CommandError for CapacityError {
    fn code(&self) -> Code {
        match self {
            Self::Selection(_) => Code::Invalid,
            Self::Setup(error) => error.code(),
            Self::Cluster(error)
            | Self::Test(TestError::Cluster(error) | TestError::Step(StepError::Steady(error)))
                if error.is_precondition() =>
            {
                Code::Precondition
            }
            Self::Test(TestError::Step(error)) => match error {
                StepError::Interrupted => Code::Interrupted,
                StepError::Search(SearchError::Inconclusive { .. }) | StepError::NotRecovered { .. } => {
                    Code::ProvesNothing
                }
                StepError::Search(SearchError::NothingHolds(_)) => Code::Missed,
                _ => Code::Failure,
            },
            _ => Code::Failure,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        destination::try_all(self.outputs.iter().map(Output::destination))?;
        let capacity = runtime::of_this_thread()?.block_on(self.test())?;
        let reports = self.outputs.iter().map(|output| match output {
            Output::Json(to) => (to, json(&capacity)),
            Output::Markdown(to) => (to, Ok(markdown::render(&capacity))),
        });
        let written = destination::publish(&text::render(&capacity), reports);
        Ok(verdict::code(Outcome::Passed, written))
    }

    async fn test(&self) -> Result<Capacity, Failure> {
        let stop = shutdown::on_signal().map_err(CapacityError::Start)?;
        let target = self.target.target()?;
        let hosts = self.target.hosts()?;
        let scenario = journeys(self.scenario.as_deref(), &self.thresholds, &hosts, &target);
        let steps = Steps {
            scenario: scenario.map_err(CapacityError::from)?,
            target,
            engine: engine::Settings {
                threads: self.search.threads,
                ..engine::Settings::default()
            },
            warm_up: self.search.warm_up,
            step: self.search.step,
            stop,
        };
        Ok(self.of_workload(steps).await?)
    }

    async fn of_workload(&self, steps: Steps) -> Result<Capacity, CapacityError> {
        let resource = self.subject.resource(&self.kube).await?;
        let subject = self.subject.subject(&resource).await?;
        let scenario = setup::before(steps.scenario, &steps.target, None, &steps.stop).await?;
        let test = Test {
            subject,
            resource,
            steps: Steps { scenario, ..steps },
            url: self.target.url(),
            settings: self.settings(),
        };
        let guardian = |holder: &str| self.guardian_arguments(&test.resource, holder);
        let capacity = Box::pin(test.run(guardian, stderr::say)).await;
        if let Some(failed) = setup::after(&test.steps.scenario, &test.steps.target, None).await {
            stderr::say(&failed);
        }
        Ok(capacity?)
    }

    fn settings(&self) -> Settings {
        Settings {
            counts: self.replicas.clone(),
            hold: self.hold,
            start_rate: self.search.start_rate,
            max_rate: self.search.max_rate,
            precision: self.search.precision / 100.0,
            ready_timeout: self.search.ready_timeout,
            elastic: self.elastic.wishes(),
        }
    }

    /// Arguments with which this program puts back what the holder changed.
    fn guardian_arguments(&self, resource: &Resource, holder: &str) -> Vec<OsString> {
        let own = [
            "test",
            "restore",
            &resource.name,
            "--namespace",
            &resource.namespace,
            "--guard",
            holder,
        ];
        let own = own.into_iter().map(Into::into);
        own.chain(self.kube.flags()).collect()
    }
}

fn json(capacity: &Capacity) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(capacity)? + "\n")
}
