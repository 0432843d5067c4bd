//! Chooses the scenarios to run: built-in ones by name, one from a file, or a quick one from flags.

use std::{fs, io, path::Path, time::Duration};

use vas_loadtest::{
    http::Target,
    scenario::{
        ScenarioError, builtin, duration,
        model::{Scenario, Think, Threshold},
        parse,
        quick::{self, Level},
        scaled::ScaleError,
    },
};

/// The load to send.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub(crate) struct ScenarioArgs {
    /// A scenario of `vas test list`, a suite (quick, all), or a file. Without it: one request, again and
    /// again, by --rate or --users
    #[arg(value_name = "SCENARIO|FILE")]
    scenario: Option<String>,
    /// Requests per second, whatever the service does (open model)
    #[arg(long, value_name = "RATE", conflicts_with_all = ["scenario", "users"], required_unless_present_any = ["scenario", "users"])]
    rate: Option<f64>,
    /// Users, each of whom sends the next request after an answer (closed model)
    #[arg(long, value_name = "NUMBER", conflicts_with = "scenario")]
    users: Option<u32>,
    /// Pause of a user after each answer: 2s, or 2s-10s for one drawn evenly
    #[arg(long, value_name = "DURATION", requires = "users")]
    think: Option<Think>,
    /// How long requests are sent
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse_positive, conflicts_with = "scenario")]
    duration: Duration,
    /// Run a scenario in this share of its time: 0.1 makes ten minutes one
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, requires = "scenario")]
    scale: f64,
    /// Run a scenario with this share of its users or rate
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, requires = "scenario")]
    scale_load: f64,
    /// What has to hold besides the scenario's thresholds, such as "latency p95 < 500ms"; may be given
    /// several times
    #[arg(long = "threshold", value_name = "THRESHOLD")]
    thresholds: Vec<Threshold>,
}

/// Reasons why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioArgsError {
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
    /// The value of a flag is not above zero.
    #[error("{flag} must be more than 0")]
    NotPositive {
        /// Name of the flag.
        flag: &'static str,
    },
}

impl ScenarioArgs {
    /// The scenarios in the order in which they run; at least one.
    ///
    /// # Errors
    /// When a scenario is unknown, invalid or cannot be scaled, or the target has a query.
    pub(crate) fn scenarios(&self, target: &Target) -> Result<Vec<Scenario>, ScenarioArgsError> {
        for (flag, value) in [
            ("--rate", self.rate.unwrap_or(1.0)),
            ("--users", f64::from(self.users.unwrap_or(1))),
            ("--scale", self.scale),
            ("--scale-load", self.scale_load),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(ScenarioArgsError::NotPositive { flag });
            }
        }
        let Some(name) = &self.scenario else {
            return Ok(vec![self.quick(target.has_path())]);
        };
        no_query(target)?;
        let names = match builtin::suite(name) {
            Some(members) => members.to_vec(),
            None => vec![name.as_str()],
        };
        names.into_iter().map(|name| self.named(name)).collect()
    }

    fn quick(&self, has_path: bool) -> Scenario {
        let level = match (self.rate, self.users) {
            (Some(rate), _) => Level::Rate(rate),
            (None, users) => Level::Users(f64::from(users.unwrap_or(1)), self.think.unwrap_or_default()),
        };
        quick::scenario(level, self.duration, has_path, self.thresholds.clone())
    }

    fn named(&self, name: &str) -> Result<Scenario, ScenarioArgsError> {
        let mut scenario = load(name)?.scaled(self.scale, self.scale_load)?;
        scenario.thresholds.extend(self.thresholds.iter().cloned());
        Ok(scenario)
    }
}

/// Thresholds where neither a scenario nor `--threshold` gives any.
const OBJECTIVE: [&str; 2] = ["latency p95 < 500ms", "errors < 1%"];

/// The journeys and thresholds of a scenario, for tests that make a load of their own. Without a name, the
/// journey is one request. Thresholds that are given replace those of the scenario.
pub(crate) fn journeys(
    name: Option<&str>,
    thresholds: &[Threshold],
    target: &Target,
) -> Result<Scenario, ScenarioArgsError> {
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
fn no_query(target: &Target) -> Result<(), ScenarioArgsError> {
    if target.has_query() {
        return Err(ScenarioArgsError::Query);
    }
    Ok(())
}

/// Loads a built-in scenario, or one from a file.
pub(crate) fn load(name: &str) -> Result<Scenario, ScenarioArgsError> {
    let no_files = |_: &str| Err("a scenario of vas has no files".to_owned());
    if let Some(builtin) = builtin::find(name) {
        return Ok(parse(builtin.text, name, &no_files)?);
    }
    let path = Path::new(name);
    let text = fs::read_to_string(path).map_err(|error| ScenarioArgsError::Unknown {
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
