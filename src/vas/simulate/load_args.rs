//! Flags that say where the load comes from: a file, or Prometheus.

use std::{
    fs::File,
    io::{self, BufReader},
    path::PathBuf,
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    duration,
    exit::{Code, CommandError},
    matchers::LabelsArgs,
    stderr,
};
use vas_core::{
    metrics::promql::{OfferedError, ReservedLabel, offered},
    replay::Load,
};
use vas_diagnose::simulate::{
    load::{self, LoadFileError, Past, PastError, read_time},
    subject::Counted,
};
use vas_prometheus::{BuildError, Client, Limits};

/// Limits of one query: 10,000 moments take less than a second and 1 MB.
const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(60),
    response_size: 8 << 20,
};
/// Longest time between two values: beyond it a peak that scaling is late for is not seen.
const LONGEST_STEP: Duration = Duration::from_mins(1);

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub(super) struct LoadArgs {
    /// The load: CSV with the header time,value, JSONL, or the JSON report of vas test run; - reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "prometheus_url")]
    load: Option<PathBuf>,
    /// Read the load from this Prometheus: the requestRate of the resource, or --query
    #[arg(long, value_name = "URL", conflicts_with = "load", requires = "start")]
    prometheus_url: Option<String>,
    /// Where the load begins: a time such as 2026-03-01T00:00:00Z, or how long ago, such as 14d
    #[arg(long, value_name = "TIME", requires = "prometheus_url", value_parser = moment)]
    start: Option<Moment>,
    /// Where it ends
    #[arg(long, value_name = "TIME", requires = "prometheus_url", default_value = "now", value_parser = moment)]
    end: Moment,
    /// Time between two values, at most a minute
    #[arg(long, value_name = "TIME", requires = "prometheus_url", default_value = "1m", value_parser = step)]
    step: Duration,
    /// PromQL for what arrived, in requests per second: one series
    #[arg(long, value_name = "PROMQL", requires = "prometheus_url")]
    query: Option<String>,
    #[command(flatten)]
    labels: LabelsArgs,
}

/// A moment of the past.
#[derive(Clone, Copy, Debug)]
enum Moment {
    At(Timestamp),
    Ago(Duration),
}

impl Moment {
    fn of(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }
}

fn moment(text: &str) -> Result<Moment, String> {
    if text == "now" {
        return Ok(Moment::Ago(Duration::ZERO));
    }
    duration::parse(text)
        .map(Moment::Ago)
        .or_else(|_| read_time(text).map(Moment::At))
        .map_err(|_| {
            format!("{text:?} is neither a time such as 2026-03-01T00:00:00Z nor how long ago, such as 14d")
        })
}

fn step(text: &str) -> Result<Duration, String> {
    duration::at_most(text, LONGEST_STEP)
}

/// Reasons why there is no load.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadArgsError {
    #[error("--load {file}: {source}")]
    File { file: String, source: LoadFileError },
    #[error("--prometheus-url: {0}")]
    Url(#[from] BuildError),
    #[error("--matchers: {0}")]
    Matchers(#[from] ReservedLabel),
    #[error("the load of the first policy cannot be asked for: {0}")]
    Offered(#[from] OfferedError),
    #[error(
        "nothing says what counts the requests: the first policy has no requestRate; say with --query what arrived, in requests per second"
    )]
    NotCounted,
    #[error("the resource names no namespace, so its pods are not known: say it with --namespace")]
    NoNamespace,
    #[error("--prometheus-url: {0}")]
    Past(#[from] PastError),
}

impl CommandError for LoadArgsError {
    fn code(&self) -> Code {
        match self {
            Self::Past(PastError::Query { .. }) => Code::Failure,
            _ => Code::Invalid,
        }
    }
}

impl LoadArgs {
    /// Reads the load. `counted` is the series of the first policy, `namespace` that of a resource that names none.
    ///
    /// # Errors
    /// See [`LoadArgsError`].
    pub(super) async fn read(
        &self,
        counted: Option<&Counted>,
        namespace: Option<&str>,
        now: Timestamp,
    ) -> Result<Load, LoadArgsError> {
        match &self.prometheus_url {
            Some(url) => self.past(url, counted, namespace, now).await,
            None => self.file(),
        }
    }

    fn file(&self) -> Result<Load, LoadArgsError> {
        let path = self.load.clone().unwrap_or_default();
        let file = path.display().to_string();
        let read = if file == "-" {
            load::read(io::stdin().lock())
        } else {
            File::open(&path)
                .map_err(LoadFileError::from)
                .and_then(|file| load::read(BufReader::new(file)))
        };
        read.map_err(|source| LoadArgsError::File { file, source })
    }

    async fn past(
        &self,
        url: &str,
        counted: Option<&Counted>,
        namespace: Option<&str>,
        now: Timestamp,
    ) -> Result<Load, LoadArgsError> {
        let (query, window) = match &self.query {
            Some(query) => (query.clone(), Duration::ZERO),
            // The mean of a step is known at its end.
            None => (self.own_query(counted, namespace)?, self.step),
        };
        let past = Past {
            query,
            start: self.start.unwrap_or(Moment::Ago(Duration::ZERO)).of(now),
            end: self.end.of(now),
            step: u32::try_from(self.step.as_secs()).unwrap_or(1).max(1),
            window,
        };
        stderr::say(&format!("load: {}", past.query));
        let client = Client::new(url, LIMITS)?;
        let told = |read, all| {
            if all > 1 {
                stderr::say(&format!("load: read {read} of {all} parts"));
            }
        };
        Ok(past.read(&client, told).await?)
    }

    fn own_query(&self, counted: Option<&Counted>, namespace: Option<&str>) -> Result<String, LoadArgsError> {
        let Counted {
            namespace: own,
            target,
            series,
        } = counted.ok_or(LoadArgsError::NotCounted)?;
        let own = Some(own.as_str()).filter(|own| !own.is_empty());
        let namespace = own.or(namespace).ok_or(LoadArgsError::NoNamespace)?;
        let labels = self.labels.labels()?;
        Ok(offered(&labels, namespace, series, target, self.step)?)
    }
}
