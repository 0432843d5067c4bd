//! Paths of external.metrics.k8s.io.

use super::{Route, are_names};

/// The only version of the group.
const VERSION: &str = "v1beta1";

/// A read of an external metric: `/apis/external.metrics.k8s.io/v1beta1/namespaces/NAMESPACE/METRIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalPath {
    /// Namespace of the resource that declares the metric.
    pub namespace: String,
    /// Name of the metric.
    pub metric: String,
}

impl ExternalPath {
    /// The version of the answer, as it stands in paths.
    pub const VERSION: &str = VERSION;
}

/// The route of the segments after `/apis/external.metrics.k8s.io`.
pub(super) fn route(segments: &[&str]) -> Route {
    match *segments {
        [] => Route::ExternalGroup,
        [VERSION] => Route::ExternalResources,
        [VERSION, "namespaces", namespace, metric] if are_names(&[namespace, metric]) => {
            Route::External(ExternalPath {
                namespace: namespace.to_owned(),
                metric: metric.to_owned(),
            })
        }
        _ => Route::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::path::{ExternalPath, Route, route};

    #[test]
    fn external_paths_route_as_the_hpas_client_sends_them() {
        let external = |metric: &str| {
            Route::External(ExternalPath {
                namespace: "ns".to_owned(),
                metric: metric.to_owned(),
            })
        };
        for (rest, expected) in [
            ("", Route::ExternalGroup),
            ("/", Route::ExternalGroup),
            ("/v1beta1", Route::ExternalResources),
            ("/v1beta1/namespaces/ns/m", external("m")),
            ("/v1beta1/namespaces/ns/a%2Fb", external("a/b")),
            ("/v1beta1/namespaces/ns/%2A", external("*")),
            ("/v1beta1/namespaces/ns", Route::Unknown),
            ("/v1beta1/namespaces//m", Route::Unknown),
            ("/v1beta1/namespaces/ns/m/more", Route::Unknown),
            ("/v1beta2", Route::Unknown),
            ("/v1beta2/namespaces/ns/m", Route::Unknown),
        ] {
            let path = format!("/apis/external.metrics.k8s.io{rest}");
            assert_eq!(route(&path), Ok(expected.clone()), "{path}");
            assert_eq!(expected.is_external(), expected != Route::Unknown, "{path}");
        }
        assert_eq!(
            route(&format!(
                "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/{}",
                "a".repeat(254)
            )),
            Ok(Route::Unknown)
        );
    }
}
