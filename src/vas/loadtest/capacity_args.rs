//! Flags of `vas test capacity`: the search for the highest load, the test with scaling on, and reports.

use std::{str::FromStr, time::Duration};

use super::{destination::Destination, load_args::parse_rate};
use crate::leader_election::parse_duration;
use vas_loadtest::capacity::{report::Point, search};

/// How the highest load is searched.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Search")]
pub(super) struct SearchArgs {
    /// First load, in requests (journeys) per second
    #[arg(long, value_name = "RATE", default_value_t = 10.0, value_parser = parse_rate)]
    pub(super) start_rate: f64,
    /// Highest load, in requests (journeys) per second
    #[arg(long, value_name = "RATE", default_value_t = 20_000.0, value_parser = parse_rate)]
    pub(super) max_rate: f64,
    /// Precision of a capacity, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = parse_precision)]
    pub(super) precision: f64,
    /// Length of one step of the search
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_step)]
    pub(super) step: Duration,
    /// Time before each step in which its load is sent and not measured
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = parse_duration)]
    pub(super) warm_up: Duration,
    /// Longest wait for replicas to be Ready
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    pub(super) ready_timeout: Duration,
    /// Threads that send. Default: as many as the load needs
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) threads: Option<u32>,
}

/// The test with scaling on.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Scaling on")]
pub(super) struct ElasticArgs {
    /// Afterwards let the workload scale again, and find the highest plateau and the steepest ramp that meet
    /// the objective
    #[arg(long)]
    pub(super) elastic: bool,
    /// Time to ramp up to a plateau
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = parse_duration, requires = "elastic")]
    pub(super) ramp: Duration,
    /// Time for the replicas to follow the load
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = parse_duration, requires = "elastic")]
    pub(super) settle: Duration,
    /// Longest wait for minReplicas before each try
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_duration, requires = "elastic")]
    pub(super) scale_down_timeout: Duration,
}

/// A report format and its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// JSON, for programs.
    Json(Destination),
    /// Markdown, for people.
    Markdown(Destination),
}

impl Output {
    /// The destination of the report.
    pub(super) fn destination(&self) -> &Destination {
        match self {
            Self::Json(destination) | Self::Markdown(destination) => destination,
        }
    }
}

impl FromStr for Output {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("json", file)) if !file.is_empty() => Ok(Self::Json(file.into())),
            Some(("md", file)) if !file.is_empty() => Ok(Self::Markdown(file.into())),
            _ => Err("write it as json=FILE or md=FILE; - is standard output"),
        }
    }
}

impl SearchArgs {
    /// Settings of the search for one replica count. It starts at half the capacity of the count before: more
    /// replicas seldom carry less.
    pub(super) fn settings(&self, before: Option<&Point>) -> search::Settings {
        search::Settings {
            start: before.map_or(self.start_rate, |point| point.capacity / 2.0),
            most: self.max_rate,
            precision: self.precision / 100.0,
            ..search::Settings::default()
        }
    }
}

fn parse_precision(text: &str) -> Result<f64, &'static str> {
    let percent = text
        .parse()
        .ok()
        .filter(|percent| (0.1..=100.0).contains(percent));
    percent.ok_or("must be a number from 0.1 to 100")
}

/// A step takes at least five seconds, because the growth of latency needs them to show.
fn parse_step(text: &str) -> Result<Duration, String> {
    let step = parse_duration(text).map_err(|error| error.to_string())?;
    if step < Duration::from_secs(5) {
        return Err("must be at least 5s: the growth of latency needs seconds to show".to_owned());
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_and_numbers_are_checked_before_anything_is_held() {
        assert_eq!("md=a=b".parse(), Ok(Output::Markdown("a=b".into())));
        assert!("html=x".parse::<Output>().is_err() && "json=".parse::<Output>().is_err());
        assert!(parse_rate("0").is_err() && parse_rate("NaN").is_err() && parse_rate("0.5").is_ok());
        assert!(parse_precision("0").is_err() && parse_step("4s").is_err() && parse_step("5s").is_ok());
    }
}
