//! Finds scenarios by what users name: a built-in scenario, a suite of several, or a file.

use std::{fs, io, path::Path, time::Duration};

use super::{
    http::Target,
    scenario::{
        ScenarioError, builtin,
        model::{Scenario, Threshold},
        parse,
        quick::{self, Level},
        scaled::ScaleError,
    },
};

/// Thresholds where neither a scenario nor the user gives any.
const OBJECTIVE: [&str; 2] = ["latency p95 < 500ms", "errors < 1%"];

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// The scenario is invalid.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The scenario cannot be scaled so.
    #[error(transparent)]
    Scale(#[from] ScaleError),
    /// The name is neither a scenario, nor a suite, nor a readable file.
    #[error(
        "{name:?} is neither a scenario of vas ({}) nor a suite (quick, all) nor a file: {error}",
        builtin::NAMES.join(", ")
    )]
    Unknown {
        /// The name, as given.
        name: String,
        /// The error when it was opened as a file.
        error: io::Error,
    },
    /// The target has a query, and a path cannot be appended to that.
    #[error("--target: a scenario's paths cannot be put behind a query; give it in the path of each step")]
    Query,
}

/// How a scenario is changed before it runs.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Share of its time.
    pub time: f64,
    /// Share of its users or rate.
    pub load: f64,
    /// Thresholds besides its own.
    pub thresholds: Vec<Threshold>,
}

/// The scenarios of this name, in the order in which they run; at least one.
///
/// # Errors
/// When a scenario is unknown, invalid or cannot be scaled, or the target has a query.
pub fn select(name: &str, changes: &Changes, target: &Target) -> Result<Vec<Scenario>, SelectionError> {
    no_query(target)?;
    let names = match builtin::suite(name) {
        Some(members) => members.to_vec(),
        None => vec![name],
    };
    let changed = |name: &str| -> Result<Scenario, SelectionError> {
        let mut scenario = load(name)?.scaled(changes.time, changes.load)?;
        scenario.thresholds.extend(changes.thresholds.iter().cloned());
        Ok(scenario)
    };
    names.into_iter().map(changed).collect()
}

/// The journeys and thresholds of a scenario, for tests that make a load of their own. Without a name, the
/// journey is one request. Thresholds that are given replace those of the scenario.
///
/// # Errors
/// As [`select`].
pub fn journeys(
    name: Option<&str>,
    thresholds: &[Threshold],
    target: &Target,
) -> Result<Scenario, SelectionError> {
    let mut scenario = if let Some(name) = name {
        no_query(target)?;
        load(name)?
    } else {
        let has_path = target.has_path();
        quick::scenario(Level::Rate(1.0), Duration::from_secs(1), has_path, Vec::new())
    };
    if !thresholds.is_empty() {
        scenario.thresholds = thresholds.to_vec();
    } else if scenario.thresholds.is_empty() {
        scenario.thresholds = OBJECTIVE.iter().filter_map(|text| text.parse().ok()).collect();
    }
    Ok(scenario)
}

/// Refuses a target with a query, because the path of a step cannot be appended to a query.
fn no_query(target: &Target) -> Result<(), SelectionError> {
    if target.has_query() {
        return Err(SelectionError::Query);
    }
    Ok(())
}

/// Loads a built-in scenario, or one from a file.
///
/// # Errors
/// When there is none of this name, or it is invalid.
pub fn load(name: &str) -> Result<Scenario, SelectionError> {
    let no_files = |_: &str| Err("a scenario of vas has no files".to_owned());
    if let Some(builtin) = builtin::find(name) {
        return Ok(parse(builtin.text, name, &no_files)?);
    }
    let path = Path::new(name);
    let text = fs::read_to_string(path).map_err(|error| SelectionError::Unknown {
        name: name.to_owned(),
        error,
    })?;
    let beside = |file: &str| {
        let path = path.parent().unwrap_or(Path::new("")).join(file);
        fs::read_to_string(path).map_err(|error| error.to_string())
    };
    let stem = path
        .file_stem()
        .map_or(name.into(), |stem| stem.to_string_lossy());
    Ok(parse(&text, &stem, &beside)?)
}
