//! Sends a load from beginning to end, shows the progress, and ends the load early on request.

use std::{sync::Arc, time::Duration};

use super::progress::Progress;
use vas_cluster::shutdown;
use vas_loadtest::{
    clock::RunClock,
    engine::{self, EngineError, Settings},
    exposition::Exposition,
    http::Target,
    model::measured::{End, Measured, Second},
    scenario::model::{Load, Scenario},
};

/// Time from the decision to send to the first request, in which the threads start.
pub(crate) const LEAD: Duration = Duration::from_millis(200);

/// Reasons why a load was not sent to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriveError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The signal handlers cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
}

/// What else happened in one second.
#[derive(Debug, Default)]
pub(crate) struct Meanwhile {
    /// News, one line each.
    pub(crate) news: Vec<String>,
    /// Words that are appended to the progress of the load, such as the number of replicas.
    pub(crate) state: String,
    /// Whether everything that the test waits for has happened, so that the load ends.
    pub(crate) over: bool,
}

/// Sends the load. SIGINT and SIGTERM end it; what was measured until then is kept. `each` is called every
/// second and returns what else happened in it. The exposition is updated every second too.
///
/// # Errors
/// When the load cannot be started, or a sending thread is lost.
pub(crate) async fn drive(
    scenario: &Arc<Scenario>,
    target: &Target,
    settings: Settings,
    clock: RunClock,
    quiet: bool,
    mut each: impl FnMut(&Second) -> Meanwhile,
    exposition: Option<&Exposition>,
) -> Result<Measured, DriveError> {
    let stop = shutdown::on_signal().map_err(DriveError::Signals)?;
    let mut running = engine::start(scenario.clone(), target, settings, clock)?;
    let names = running.step_names().to_vec();
    if let Some(exposition) = exposition {
        exposition.begin(scenario, &names);
    }
    let concurrency = match scenario.load {
        Load::Open(_) => "under way",
        Load::Closed(_) => "users",
    };
    let mut progress = Progress::new(scenario.load.profile().duration(), concurrency, quiet);
    if let Some(note) = running.note() {
        progress.say(note);
    }
    let mut stopping = false;
    loop {
        tokio::select! {
            second = running.next_detailed() => match second {
                Some((second, detail)) => {
                    if let Some(exposition) = exposition {
                        exposition.second(&names, &second, &detail);
                    }
                    let meanwhile = each(&second);
                    meanwhile.news.iter().for_each(|news| progress.say(news));
                    progress.second(&second, &meanwhile.state);
                    if meanwhile.over {
                        running.stop(End::Completed);
                    }
                }
                None => break,
            },
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                progress.say("stopping: waiting for what is under way; a second signal stops at once");
                running.stop(End::Interrupted);
            }
        }
    }
    progress.end();
    Ok(running.finish().await?)
}
