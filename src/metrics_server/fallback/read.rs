//! A read as it is handed on: path and query are written anew from the parts that were authorized.
//!
//! The client's own path is never passed on: it may be written so that the adapter, or the URL parser on the
//! way, takes it for another path than the one that was authorized (`%2e%2e` for a folder up, `%2F` for one
//! segment more).

use crate::{
    metrics::path::{ExternalPath, MetricPath, NamespacePath, RootScopedPath, Route, Selectors},
    status_error::StatusError,
};
use vas_core::{hpa::metric_reads::query, k8s::percent::encode, metrics::registration::MetricsApi};

/// A read that no resource describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// The namespace of the read; empty for an object without one.
    namespace: String,
    /// The path below the API group's version, and the query.
    path_and_query: String,
}

impl Read {
    /// The read of a route; `None` for a route that reads no metric.
    ///
    /// # Errors
    /// 404 if a part of the path is no name in Kubernetes.
    pub(crate) fn of(route: &Route, selectors: &Selectors) -> Result<Option<Self>, StatusError> {
        let custom = MetricsApi::Custom;
        let read = match route {
            Route::Metric(path) => {
                let MetricPath {
                    version,
                    namespace,
                    resource,
                    name,
                    metric,
                } = path;
                let segments = ["namespaces", namespace, resource, name, metric];
                Self::new(custom, version.name(), namespace, &segments, selectors)?
            }
            Route::Namespace(path) => {
                let NamespacePath {
                    version,
                    namespace,
                    metric,
                } = path;
                let segments = ["namespaces", namespace, "metrics", metric];
                Self::new(custom, version.name(), namespace, &segments, selectors)?
            }
            Route::RootScoped(path) => {
                let RootScopedPath {
                    version,
                    resource,
                    name,
                    metric,
                } = path;
                Self::new(custom, version.name(), "", &[resource, name, metric], selectors)?
            }
            Route::External(path) => {
                let ExternalPath { namespace, metric } = path;
                let segments = ["namespaces", namespace, metric];
                let version = ExternalPath::VERSION;
                Self::new(MetricsApi::External, version, namespace, &segments, selectors)?
            }
            _ => return Ok(None),
        };
        Ok(Some(read))
    }

    fn new(
        api: MetricsApi,
        version: &str,
        namespace: &str,
        segments: &[&str],
        selectors: &Selectors,
    ) -> Result<Self, StatusError> {
        let mut written = format!("/apis/{}/{version}", api.group());
        for segment in segments {
            // What Kubernetes refuses in names that stand in paths.
            if [".", ".."].contains(segment) || segment.contains(['/', '%']) {
                return Err(StatusError::not_found(format!(
                    "{segment:?} is no name of an object or a metric"
                )));
            }
            written.push('/');
            written.push_str(&encode(segment));
        }
        written.push_str(&query(&[
            ("labelSelector", &selectors.objects),
            ("metricLabelSelector", &selectors.metric),
        ]));
        Ok(Self {
            namespace: namespace.to_owned(),
            path_and_query: written,
        })
    }

    /// The namespace of the read; empty for an object without one.
    pub(super) fn of_namespace(&self) -> &str {
        &self.namespace
    }

    /// The path and the query for the adapter.
    pub(super) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::path::route;

    fn read(path: &str, selectors: &Selectors) -> Result<Read, StatusError> {
        let read = Read::of(&route(path).unwrap(), selectors)?;
        Ok(read.unwrap_or_else(|| panic!("{path} reads no metric")))
    }

    #[test]
    fn each_kind_of_read_has_the_path_that_the_client_sent() {
        for path in [
            "/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/pods/%2A/rate",
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/deployments.apps/web/depth",
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/metrics/depth",
            "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load",
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/s0-prometheus",
        ] {
            assert_eq!(read(path, &Selectors::default()).unwrap().path_and_query(), path);
        }
    }

    #[test]
    fn only_the_selectors_go_into_the_query_and_nothing_can_break_out_of_them() {
        let selectors = Selectors {
            objects: "app in (a,b)&watch=true#x".to_owned(),
            metric: "queue=default".to_owned(),
        };
        let read = read("/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load", &selectors).unwrap();
        assert_eq!(
            read.path_and_query(),
            "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load\
             ?labelSelector=app%20in%20%28a%2Cb%29%26watch%3Dtrue%23x&metricLabelSelector=queue%3Ddefault"
        );
    }

    #[test]
    fn a_part_that_a_url_parser_would_take_for_a_step_in_the_path_is_no_name() {
        for name in [".", "..", "%2e%2e", "%2E", "a%2Fb", "%252e%252e"] {
            for path in [
                format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/{name}/rate"),
                format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{name}/pods/p/rate"),
                format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/{name}"),
            ] {
                let error = read(&path, &Selectors::default()).unwrap_err();
                assert_eq!(error.code(), 404, "{path}");
            }
        }
    }
}
