//! `--matchers`: which series of a shared Prometheus belong to this cluster; `--namespace-label` and `--pod-label`: what
//! their namespaces and pods are in.

use vas_core::metrics::promql::{LabelName, Labels, Matcher, ReservedLabel};

/// Matchers that are added to every selector.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MatchersArgs {
    /// Labels that stand in every selector of every query, where clusters share a Prometheus, Thanos or
    /// Mimir: for example cluster=eu-1
    #[arg(long, value_name = "LABEL=VALUE", value_delimiter = ',', env = "VAS_MATCHERS")]
    matchers: Vec<Matcher>,
}

/// The labels of the series in a Prometheus that no configuration file describes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LabelsArgs {
    /// Label that carries the namespace of a series
    #[arg(
        long,
        value_name = "LABEL",
        default_value = "namespace",
        env = "VAS_NAMESPACE_LABEL"
    )]
    namespace_label: LabelName,
    /// Label that carries the pod of a series
    #[arg(long, value_name = "LABEL", default_value = "pod", env = "VAS_POD_LABEL")]
    pod_label: LabelName,
    #[command(flatten)]
    matchers: MatchersArgs,
}

impl LabelsArgs {
    /// The labels that these flags name, with the matchers.
    ///
    /// # Errors
    /// When a matcher is for the label of the namespace or of the pod.
    pub(crate) fn labels(&self) -> Result<Labels, ReservedLabel> {
        self.matchers.labels(&self.namespace_label, &self.pod_label)
    }
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
