//! Sends a load from its begin to its end, says how far it is, and ends it early when asked to.

use std::{sync::Arc, time::Duration};

use super::progress::Progress;
use crate::{
    cluster::shutdown,
    loadtest::{
        clock::RunClock,
        engine::{self, EngineError, Settings},
        exposition::Exposition,
        http::Target,
        model::measured::{End, Measured, Second},
        scenario::model::{Load, Scenario},
    },
};

/// From the decision to send to the first request: threads start meanwhile.
pub(in crate::cli) const LEAD: Duration = Duration::from_millis(200);

/// Why a load was not sent to its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum DriveError {
    /// See [`EngineError`].
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Signals cannot be heard.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] std::io::Error),
}

/// What else happened in a second.
#[derive(Debug, Default)]
pub(in crate::cli) struct Meanwhile {
    /// News, a line each.
    pub(in crate::cli) news: Vec<String>,
    /// Words behind what is known of the load, such as replicas.
    pub(in crate::cli) state: String,
    /// Whether all that was to be seen has been seen: the load ends.
    pub(in crate::cli) over: bool,
}

/// Sends the load. SIGINT and SIGTERM end it with what was measured until then. `each` is told every second, and tells
/// what else happened in it. Who scrapes the exposition sees what happens.
///
/// # Errors
/// When it cannot be started, or a thread is lost.
pub(in crate::cli) async fn drive(
    scenario: &Arc<Scenario>,
    target: &Target,
    settings: Settings,
    clock: RunClock,
    quiet: bool,
    mut each: impl FnMut(&Second) -> Meanwhile,
    exposition: Option<&Exposition>,
) -> Result<Measured, DriveError> {
    let asked = shutdown::on_signal().map_err(DriveError::Signals)?;
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
    let mut told = false;
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
            () = asked.cancelled(), if !told => {
                told = true;
                progress.say("stopping: waiting for what is under way; a second signal stops at once");
                running.stop(End::Interrupted);
            }
        }
    }
    progress.end();
    Ok(running.finish().await?)
}
