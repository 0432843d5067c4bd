//! `vas test run` of one scenario: sends its load, watches a workload meanwhile, and judges the outcome.

use std::sync::Arc;

use super::{
    autoscaling::watching::Watching,
    clock::RunClock,
    distributed::{
        barrier::{Barrier, BarrierError},
        lines,
    },
    drive::{LEAD, Meanwhile, Sending, drive},
    engine::EngineError,
    judge::judge,
    model::measured::Second,
    progress::Progress,
    report::Report,
    scenario::model::Scenario,
    setup::{self, SetupError},
};
use vas_cluster::shutdown;

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The load could not be sent.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The setup failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Not all of the workers that send together were ready.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
    /// The signal handlers cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
}

/// Runs a scenario. SIGINT and SIGTERM end the load; what was measured until then is judged.
///
/// # Errors
/// When the load cannot be started, or a sending thread is lost.
pub async fn run(
    scenario: Scenario,
    sending: Sending<'_>,
    watching: Option<Watching>,
    progress: &mut impl Progress,
) -> Result<Report, RunError> {
    together(scenario, sending, watching, None, progress).await
}

/// As [`run`], for one of several workers that begin together: after its setup it waits at the barrier. It is given
/// with the number of this worker.
///
/// # Errors
/// As [`run`]; when not all workers are ready in time.
pub async fn together(
    scenario: Scenario,
    sending: Sending<'_>,
    mut watching: Option<Watching>,
    barrier: Option<(&Barrier, u32)>,
    progress: &mut impl Progress,
) -> Result<Report, RunError> {
    let stop = shutdown::on_signal().map_err(RunError::Signals)?;
    let scenario = Arc::new(setup::before(scenario, sending.target, sending.web, &stop).await?);
    if let Some((barrier, index)) = barrier {
        progress.say(lines::ready());
        let passed = tokio::select! {
            passed = barrier.pass(index) => passed.map_err(RunError::from),
            () = stop.cancelled() => Err(SetupError::Interrupted.into()),
        };
        if let Err(error) = passed {
            // What the setup made is taken away also where no load follows.
            if let Some(failed) = setup::after(&scenario, sending.target, sending.web).await {
                progress.say(&failed);
            }
            return Err(error);
        }
    }
    let clock = RunClock::begins_in(LEAD);
    if let Some(watching) = &watching {
        watching.begin(clock);
    }
    let each = |_: &Second| {
        let (news, state) = watching.as_mut().map(Watching::progress).unwrap_or_default();
        let watched = watching.as_ref().filter(|_| sending.is_watched());
        Meanwhile {
            news,
            state,
            over: false,
            scaling: watched.map(Watching::scaling),
        }
    };
    let measured = drive(&scenario, sending, clock, &stop, each, progress).await;
    if let Some(failed) = setup::after(&scenario, sending.target, sending.web).await {
        progress.say(&failed);
    }
    let measured = measured?;
    let scenario = if scenario.turns().is_some() {
        // The load lasted as long as the iterations took, and the report is about that time.
        Arc::new(Scenario {
            load: scenario.load.until(measured.elapsed),
            ..Scenario::clone(&scenario)
        })
    } else {
        scenario
    };
    let (workload, check) = watching
        .map(|watching| watching.end(&scenario, &measured))
        .map_or((None, None), |(workload, check)| (Some(workload), check));
    Ok(judge(
        &scenario,
        sending.url,
        measured,
        workload.into_iter().collect(),
        check.into_iter().collect(),
    ))
}
