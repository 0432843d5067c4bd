//! Flags for the Prometheus servers from which values are read.

use std::{path::PathBuf, time::Duration};

use crate::{duration, matchers::MatchersArgs};
use vas_core::metrics::promql::{InvalidLabelName, LabelName, Reach, ReservedLabel, Source};
use vas_metrics_server::{ConfigError, ConfigFile, Configuration, ServerSettings};

const POLL_INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(4);
const RESPONSE_SIZE: usize = 16 << 20;

/// Where values are read from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Prometheus")]
pub(super) struct PrometheusArgs {
    /// File that names one or more Prometheus servers, with how each is reached. Read again when it, or a
    /// file that it names, changes. The flags from --prometheus-url to --matchers are the short form for one
    /// server: beside a file they are ignored, with a warning
    #[arg(long, value_name = "FILE", env = "VAS_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// URL of Prometheus' HTTP API, for example http://prometheus.monitoring:9090
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "config",
        env = "VAS_PROMETHEUS_URL"
    )]
    pub(super) prometheus_url: Option<String>,
    /// Time between polls of each query. Default: 5s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, env = "VAS_PROMETHEUS_POLL_INTERVAL")]
    pub(super) prometheus_poll_interval: Option<Duration>,
    /// Longest wait for one answer; best shorter than the time between polls. Default: 4s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, env = "VAS_PROMETHEUS_TIMEOUT")]
    pub(super) prometheus_timeout: Option<Duration>,
    /// Largest answer in bytes, counted after decompression. Default: 16777216
    #[arg(long, value_name = "BYTES", env = "VAS_PROMETHEUS_MAX_RESPONSE_SIZE")]
    pub(super) prometheus_max_response_size: Option<usize>,
    /// Label that carries the namespace of a series. Default: namespace
    #[arg(long, value_name = "LABEL", env = "VAS_NAMESPACE_LABEL")]
    pub(super) namespace_label: Option<LabelName>,
    /// Label that carries the pod of a series. Default: pod
    #[arg(long, value_name = "LABEL", env = "VAS_POD_LABEL")]
    pub(super) pod_label: Option<LabelName>,
    #[command(flatten)]
    pub(super) matchers: MatchersArgs,
    /// Longest range of an author's own query, for example rate(x[1h]), at most 24h. Prometheus holds all of
    /// its samples in memory, every few seconds; a recording rule costs less
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_range, env = "VAS_MAX_QUERY_RANGE")]
    pub(super) max_query_range: Duration,
    /// Most steps of the subqueries of an author's own query, those inside each other multiplied, at most
    /// 3000: max_over_time(x[1h:1m]) has 60
    #[arg(
        long,
        value_name = "STEPS",
        default_value_t = Reach::DEFAULT.steps,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(Reach::WIDEST.steps)),
        env = "VAS_MAX_QUERY_STEPS"
    )]
    pub(super) max_query_steps: u32,
}

fn parse_range(text: &str) -> Result<Duration, String> {
    duration::at_most(text, Reach::WIDEST.range)
}

/// Reasons why no Prometheus server can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrometheusArgsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Build(#[from] vas_prometheus::BuildError),
    #[error(transparent)]
    Label(#[from] InvalidLabelName),
    #[error("--matchers: {0}")]
    Matchers(#[from] ReservedLabel),
}

impl PrometheusArgs {
    pub(super) fn configuration(&self) -> Result<Configuration, PrometheusArgsError> {
        let reach = Reach {
            range: self.max_query_range,
            steps: self.max_query_steps,
        };
        Ok(self.servers()?.within(reach))
    }

    /// The flags that count for nothing, because there is a file.
    pub(super) fn overruled(&self) -> Vec<&'static str> {
        if self.config.is_none() {
            return Vec::new();
        }
        let given = [
            ("--prometheus-url", self.prometheus_url.is_some()),
            (
                "--prometheus-poll-interval",
                self.prometheus_poll_interval.is_some(),
            ),
            ("--prometheus-timeout", self.prometheus_timeout.is_some()),
            (
                "--prometheus-max-response-size",
                self.prometheus_max_response_size.is_some(),
            ),
            ("--namespace-label", self.namespace_label.is_some()),
            ("--pod-label", self.pod_label.is_some()),
            ("--matchers", self.matchers.given().is_some()),
        ];
        given
            .into_iter()
            .filter_map(|(flag, is_given)| is_given.then_some(flag))
            .collect()
    }

    fn servers(&self) -> Result<Configuration, PrometheusArgsError> {
        if let Some(file) = &self.config {
            return Ok(Configuration::from_file(ConfigFile::new(file))?);
        }
        let limits = vas_prometheus::Limits {
            timeout: self.prometheus_timeout.unwrap_or(TIMEOUT),
            response_size: self.prometheus_max_response_size.unwrap_or(RESPONSE_SIZE),
        };
        let label = |given: &Option<LabelName>, otherwise: &str| match given {
            Some(label) => Ok(label.clone()),
            None => otherwise.parse(),
        };
        let (namespace, pod) = (
            label(&self.namespace_label, "namespace")?,
            label(&self.pod_label, "pod")?,
        );
        let url = self.prometheus_url.as_deref().unwrap_or_default();
        Ok(Configuration::single(ServerSettings {
            client: vas_prometheus::ClientSettings::plain(url, limits),
            poll_interval: self.prometheus_poll_interval.unwrap_or(POLL_INTERVAL),
            source: Source {
                labels: self.matchers.labels(&namespace, &pod)?,
                bind_queries: true,
            },
        })?)
    }
}
