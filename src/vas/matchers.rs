//! `--matchers`: which series of a shared Prometheus belong to this cluster.

use vas_core::metrics::promql::{LabelName, Labels, Matcher, ReservedLabel};

/// Matchers that are added to every selector.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MatchersArgs {
    /// Labels that stand in every selector of every query, where clusters share a Prometheus, Thanos or
    /// Mimir: for example cluster=eu-1
    #[arg(long, value_name = "LABEL=VALUE", value_delimiter = ',', env = "VAS_MATCHERS")]
    matchers: Vec<Matcher>,
}

impl MatchersArgs {
    /// The matchers; `None` if none were given.
    pub(crate) fn given(&self) -> Option<Vec<Matcher>> {
        (!self.matchers.is_empty()).then(|| self.matchers.clone())
    }

    /// The labels of a Prometheus, with these matchers.
    ///
    /// # Errors
    /// When a matcher is for the label of the namespace or of the pod.
    pub(crate) fn labels(&self, namespace: &LabelName, pod: &LabelName) -> Result<Labels, ReservedLabel> {
        let matchers = self.matchers.iter().cloned().collect();
        Labels::new(namespace.clone(), pod.clone(), matchers)
    }
}
