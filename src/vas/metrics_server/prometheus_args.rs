//! Flags for the Prometheus servers from which values are read.

use std::{path::PathBuf, time::Duration};

use crate::{duration, matchers::MatchersArgs};
use vas_core::metrics::promql::{LabelName, Reach, ReservedLabel, Source};
use vas_metrics_server::{ConfigError, ConfigFile, Configuration, ServerSettings};

/// Where values are read from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Prometheus")]
pub(super) struct PrometheusArgs {
    /// File that names one or more Prometheus servers, with how each is reached. Read again when it, or a
    /// file that it names, changes. Excludes the other flags of this group, which are the short form for one
    /// server
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "prometheus_url", "prometheus_poll_interval", "prometheus_timeout", "prometheus_max_response_size",
            "namespace_label", "pod_label", "matchers",
        ],
        env = "VAS_CONFIG"
    )]
    pub(super) config: Option<PathBuf>,
    /// URL of Prometheus' HTTP API, for example http://prometheus.monitoring:9090
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "config",
        env = "VAS_PROMETHEUS_URL"
    )]
    pub(super) prometheus_url: Option<String>,
    /// Time between polls of each query
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse, env = "VAS_PROMETHEUS_POLL_INTERVAL")]
    pub(super) prometheus_poll_interval: Duration,
    /// Longest wait for one answer; best shorter than the time between polls
    #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = duration::parse, env = "VAS_PROMETHEUS_TIMEOUT")]
    pub(super) prometheus_timeout: Duration,
    /// Largest answer in bytes, counted after decompression
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 16 << 20,
        env = "VAS_PROMETHEUS_MAX_RESPONSE_SIZE"
    )]
    pub(super) prometheus_max_response_size: usize,
    /// Label that carries the namespace of a series
    #[arg(
        long,
        value_name = "LABEL",
        default_value = "namespace",
        env = "VAS_NAMESPACE_LABEL"
    )]
    pub(super) namespace_label: LabelName,
    /// Label that carries the pod of a series
    #[arg(long, value_name = "LABEL", default_value = "pod", env = "VAS_POD_LABEL")]
    pub(super) pod_label: LabelName,
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

    fn servers(&self) -> Result<Configuration, PrometheusArgsError> {
        if let Some(file) = &self.config {
            return Ok(Configuration::from_file(ConfigFile::new(file))?);
        }
        let limits = vas_prometheus::Limits {
            timeout: self.prometheus_timeout,
            response_size: self.prometheus_max_response_size,
        };
        let url = self.prometheus_url.as_deref().unwrap_or_default();
        Ok(Configuration::single(ServerSettings {
            client: vas_prometheus::ClientSettings::plain(url, limits),
            poll_interval: self.prometheus_poll_interval,
            source: Source {
                labels: self.matchers.labels(&self.namespace_label, &self.pod_label)?,
                bind_queries: true,
            },
        })?)
    }
}
