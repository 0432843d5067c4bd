//! What a test does once, before its load and after it: the setup of a scenario, whose values every user has,
//! and its teardown.

use tokio_util::sync::CancellationToken;

use super::{
    engine::{self, OnceError},
    http::Target,
    scenario::model::Scenario,
    web::{self, Web},
};

/// Why the load does not begin.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A step of the setup failed.
    #[error("setup: {0}; the load was not begun")]
    Failed(#[from] OnceError),
    /// A signal came, or the live page asked for the end, before the setup was done.
    #[error("interrupted during the setup; the load was not begun")]
    Interrupted,
}

/// Does the setup, as the live page says meanwhile. The returned scenario has its values, which are shown nowhere.
///
/// # Errors
/// When a step fails, or `stop` is cancelled or the page asks for the end before all are done.
pub async fn before(
    mut scenario: Scenario,
    target: &Target,
    web: Option<&Web>,
    stop: &CancellationToken,
) -> Result<Scenario, SetupError> {
    let Some(setup) = &scenario.setup else {
        return Ok(scenario);
    };
    if let Some(web) = web {
        web.set_up();
    }
    let mut values = tokio::select! {
        values = Box::pin(engine::once(&scenario, setup, target)) => values?,
        () = stop.cancelled() => return Err(SetupError::Interrupted),
        () = web::stopped(web) => return Err(SetupError::Interrupted),
    };
    let shared = &mut scenario.inputs.shared;
    values.retain(|name, _| shared.names.contains(name));
    for value in values.values() {
        scenario.inputs.secrets.add(value.clone());
    }
    shared.values = values;
    Ok(scenario)
}

/// Does the teardown, as the live page says meanwhile. Returns what is to be said of it if a step failed: what was measured stays as it is.
pub async fn after(scenario: &Scenario, target: &Target, web: Option<&Web>) -> Option<String> {
    let teardown = scenario.teardown.as_ref()?;
    if let Some(web) = web {
        web.tear_down();
    }
    let done = Box::pin(engine::once(scenario, teardown, target)).await;
    done.err().map(|error| format!("teardown: {error}"))
}
