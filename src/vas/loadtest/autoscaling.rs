//! `vas test autoscaling`: sends a load that needs more replicas, and checks that they came, sufficed and
//! went.

use std::{fs, io, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use super::{
    EXIT_INTERRUPTED, EXIT_PRECONDITION,
    autoscaling_args::{CourseArgs, CourseError, LimitArgs},
    destination::DestinationError,
    drive::{DriveError, LEAD, Meanwhile, drive},
    load_args::{EngineArgs, LoadError, TargetArgs},
    metrics_listen::{ListenError, MetricsListenArgs},
    outputs::{self, Output},
    scenario_args::{self, ScenarioArgsError},
    subject_args::SubjectArgs,
    verdict::{self, MinGrade},
    watched,
};
use crate::{
    EXIT_INVALID,
    kube_config::{KubeConfigArgs, KubeConfigError},
    leader_election::parse_duration,
    output,
};
use vas_cluster::shutdown;
use vas_core::hpa::{Controller, Hpa};
use vas_loadtest::{
    autoscaling::{
        assertions::{self, Asserted, Moments},
        course::{self, Course},
        news::Told,
        observer::Observer,
        preflight, scale_down,
        watch::Watch,
        watched::Loaded,
    },
    capacity::{
        curve::Curve,
        report::{self, ReadError},
    },
    clock::RunClock,
    cluster::{
        error::ClusterError,
        resource::{Resource, Subject},
    },
    http::Target,
    judge::judge,
    model::{
        check::Check,
        measured::{End, Measured, Second},
        scaling::Scaling,
    },
    report::{Report, Workload},
    scenario::{
        model::{Load, Scenario, Threshold},
        plan,
    },
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
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = parse_duration)]
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
    kube: KubeConfigArgs,
}

#[derive(Debug, thiserror::Error)]
enum AutoscalingError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Scenario(#[from] ScenarioArgsError),
    #[error(transparent)]
    Course(#[from] CourseError),
    #[error("--capacity {}: {}", .0.display(), .1)]
    Capacity(PathBuf, #[source] ReadError),
    #[error("--capacity {}: {}", .0.display(), .1)]
    CapacityFile(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Client(#[from] KubeConfigError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Drive(#[from] DriveError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Output(#[from] DestinationError),
    #[error("interrupted")]
    Interrupted,
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    #[error("cannot write to standard output: {0}")]
    Print(#[source] io::Error),
}

impl AutoscalingError {
    fn code(&self) -> u8 {
        match self {
            Self::Load(_)
            | Self::Scenario(_)
            | Self::Course(_)
            | Self::Capacity(..)
            | Self::CapacityFile(..) => EXIT_INVALID,
            Self::Output(error) if error.is_usage() => EXIT_INVALID,
            Self::Cluster(error) if error.is_precondition() => EXIT_PRECONDITION,
            Self::Interrupted => EXIT_INTERRUPTED,
            _ => 1,
        }
    }
}

/// Everything that is needed for the test: the workload as it was found, the load for it, and the assertions.
struct Test {
    target: Target,
    resource: Resource,
    subject: Subject,
    hpa: HorizontalPodAutoscaler,
    scenario: Scenario,
    course: Course,
    per_replica: Option<f64>,
    asserted: Asserted,
    curve: Option<Curve>,
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        match self.try_run() {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                output::say(&format!("vas test autoscaling: {error}"));
                ExitCode::from(error.code())
            }
        }
    }

    fn try_run(&self) -> Result<u8, AutoscalingError> {
        outputs::try_all(&self.outputs)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(AutoscalingError::Start)?;
        runtime.block_on(async {
            let stop = shutdown::on_signal().map_err(AutoscalingError::Start)?;
            let test = tokio::select! {
                test = self.prepare() => test?,
                () = stop.cancelled() => return Err(AutoscalingError::Interrupted),
            };
            if self.dry_run {
                let plan = plan::render(&test.scenario, self.target.url());
                output::text(&plan).map_err(AutoscalingError::Print)?;
                return Ok(0);
            }
            let report = self.test(test).await?;
            let written = outputs::publish("vas test autoscaling", &report, &self.outputs);
            Ok(verdict::after_writing(
                verdict::code(&report, self.min_grade),
                written,
            ))
        })
    }

    /// Finds everything that can be wrong with the test before anything is sent.
    async fn prepare(&self) -> Result<Test, AutoscalingError> {
        let target = self.target.target()?;
        let mut scenario = scenario_args::journeys(self.scenario.as_deref(), &self.thresholds, &target)?;
        let curve = self.curve()?;
        let (resource, _) = self.subject.resource(&self.kube).await?;
        let subject = self.subject.subject(&resource).await?;
        let wanted = self.course.replicas(subject.bounds);
        let say = |words: &str| self.say(words);
        let hpa = preflight::clear(&resource, &subject, wanted, self.steady_timeout, say).await?;
        let per_replica = course::per_replica(&hpa).filter(|_| scenario.is_single());
        let read = Hpa::read(&hpa, &Controller::default());
        let allowed = scale_down::deadline(&read, read.max);
        let after = self.limits.scale_down(allowed);
        if after.is_none() && !self.limits.without_scale_down() {
            self.say("scaleDown is disabled in the HPA: that replicas go again is not tested");
        }
        let course = self
            .course
            .course(subject.bounds, per_replica, after.unwrap_or_default())?;
        let needed = per_replica.map_or(wanted, |per| {
            course::needed(course.peak, per).min(subject.bounds.1)
        });
        let asserted = self.limits.asserted(wanted, needed, after);
        scenario.name = format!("autoscaling of {}/{}", self.subject.name, subject.workload);
        scenario.description = format!("from {} to {wanted} replicas and back", subject.replicas);
        scenario.load = Load::Open(course.profile());
        self.engine.guard(&scenario)?;
        Ok(Test {
            target,
            resource,
            subject,
            hpa,
            scenario,
            course,
            per_replica,
            asserted,
            curve,
        })
    }

    async fn test(&self, mut test: Test) -> Result<Report, AutoscalingError> {
        let exposition = self.metrics.serve()?;
        let watch = Watch::start(&test.resource, &test.subject, &test.hpa);
        watch.first_look().await?;
        let clock = RunClock::begins_in(LEAD);
        watch.begin(clock);
        let scenario = Arc::new(test.scenario.clone());
        let mut told = Told::default();
        let each = |second: &Second| {
            let at = f64::from(second.at + 1);
            watch.look(|observer| meanwhile(observer, &mut told, &test.course, at))
        };
        let settings = self.engine.settings();
        let mut measured = drive(
            &scenario,
            &test.target,
            settings,
            clock,
            self.quiet,
            each,
            exposition.as_ref(),
        )
        .await?;
        let scaling = watch.end();
        if measured.end == End::Completed {
            // The replicas were back early, so the rest of the load was not needed. The plan is cut to what
            // was sent; otherwise the run would count as incomplete.
            measured.planned = measured.elapsed;
        }
        test.scenario.load = Load::Open(test.course.profile().until(measured.elapsed));
        let (workload, checks) = test.conclude(scaling, &measured);
        Ok(judge(
            &test.scenario,
            self.target.url(),
            measured,
            vec![workload],
            checks,
        ))
    }

    fn curve(&self) -> Result<Option<Curve>, AutoscalingError> {
        let read = |file: &PathBuf| {
            let text = fs::read_to_string(file)
                .map_err(|error| AutoscalingError::CapacityFile(file.clone(), error))?;
            report::read_curve(&text).map_err(|error| AutoscalingError::Capacity(file.clone(), error))
        };
        self.capacity.as_ref().map(read).transpose()
    }

    fn say(&self, words: &str) {
        if !self.quiet {
            output::say(words);
        }
    }
}

impl Test {
    /// The observed workload and the checks of it. `scenario.load` must be the load that was really sent.
    fn conclude(&self, scaling: Scaling, measured: &Measured) -> (Workload, Vec<Check>) {
        let loaded = Loaded {
            scenario: &self.scenario,
            measured,
            per_replica: self.per_replica,
            curve: self.curve.as_ref(),
        };
        let workload = loaded.workload(scaling);
        let moments = Moments {
            rise: self.course.before.as_secs_f64(),
            release: self.course.release(),
            end: measured.elapsed.as_secs_f64(),
        };
        let checks = assertions::checks(&workload, moments, &self.asserted);
        (workload, checks)
    }
}

/// The news of one second. The test is over when the load has ended and all replicas are back at the minimum.
fn meanwhile(observer: &Observer, told: &mut Told, course: &Course, at: f64) -> Meanwhile {
    let (now, bounds) = (observer.replicas(), observer.scaling().bounds);
    let phase = if at <= course.before.as_secs_f64() {
        "quiet"
    } else if at <= (course.before + course.ramp).as_secs_f64() {
        "ramp"
    } else if at <= course.release() {
        "hold"
    } else {
        "scaling down"
    };
    let down = now.desired <= bounds.min && now.current <= bounds.min && now.ready <= bounds.min;
    Meanwhile {
        news: told.news(observer.scaling()),
        state: format!("{phase}: {}", watched::state(observer)),
        over: down && at > course.release(),
    }
}
