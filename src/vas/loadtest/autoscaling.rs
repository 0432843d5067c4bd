//! `vas test autoscaling`: sends a load that needs more replicas, and checks that they came, sufficed and
//! went.

use std::{io, path::PathBuf, time::Duration};

use super::{
    autoscaling_args::{CourseArgs, LimitArgs},
    load_args::{EngineArgs, MetricsListenArgs, TargetArgs},
    outputs::{self, Output},
    progress::Shown,
    subject_args::SubjectArgs,
    verdict::{self, MinGrade},
    web_args::{self, WebArgs},
};
use crate::{
    duration,
    exit::{Code, CommandError, Ended},
    kube_config::{KubeConfigArgs, KubeConfigError},
    output, runtime, stderr,
};
use vas_cluster::shutdown;
use vas_loadtest::{
    autoscaling::test::{Settings, Test, TestError},
    capacity::{
        curve::Curve,
        report::{self, ReadError},
    },
    cluster::error::ClusterError,
    drive::Sending,
    exposition::endpoint::ListenError,
    files,
    http::Target,
    judge::outcome,
    scenario::{hosts::Hosts, model::Threshold, plan},
    selection::{SelectionError, journeys},
    web::WebError,
};

/// Ramp up the load, and watch whether the replicas follow
///
/// Sends a load that needs more replicas than there are, holds it, and lets it go again, while the HPA, the
/// pods and the metrics are watched on the same clock. Asserts that the replicas came in time, not too many
/// of them, without flapping, within the PodDisruptionBudget, and that they went again: the deadline for that
/// follows from the HPA's own behavior. For each scale-up it tells which link between the load and the
/// recovered users took longest.
///
/// Nothing is changed on the cluster. Before anything is sent, what would make the test worthless is looked
/// for: an HPA that is not active, metrics that nobody answers for, replicas that move, a quota without room.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas test autoscaling voiceassist -n voiceassist-staging --workload api-gateway --target https://staging.example
  vas test autoscaling voiceassist --workload api-gateway --target http://localhost:8080 --ramp 2m --hold 10m \\
      -o html=scaling.html -o junit=scaling.xml --min-grade B
  vas test autoscaling voiceassist --workload api-gateway --target http://localhost:8080 --dry-run

Exit codes: 0 pass, 99 an assertion, a threshold or --min-grade was missed, 2 usage, 3 invalid,
4 a precondition does not hold, 130 interrupted, 1 anything else.")]
pub(super) struct Args {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Longest wait for replicas to be steady and metrics to be there, before the load
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration::parse)]
    steady_timeout: Duration,
    /// Journeys and thresholds of this scenario of vas, or of a file; its load is not used
    #[arg(long, value_name = "SCENARIO|FILE")]
    scenario: Option<String>,
    /// What has to hold for the users, instead of the scenario's thresholds; may be given several times.
    /// Default: latency p95 < 500ms and errors < 1%
    #[arg(long = "threshold", value_name = "THRESHOLD")]
    thresholds: Vec<Threshold>,
    /// JSON report of vas test capacity (-o json=): with it, elasticity is reported and under-provisioning is
    /// asserted
    #[arg(long, value_name = "FILE")]
    capacity: Option<PathBuf>,
    /// Write a report: html=FILE, json=FILE, junit=FILE, md=FILE, hgrm=FILE; may be given several times. - is
    /// standard output, and the text for people goes to standard error then
    #[arg(short, long = "output", value_name = "FORMAT=FILE")]
    outputs: Vec<Output>,
    /// Fail below this grade
    #[arg(long, value_enum, value_name = "GRADE", ignore_case = true)]
    min_grade: Option<MinGrade>,
    /// Check the preconditions of the test, print the plan, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Say nothing while it runs
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    course: CourseArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    metrics: MetricsListenArgs,
    #[command(flatten)]
    web: WebArgs,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

#[derive(Debug, thiserror::Error)]
enum AutoscalingError {
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error("--capacity {}: {}", .0.display(), .1)]
    Capacity(PathBuf, #[source] ReadError),
    #[error("--capacity {}: {}", .0.display(), .1)]
    CapacityFile(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Test(#[from] TestError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Web(#[from] WebError),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
}

impl CommandError for AutoscalingError {
    fn code(&self) -> Code {
        match self {
            Self::Selection(_)
            | Self::Test(TestError::Course(_) | TestError::Limit(_))
            | Self::Capacity(..)
            | Self::CapacityFile(..) => Code::Invalid,
            Self::Cluster(error) | Self::Test(TestError::Cluster(error)) if error.is_precondition() => {
                Code::Precondition
            }
            Self::Interrupted => Code::Interrupted,
            Self::Test(TestError::Setup(error)) => error.code(),
            Self::Web(error) => error.code(),
            _ => Code::Failure,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        outputs::try_all(&self.outputs)?;
        self.web.address().map_err(AutoscalingError::from)?;
        runtime::of_this_thread()?.block_on(self.test())
    }

    async fn test(&self) -> Ended {
        let stop = shutdown::on_signal().map_err(AutoscalingError::Start)?;
        let target = self.target.target()?;
        let hosts = self.target.hosts()?;
        let test = tokio::select! {
            test = self.prepare(&target, &hosts) => test?,
            () = stop.cancelled() => return Err(AutoscalingError::Interrupted.into()),
        };
        if self.dry_run {
            output::text(&plan::render(test.scenario(), &self.target.url()))?;
            return Ok(Code::Success);
        }
        let exposition = self.metrics.serve().map_err(AutoscalingError::from)?;
        let url = self.target.url();
        let web = self.web.serve().map_err(AutoscalingError::from)?;
        let sending = Sending {
            target: &target,
            url: &url,
            settings: self.engine.settings(),
            exposition: exposition.as_ref(),
            web: web.as_ref(),
        };
        let mut progress = Shown::new(self.quiet);
        let report = test.run(sending, &stop, &mut progress).await;
        let report = report.map_err(AutoscalingError::from)?;
        let written = outputs::publish(&report, &self.outputs);
        if let Some(web) = web {
            web_args::finish(web, &report).await;
        }
        let min_grade = self.min_grade.map(Into::into);
        Ok(verdict::code(outcome(&report, min_grade), written))
    }

    async fn prepare(&self, target: &Target, hosts: &Hosts) -> Result<Test, AutoscalingError> {
        let settings = Settings {
            scenario: journeys(self.scenario.as_deref(), &self.thresholds, hosts, target)?,
            course: self.course.wishes(),
            assertions: self.limits.wishes(),
            limits: self.engine.limits(),
            steady_timeout: self.steady_timeout,
            curve: self.curve()?,
        };
        let resource = self.subject.resource(&self.kube).await?;
        let subject = self.subject.subject(&resource).await?;
        let say = |words: &str| {
            if !self.quiet {
                stderr::say(words);
            }
        };
        Ok(Test::prepare(resource, subject, settings, say).await?)
    }

    /// The measured capacity by replicas, from the file of `--capacity`.
    fn curve(&self) -> Result<Option<Curve>, AutoscalingError> {
        let read = |file: &PathBuf| {
            let text = files::read_text(file)
                .map_err(|error| AutoscalingError::CapacityFile(file.clone(), error))?;
            report::read_curve(&text).map_err(|error| AutoscalingError::Capacity(file.clone(), error))
        };
        self.capacity.as_ref().map(read).transpose()
    }
}
