//! Paths of custom.metrics.k8s.io.

use super::{Route, Version, are_names};

/// A read of objects in a namespace:
/// `/apis/custom.metrics.k8s.io/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/METRIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricPath {
    /// Version of the answer.
    pub version: Version,
    /// Namespace of the described objects.
    pub namespace: String,
    /// `pods`, or `RESOURCE.GROUP`.
    pub resource: String,
    /// Name of one object; `*` for all that the label selector selects.
    pub name: String,
    /// Name of the metric.
    pub metric: String,
}

/// A read of a namespace itself: `/apis/custom.metrics.k8s.io/VERSION/namespaces/NAMESPACE/metrics/METRIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespacePath {
    /// Version of the answer.
    pub version: Version,
    /// The namespace that is described.
    pub namespace: String,
    /// Name of the metric.
    pub metric: String,
}

/// A read of objects without a namespace: `/apis/custom.metrics.k8s.io/VERSION/RESOURCE/NAME/METRIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootScopedPath {
    /// Version of the answer.
    pub version: Version,
    /// `nodes`, or `RESOURCE.GROUP`.
    pub resource: String,
    /// Name of one object; `*` for all that the label selector selects.
    pub name: String,
    /// Name of the metric.
    pub metric: String,
}

/// The route of the segments after `/apis/custom.metrics.k8s.io`.
pub(super) fn route(segments: &[&str]) -> Route {
    match segments {
        [] => Route::Group,
        [version, rest @ ..] => {
            version_of(version).map_or(Route::Unknown, |version| versioned(version, rest))
        }
    }
}

fn version_of(name: &str) -> Option<Version> {
    Version::ALL.into_iter().find(|version| version.name() == name)
}

fn versioned(version: Version, segments: &[&str]) -> Route {
    match *segments {
        [] => Route::Resources(version),
        ["namespaces", namespace, resource, name, metric]
            if are_names(&[namespace, resource, name, metric]) =>
        {
            Route::Metric(MetricPath {
                version,
                namespace: namespace.to_owned(),
                resource: resource.to_owned(),
                name: name.to_owned(),
                metric: metric.to_owned(),
            })
        }
        ["namespaces", namespace, "metrics", metric] if are_names(&[namespace, metric]) => {
            Route::Namespace(NamespacePath {
                version,
                namespace: namespace.to_owned(),
                metric: metric.to_owned(),
            })
        }
        // kube-apiserver would review such a path as the list of a resource in a namespace.
        ["namespaces", ..] => Route::Unknown,
        [resource, name, metric] if are_names(&[resource, name, metric]) => {
            Route::RootScoped(RootScopedPath {
                version,
                resource: resource.to_owned(),
                name: name.to_owned(),
                metric: metric.to_owned(),
            })
        }
        _ => Route::Unknown,
    }
}
