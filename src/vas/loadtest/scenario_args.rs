//! Chooses the scenarios to run: built-in ones by name, one from a file, or a quick one from flags.

use std::time::Duration;

use super::load_args::parse_rate;
use crate::duration;
use vas_loadtest::{
    http::Target,
    scenario::{
        model::{Scenario, Think, Threshold},
        quick::{self, Level},
    },
    selection::{Changes, SelectionError, select},
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
    #[arg(long, value_name = "RATE", value_parser = parse_rate, conflicts_with_all = ["scenario", "users"], required_unless_present_any = ["scenario", "users"])]
    rate: Option<f64>,
    /// Users, each of whom sends the next request after an answer (closed model)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "scenario")]
    users: Option<u32>,
    /// Pause of a user after each answer: 2s, or 2s-10s for one drawn evenly
    #[arg(long, value_name = "DURATION", requires = "users")]
    think: Option<Think>,
    /// How long requests are sent
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse_exact, conflicts_with = "scenario")]
    duration: Duration,
    /// Run a scenario in this share of its time: 0.1 makes ten minutes one
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = parse_rate, requires = "scenario")]
    scale: f64,
    /// Run a scenario with this share of its users or rate
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = parse_rate, requires = "scenario")]
    scale_load: f64,
    /// What has to hold besides the scenario's thresholds, such as "latency p95 < 500ms"; may be given
    /// several times
    #[arg(long = "threshold", value_name = "THRESHOLD")]
    thresholds: Vec<Threshold>,
}

impl ScenarioArgs {
    /// The scenarios in the order in which they run; at least one.
    ///
    /// # Errors
    /// When a scenario is unknown, invalid or cannot be scaled, or the target has a query.
    pub(crate) fn scenarios(&self, target: &Target) -> Result<Vec<Scenario>, SelectionError> {
        let Some(name) = &self.scenario else {
            return Ok(vec![self.quick(target.has_path())]);
        };
        let changes = Changes {
            time: self.scale,
            load: self.scale_load,
            thresholds: self.thresholds.clone(),
        };
        select(name, &changes, target)
    }

    fn quick(&self, has_path: bool) -> Scenario {
        let level = match (self.rate, self.users) {
            (Some(rate), _) => Level::Rate(rate),
            (None, users) => Level::Users(f64::from(users.unwrap_or(1)), self.think.unwrap_or_default()),
        };
        quick::scenario(level, self.duration, has_path, self.thresholds.clone())
    }
}
