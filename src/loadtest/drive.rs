//! Sends a load from beginning to end, hands on each second of it, and ends it early on request.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    clock::RunClock,
    engine::{self, EngineError, Settings},
    exposition::Exposition,
    http::Target,
    model::measured::{End, Measured, Second},
    model::scaling::Scaling,
    progress::{Line, Progress},
    scenario::model::Scenario,
    web::{self, Web},
};

/// Time from the decision to send to the first request, in which the threads start.
pub(crate) const LEAD: Duration = Duration::from_millis(200);

/// How a load is sent.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// Target of the requests.
    pub target: &'a Target,
    /// The URL of the target as reports show it, with credentials masked.
    pub url: &'a str,
    /// Settings of the engine.
    pub settings: Settings,
    /// Metrics of the run; updated every second.
    pub exposition: Option<&'a Exposition>,
    /// The live page of the run; told of every second.
    pub web: Option<&'a Web>,
}

impl Sending<'_> {
    /// Whether somebody watches the run on its live page.
    pub(crate) fn is_watched(&self) -> bool {
        self.web.is_some_and(Web::is_watched)
    }
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
    /// What was seen of the workload so far, for the live page; `None` where nobody watches.
    pub(crate) scaling: Option<Scaling>,
}

/// Sends the load. When `stop` is cancelled, or the live page asks for it, the load ends; what was measured until then is kept. `each` is
/// called every second and returns what else happened in it.
///
/// # Errors
/// When the load cannot be started, or a sending thread is lost.
pub(crate) async fn drive(
    scenario: &Arc<Scenario>,
    sending: Sending<'_>,
    clock: RunClock,
    stop: &CancellationToken,
    mut each: impl FnMut(&Second) -> Meanwhile,
    progress: &mut impl Progress,
) -> Result<Measured, EngineError> {
    let mut running = engine::start(scenario.clone(), sending.target, sending.settings, clock)?;
    let names = running.step_names().to_vec();
    if let Some(exposition) = sending.exposition {
        exposition.begin(scenario, &names);
    }
    if let Some(web) = sending.web {
        web.begin(scenario, sending.url, clock.timestamp());
    }
    let mut line = Line::of(scenario);
    if let Some(note) = running.note() {
        progress.say(note);
    }
    let mut stopping = false;
    loop {
        tokio::select! {
            second = running.next_detailed() => match second {
                Some((second, detail)) => {
                    if let Some(exposition) = sending.exposition {
                        exposition.second(&names, &second, &detail);
                    }
                    let meanwhile = each(&second);
                    if let Some(web) = sending.web {
                        web.second(&second, &detail, meanwhile.scaling);
                    }
                    meanwhile.news.iter().for_each(|news| progress.say(news));
                    line.add(second, meanwhile.state);
                    progress.second(&mut line);
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
            () = web::stopped(sending.web), if !stopping => {
                stopping = true;
                progress.say("stopping, as asked for on the live page: waiting for what is under way");
                running.stop(End::Interrupted);
            }
        }
    }
    progress.end();
    running.finish().await
}
