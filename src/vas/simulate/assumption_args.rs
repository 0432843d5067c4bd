//! Flags that say what a replay takes for granted.

use std::time::Duration;

use super::quantity_arg::Amount;
use crate::{
    duration,
    exit::{Code, CommandError},
    input,
};
use vas_core::{
    hpa::Controller,
    replay::{Assumptions, TimeToReady, millis},
};
use vas_diagnose::simulate::{
    comparison::Capacity,
    cost::{Parts, Price},
    ready::{self, ReadyError},
};
use vas_loadtest::capacity::report::{self, ReadError};

/// A target is usually this share of what a pod serves at most.
const USUAL_SHARE: f64 = 0.7;

#[derive(Debug, clap::Args)]
pub(super) struct AssumptionArgs {
    /// Requests per second that one Ready pod serves at most: a number, or the JSON report of vas test capacity. Default:
    /// the target of the request rate / 0.7
    #[arg(long, value_name = "NUMBER|FILE")]
    capacity: Option<String>,
    /// How long a pod takes until it is Ready: a time, quantiles such as p50=20s,p99=1m, or the JSON report of vas test
    /// autoscaling
    #[arg(long, value_name = "TIME|FILE.json", default_value = "30s", value_parser = time_to_ready)]
    time_to_ready: Ready,
    /// A request that waits longer is a violation
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = duration::parse_exact)]
    slo: Duration,
    /// A request that would wait longer is refused; at least --slo
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse_exact)]
    patience: Duration,
    /// The scrape interval of Prometheus
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = duration::parse_exact)]
    scrape_interval: Duration,
    /// The time between polls of the metrics server (vas metrics-server --poll-interval)
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration::parse_exact)]
    poll_interval: Duration,
    /// The time at the beginning that is not judged, in which a policy gets to where it would have been
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration::parse_wait)]
    warm_up: Duration,
    /// Price of one replica for one hour, in any currency
    #[arg(long, value_name = "PRICE", conflicts_with_all = ["cpu_price", "memory_price"])]
    price: Option<f64>,
    /// Price of one core for one hour; needs --cpu-request
    #[arg(long, value_name = "PRICE", requires = "cpu_request")]
    cpu_price: Option<f64>,
    /// Price of one GiB of memory for one hour; needs --memory-request
    #[arg(long, value_name = "PRICE", requires = "memory_request")]
    memory_price: Option<f64>,
    /// Memory that each pod requests, such as 512Mi
    #[arg(long, value_name = "QUANTITY", requires = "memory_price")]
    memory_request: Option<Amount>,
}

/// Where the time to Ready comes from.
#[derive(Clone, Debug)]
enum Ready {
    Given(TimeToReady),
    /// A report that has measured it.
    Report(String),
}

/// What a replay takes for granted, and where that comes from.
#[derive(Debug)]
pub(super) struct Assumed {
    pub(super) assumptions: Assumptions,
    /// Where the capacity comes from.
    pub(super) capacity: Capacity,
    /// What is to be said about it besides, one sentence each.
    pub(super) words: Vec<String>,
}

/// Reasons why an assumption cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum AssumptionError {
    #[error(
        "--capacity is needed: the HPA has no target for requests per second of each pod that it could follow from"
    )]
    NoCapacity,
    #[error("--capacity {0}: must be more than 0")]
    Capacity(String),
    #[error("--capacity {file}: {source}")]
    File { file: String, source: input::InputError },
    #[error("--capacity {file}: {source}")]
    Report { file: String, source: ReadError },
    #[error("--time-to-ready {file}: {source}")]
    ReadyFile { file: String, source: input::InputError },
    #[error("--time-to-ready {file}: {source}")]
    Ready { file: String, source: ReadyError },
    #[error("--patience must be at least --slo: who is refused has waited longer than the objective")]
    Patience,
    #[error("a price must be 0 or more")]
    Price,
}

impl CommandError for AssumptionError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

/// Largest report, in bytes: 64 MiB, as for the other readers of reports.
const LARGEST_REPORT: u64 = 64 << 20;

/// Parses a time, or quantiles of it, or the name of a report.
fn time_to_ready(text: &str) -> Result<Ready, String> {
    const FORMS: &str = "write a time such as 30s, quantiles that rise, such as p50=20s,p99=1m, or the name of a report that ends in .json";
    let is_json = std::path::Path::new(text).extension();
    if is_json.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        return Ok(Ready::Report(text.to_owned()));
    }
    let seconds = |text: &str| {
        let time = duration::parse_wait(text).map_err(|_| FORMS.to_owned())?;
        Ok::<f64, String>(time.as_secs_f64())
    };
    if !text.contains('=') {
        let one = TimeToReady::quantiles(vec![(1.0, seconds(text)?)]);
        let one = one.map(Ready::Given);
        return one.ok_or_else(|| "must be a day at most".to_owned());
    }
    let mut quantiles = Vec::new();
    for part in text.split(',') {
        let (share, time) = part.split_once('=').ok_or(FORMS)?;
        let share = share
            .trim()
            .strip_prefix('p')
            .and_then(|share| share.parse::<f64>().ok());
        quantiles.push((share.ok_or(FORMS)? / 100.0, seconds(time.trim())?));
    }
    let found = TimeToReady::quantiles(quantiles).map(Ready::Given);
    found.ok_or_else(|| FORMS.to_owned())
}

impl AssumptionArgs {
    /// The assumptions, and where they come from. `target` is that of the request rate.
    ///
    /// # Errors
    /// When there is no capacity, or two assumptions contradict each other.
    pub(super) fn read(&self, target: Option<f64>) -> Result<Assumed, AssumptionError> {
        if self.patience < self.slo {
            return Err(AssumptionError::Patience);
        }
        let (capacity, from) = self.capacity(target)?;
        let (time_to_ready, words) = self.time_to_ready()?;
        let assumptions = Assumptions {
            capacity,
            time_to_ready,
            objective: self.slo.as_secs_f64(),
            patience: self.patience.as_secs_f64(),
            scrape: millis(self.scrape_interval),
            poll: millis(self.poll_interval),
            sync: 15_001,
            warm_up: millis(self.warm_up),
            controller: Controller::default(),
        };
        Ok(Assumed {
            assumptions,
            capacity: from,
            words,
        })
    }

    /// The time to Ready, and where it comes from.
    fn time_to_ready(&self) -> Result<(TimeToReady, Vec<String>), AssumptionError> {
        let file = match &self.time_to_ready {
            Ready::Given(time) => return Ok((time.clone(), Vec::new())),
            Ready::Report(file) => file,
        };
        let text = input::text_within(file, LARGEST_REPORT).map_err(|source| AssumptionError::ReadyFile {
            file: file.clone(),
            source,
        })?;
        let found = ready::read(&text).map_err(|source| AssumptionError::Ready {
            file: file.clone(),
            source,
        })?;
        let mut words = vec![format!(
            "The time to Ready is that of {} pods in {file}.",
            found.pods
        )];
        if found.unready > 0 {
            words.push(format!(
                "{} more pods there were not Ready when the run ended, and are not counted.",
                found.unready
            ));
        }
        Ok((found.time, words))
    }

    fn capacity(&self, target: Option<f64>) -> Result<(f64, Capacity), AssumptionError> {
        let Some(given) = &self.capacity else {
            let target = target.ok_or(AssumptionError::NoCapacity)?;
            return Ok((target / USUAL_SHARE, Capacity::OfTarget));
        };
        if let Ok(number) = given.parse::<f64>() {
            let is_one = number.is_finite() && number > 0.0;
            let number = is_one
                .then_some(number)
                .ok_or_else(|| AssumptionError::Capacity(given.clone()))?;
            return Ok((number, Capacity::Given));
        }
        let text = input::text_within(given, 16 << 20).map_err(|source| AssumptionError::File {
            file: given.clone(),
            source,
        })?;
        let report = |source| AssumptionError::Report {
            file: given.clone(),
            source,
        };
        let curve = report::read_curve(&text).map_err(report)?;
        let each = curve.per_replica().ok_or_else(|| report(ReadError::Empty))?;
        Ok((each, Capacity::Given))
    }

    /// The price of one replica for one hour.
    ///
    /// # Errors
    /// When a price is negative, or no number.
    pub(super) fn price(&self, cpu_request: Option<Amount>) -> Result<Option<Price>, AssumptionError> {
        if let Some(price) = self.price {
            return Price::of(price).map(Some).ok_or(AssumptionError::Price);
        }
        if self.cpu_price.is_none() && self.memory_price.is_none() {
            return Ok(None);
        }
        let positive = |price: Option<f64>| Price::of(price.unwrap_or(0.0)).map(Price::hour);
        let of = |amount: Option<Amount>| amount.map_or(0.0, Amount::value);
        let parts = Parts {
            core: positive(self.cpu_price).ok_or(AssumptionError::Price)?,
            cores: of(cpu_request),
            gibibyte: positive(self.memory_price).ok_or(AssumptionError::Price)?,
            gibibytes: of(self.memory_request) / f64::from(1_u32 << 30),
        };
        Price::of_parts(parts).map(Some).ok_or(AssumptionError::Price)
    }
}
