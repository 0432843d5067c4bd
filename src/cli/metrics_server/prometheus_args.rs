//! Flags that say where the metrics server's values come from.

use std::time::Duration;

use crate::{cli::leader_election::parse_duration, core::promql::LabelName, prometheus};

/// Where the values come from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Prometheus")]
pub(super) struct PrometheusArgs {
    /// URL of Prometheus' HTTP API, for example http://prometheus.monitoring:9090
    #[arg(long, value_name = "URL", env = "VAS_PROMETHEUS_URL")]
    pub(super) prometheus_url: String,
    /// Time between polls of each query
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration, env = "VAS_PROMETHEUS_POLL_INTERVAL")]
    pub(super) prometheus_poll_interval: Duration,
    /// Longest wait for one answer; best shorter than the time between polls
    #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = parse_duration, env = "VAS_PROMETHEUS_TIMEOUT")]
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
}

impl PrometheusArgs {
    pub(super) fn client(&self) -> Result<prometheus::Client, prometheus::BuildError> {
        let limits = prometheus::Limits {
            timeout: self.prometheus_timeout,
            response_size: self.prometheus_max_response_size,
        };
        prometheus::Client::new(&self.prometheus_url, limits)
    }
}
