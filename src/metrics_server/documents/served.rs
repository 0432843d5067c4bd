//! The metrics APIs that this server serves, and what discovery lists for each.
//!
//! Discovery lists the kinds of metrics and not the metrics. So the lists do not grow with the number of
//! resources, and they are never empty; an empty list would make every `kubectl` and `helm` call complain. No
//! client looks a metric up in discovery: the HPA reads the name that its spec holds.

use crate::metrics::path::{ExternalPath, Version};
use vas_api::{CUSTOM_METRICS_GROUP, DISCOVERED_METRIC, EXTERNAL_METRICS_GROUP};

/// Kinds of metrics that are a single number.
const SINGLE: [&str; 3] = ["queue-depth", "queue-age", DISCOVERED_METRIC];

/// One version of one served group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// A version of custom.metrics.k8s.io.
    Custom(Version),
    /// The group external.metrics.k8s.io in its only version, `v1beta1`.
    External,
}

/// The scope of the objects that metrics describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The objects are in namespaces.
    Namespaced,
    /// The objects are cluster-scoped.
    Cluster,
}

/// A kind of object with its metrics. All of them have one scope; otherwise the aggregator drops the whole
/// version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// `pods`, or `RESOURCE.GROUP`.
    pub resource: &'static str,
    /// Scope of the resource and all its metrics.
    pub scope: Scope,
    /// Names of the metrics.
    pub metrics: &'static [&'static str],
}

/// The described objects of custom.metrics.k8s.io. Metrics of namespaces are read at
/// `/namespaces/NAMESPACE/metrics/METRIC`, but every adapter lists them in this form.
const DESCRIBED: [Described; 3] = [
    Described {
        resource: "pods",
        scope: Scope::Namespaced,
        metrics: &["request-rate"],
    },
    Described {
        resource: "deployments.apps",
        scope: Scope::Namespaced,
        metrics: &SINGLE,
    },
    Described {
        resource: "namespaces",
        scope: Scope::Cluster,
        metrics: &SINGLE,
    },
];

impl Served {
    /// All served versions in the order of the lists, the preferred version of each group first.
    pub(super) fn all(external: bool) -> Vec<Self> {
        let custom = Version::ALL.map(Self::Custom);
        let external = external.then_some(Self::External);
        custom.into_iter().chain(external).collect()
    }

    /// Name of the API group.
    pub(super) fn group(self) -> &'static str {
        match self {
            Self::Custom(_) => CUSTOM_METRICS_GROUP,
            Self::External => EXTERNAL_METRICS_GROUP,
        }
    }

    /// The version as it stands in paths.
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Custom(version) => version.name(),
            Self::External => ExternalPath::VERSION,
        }
    }

    /// The API version, `GROUP/VERSION`.
    pub(super) fn group_version(self) -> String {
        format!("{}/{}", self.group(), self.version())
    }

    /// The kind of the list that every read returns.
    pub(super) fn list_kind(self) -> &'static str {
        match self {
            Self::Custom(_) => "MetricValueList",
            Self::External => "ExternalMetricValueList",
        }
    }

    /// Objects and their metrics; empty if the metrics of the group describe no object.
    pub(super) fn described(self) -> &'static [Described] {
        match self {
            Self::Custom(_) => &DESCRIBED,
            Self::External => &[],
        }
    }

    /// Metrics that describe no object.
    pub(super) fn undescribed(self) -> &'static [&'static str] {
        match self {
            Self::Custom(_) => &[],
            Self::External => &SINGLE,
        }
    }
}
