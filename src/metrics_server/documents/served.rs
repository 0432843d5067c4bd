//! The APIs of metrics that this server answers for, and what discovery lists under each.
//!
//! Listed are the kinds of metrics, not the metrics: the lists do not grow with the resources, and they are
//! never empty, which would make every `kubectl` and `helm` call complain. Nobody reads a metric by looking it
//! up here; the HPA asks for the name that stands in it.

use crate::{
    api::{CUSTOM_METRICS_GROUP, EXTERNAL_METRICS_GROUP},
    metrics_server::metrics::path::{ExternalPath, Version},
};

/// Metrics that are one number.
const SINGLE: [&str; 3] = ["queue-depth", "queue-age", "prometheus"];

/// One version of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// custom.metrics.k8s.io.
    Custom(Version),
    /// external.metrics.k8s.io/v1beta1.
    External,
}

/// Where the objects are that metrics describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In namespaces.
    Namespaced,
    /// Outside them.
    Cluster,
}

/// A kind of object and the metrics of it. It has one scope: the aggregator drops the whole version otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// `pods`, or `RESOURCE.GROUP`.
    pub resource: &'static str,
    /// Of the resource and all its metrics.
    pub scope: Scope,
    /// Names of metrics.
    pub metrics: &'static [&'static str],
}

/// What is listed of custom.metrics.k8s.io. Metrics of namespaces are read at `/namespaces/NAMESPACE/metrics/METRIC`,
/// but every adapter lists them like this.
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
    /// All of them in the order in which they are listed, the preferred version of a group first.
    pub fn all(external: bool) -> Vec<Self> {
        let custom = Version::ALL.map(Self::Custom);
        let external = external.then_some(Self::External);
        custom.into_iter().chain(external).collect()
    }

    /// The group's name.
    pub fn group(self) -> &'static str {
        match self {
            Self::Custom(_) => CUSTOM_METRICS_GROUP,
            Self::External => EXTERNAL_METRICS_GROUP,
        }
    }

    /// The version as it stands in paths.
    pub fn version(self) -> &'static str {
        match self {
            Self::Custom(version) => version.name(),
            Self::External => ExternalPath::VERSION,
        }
    }

    /// `group/version`.
    pub fn group_version(self) -> String {
        format!("{}/{}", self.group(), self.version())
    }

    /// The kind of every answer.
    pub fn list_kind(self) -> &'static str {
        match self {
            Self::Custom(_) => "MetricValueList",
            Self::External => "ExternalMetricValueList",
        }
    }

    /// Objects and their metrics; none where metrics describe no object.
    pub fn described(self) -> &'static [Described] {
        match self {
            Self::Custom(_) => &DESCRIBED,
            Self::External => &[],
        }
    }

    /// Metrics that describe no object.
    pub fn undescribed(self) -> &'static [&'static str] {
        match self {
            Self::Custom(_) => &[],
            Self::External => &SINGLE,
        }
    }
}
