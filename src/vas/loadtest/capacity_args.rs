//! Flags of `vas test capacity`: the search for the highest load, the test with scaling on, and reports.

use std::{str::FromStr, time::Duration};

use super::load_args::parse_rate;
use crate::{destination::Destination, duration};
use vas_loadtest::capacity::test::ElasticWishes;

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
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration::parse)]
    pub(super) warm_up: Duration,
    /// Longest wait for replicas to be Ready
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration::parse)]
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
    elastic: bool,
    /// Time to ramp up to a plateau
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration::parse, requires = "elastic")]
    ramp: Duration,
    /// Time for the replicas to follow the load
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration::parse, requires = "elastic")]
    settle: Duration,
    /// Longest wait for minReplicas before each try
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration::parse, requires = "elastic")]
    scale_down_timeout: Duration,
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

impl ElasticArgs {
    /// Times of the test with scaling on; `None` if it is left out.
    pub(super) fn wishes(&self) -> Option<ElasticWishes> {
        self.elastic.then_some(ElasticWishes {
            ramp: self.ramp,
            settle: self.settle,
            scale_down: self.scale_down_timeout,
        })
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
    let why = "the growth of latency needs seconds to show";
    duration::at_least(text, Duration::from_secs(5), why)
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
