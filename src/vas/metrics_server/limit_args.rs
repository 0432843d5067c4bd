//! Flags that limit what resources may cost.

use clap::builder::RangedU64ValueParser;

use vas_core::metrics::promql::{GUARANTEED, ShapeLimits};

/// Limits on queries. Metrics that differ only in namespace or workload share one query.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Most different queries of one namespace. At the limit the oldest resources keep theirs; a metric whose
    /// query is not sent has no value, and the condition MetricsAvailable names the limit
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = ShapeLimits::default().per_namespace,
        value_parser = at_least_what_is_guaranteed(),
        env = "VAS_MAX_QUERIES_PER_NAMESPACE"
    )]
    pub(super) max_queries_per_namespace: usize,
    /// Most different queries of all namespaces. Near this limit new queries are refused to the namespaces
    /// that have most; each namespace is granted 16 in any case
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = ShapeLimits::default().in_all,
        value_parser = at_least_what_is_guaranteed(),
        env = "VAS_MAX_QUERIES"
    )]
    pub(super) max_queries: usize,
}

impl LimitArgs {
    pub(super) fn shapes(&self) -> ShapeLimits {
        ShapeLimits {
            per_namespace: self.max_queries_per_namespace,
            in_all: self.max_queries,
        }
    }
}

fn at_least_what_is_guaranteed() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::from(u64::try_from(GUARANTEED).unwrap_or(u64::MAX)..)
}
