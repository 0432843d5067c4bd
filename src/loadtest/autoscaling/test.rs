//! The autoscaling test: finds everything that can be wrong before anything is sent, sends the load while the
//! workload is watched, and judges both.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use tokio_util::sync::CancellationToken;

use super::{
    assertions::{self, Asserted, Moments},
    course::{self, Course},
    news::Reported,
    observer::Observer,
    preflight, scale_down, state,
    watch::Watch,
    watched::Loaded,
    wishes::{AssertionWishes, CourseError, CourseWishes, ScaleDown},
};
use crate::{
    capacity::curve::Curve,
    clock::RunClock,
    cluster::{
        error::ClusterError,
        resource::{Resource, Subject},
    },
    drive::{LEAD, Meanwhile, Sending, drive},
    engine::EngineError,
    judge::judge,
    limits::{LimitError, Limits},
    model::{
        check::Check,
        measured::{End, Measured, Second},
        scaling::Scaling,
    },
    progress::Progress,
    report::{Report, Workload},
    scenario::model::{Load, Scenario},
    setup::{self, SetupError},
};
use vas_core::hpa::{Controller, Hpa};

/// What the user asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Journeys and thresholds. Its load is not used.
    pub scenario: Scenario,
    /// The load that the user asks for, completed from the HPA.
    pub course: CourseWishes,
    /// The assertions on replicas.
    pub assertions: AssertionWishes,
    /// The largest load that is sent.
    pub limits: Limits,
    /// Longest wait for replicas to be steady and metrics to be there, before the load.
    pub steady_timeout: Duration,
    /// The measured capacity by replicas, if known.
    pub curve: Option<Curve>,
}

/// Why the test has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The load cannot be planned.
    #[error(transparent)]
    Course(#[from] CourseError),
    /// The planned load is larger than allowed.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The cluster refused a request, or the workload cannot be tested.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The setup failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The load could not be sent.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Everything that is needed for the test: the workload as it was found, the load for it, and the assertions.
#[derive(Debug)]
pub struct Test {
    resource: Resource,
    subject: Subject,
    hpa: HorizontalPodAutoscaler,
    scenario: Scenario,
    course: Course,
    per_replica: Option<f64>,
    asserted: Asserted,
    curve: Option<Curve>,
}

impl Test {
    /// Finds everything that can be wrong with the test before anything is sent. `say` gets a line for each
    /// thing that is waited for or left out.
    ///
    /// # Errors
    /// When a precondition does not hold in time, or the load cannot be planned.
    pub async fn prepare(
        resource: Resource,
        subject: Subject,
        settings: Settings,
        say: impl Fn(&str),
    ) -> Result<Self, TestError> {
        let Settings {
            mut scenario,
            course,
            assertions,
            limits,
            steady_timeout,
            curve,
        } = settings;
        let wanted = course.replicas(subject.bounds);
        let hpa = preflight::clear(&resource, &subject, wanted, steady_timeout, &say).await?;
        let per_replica = course::per_replica(&hpa).filter(|_| scenario.is_single());
        let read = Hpa::read(&hpa, &Controller::default());
        let allowed = scale_down::deadline(&read, read.max);
        let after = assertions.scale_down(allowed);
        if after.is_none() && assertions.scale_down != ScaleDown::NotTested {
            say("scaleDown is disabled in the HPA: that replicas go again is not tested");
        }
        let course = course.course(subject.bounds, per_replica, after.unwrap_or_default())?;
        let needed = per_replica.map_or(wanted, |per| {
            course::needed(course.peak, per).min(subject.bounds.1)
        });
        let asserted = assertions.asserted(wanted, needed, after);
        scenario.name = format!("autoscaling of {}/{}", resource.name, subject.workload);
        scenario.description = format!("from {} to {wanted} replicas and back", subject.replicas);
        scenario.load = Load::Open(course.profile());
        limits.guard(&scenario)?;
        Ok(Self {
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

    /// The load that will be sent, with its journeys and thresholds.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Sends the load, watches the workload meanwhile, and judges both. The load ends early when all replicas
    /// are back at the minimum, or when `stop` is cancelled.
    ///
    /// # Errors
    /// When the workload cannot be watched, or the load cannot be sent.
    pub async fn run(
        mut self,
        sending: Sending<'_>,
        stop: &CancellationToken,
        progress: &mut impl Progress,
    ) -> Result<Report, TestError> {
        self.scenario = setup::before(self.scenario, sending.target, sending.web, stop).await?;
        let watch = Watch::start(&self.resource, &self.subject, &self.hpa);
        watch.initial_sync().await?;
        let clock = RunClock::begins_in(LEAD);
        watch.begin(clock);
        let scenario = Arc::new(self.scenario.clone());
        let mut reported = Reported::default();
        let each = |second: &Second| {
            let at = f64::from(second.at + 1);
            watch.read(|observer| Meanwhile {
                scaling: sending.is_watched().then(|| observer.scaling().clone()),
                ..meanwhile(observer, &mut reported, &self.course, at)
            })
        };
        let measured = drive(&scenario, sending, clock, stop, each, progress).await;
        if let Some(failed) = setup::after(&scenario, sending.target, sending.web).await {
            progress.say(&failed);
        }
        let mut measured = measured?;
        let scaling = watch.end();
        if measured.end == End::Completed {
            // The replicas were back early, so the rest of the load was not needed. The plan is cut to what
            // was sent; otherwise the run would count as incomplete.
            measured.planned = measured.elapsed;
        }
        self.scenario.load = Load::Open(self.course.profile().until(measured.elapsed));
        let (workload, checks) = self.conclude(scaling, &measured);
        Ok(judge(
            &self.scenario,
            sending.url,
            measured,
            vec![workload],
            checks,
        ))
    }

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
fn meanwhile(observer: &Observer, reported: &mut Reported, course: &Course, at: f64) -> Meanwhile {
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
        news: reported.news(observer.scaling()),
        state: format!("{phase}: {}", state::in_words(observer)),
        over: down && at > course.release(),
        scaling: None,
    }
}
