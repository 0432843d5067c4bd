//! Maps request paths to routes, and query strings to selectors.
//!
//! The path is split first, and then each segment is percent-decoded once, so an encoded slash never adds a
//! segment. Source: `k8s.io/apiserver` RequestInfo and the routes of the Go custom-metrics library.

mod custom;
mod external;

pub use self::{
    custom::{MetricPath, NamespacePath, RootScopedPath},
    external::ExternalPath,
};
use crate::status_error::StatusError;
use vas_api::{CUSTOM_METRICS_GROUP, EXTERNAL_METRICS_GROUP};

/// Longest name in Kubernetes, in bytes. A longer segment is no name.
const MAX_SEGMENT: usize = 253;

/// A served version of custom.metrics.k8s.io.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The version `v1beta1`, as paths name it.
    V1Beta1,
    /// The version `v1beta2`, as paths name it.
    V1Beta2,
}

impl Version {
    /// All versions, the preferred one first.
    pub const ALL: [Self; 2] = [Self::V1Beta2, Self::V1Beta1];

    /// The version as it stands in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1Beta1 => "v1beta1",
            Self::V1Beta2 => "v1beta2",
        }
    }

    /// The API version, `GROUP/VERSION`.
    pub fn group_version(self) -> String {
        format!("{CUSTOM_METRICS_GROUP}/{}", self.name())
    }
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/apis`: the list of groups.
    Groups,
    /// `/apis/custom.metrics.k8s.io`: the group.
    Group,
    /// `/apis/custom.metrics.k8s.io/VERSION`: the list of resources.
    Resources(Version),
    /// A metric of pods or of one object.
    Metric(MetricPath),
    /// A metric of a namespace itself.
    Namespace(NamespacePath),
    /// A metric of a cluster-scoped object. This server has none.
    RootScoped(RootScopedPath),
    /// `/apis/external.metrics.k8s.io`: the group.
    ExternalGroup,
    /// `/apis/external.metrics.k8s.io/v1beta1`: the list of resources.
    ExternalResources,
    /// An external metric.
    External(ExternalPath),
    /// `/openapi/v2`: the schemas of all versions in one document.
    OpenApiV2,
    /// `/openapi/v3`: the URLs of the schemas of each version.
    OpenApiV3,
    /// `/openapi/v3/apis/GROUP/VERSION`: the schemas of one version; holds `apis/GROUP/VERSION`.
    OpenApiV3Version(String),
    /// `/version`: the build of this server.
    BuildVersion,
    /// `/metrics`: the metrics of this process.
    OwnMetrics,
    /// Any other path.
    Unknown,
}

/// Selectors of a request, not parsed yet; empty if absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selectors {
    /// `labelSelector`: selects the described objects; for an external metric, the metric itself.
    pub objects: String,
    /// `metricLabelSelector`: selects the metric.
    pub metric: String,
}

impl Route {
    /// Whether the route belongs to external.metrics.k8s.io.
    pub fn is_external(&self) -> bool {
        matches!(
            self,
            Self::ExternalGroup | Self::ExternalResources | Self::External(_)
        )
    }
}

/// The route of a request path.
///
/// # Errors
/// 400 for a path whose percent-encoding is not valid UTF-8.
pub fn route(path: &str) -> Result<Route, StatusError> {
    let segments = path
        .strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(|segment| decode(segment, false))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| StatusError::bad_request(format!("the path {path:?} is not percent-encoded UTF-8")))?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let segments = match segments.as_slice() {
        [most @ .., ""] => most,
        all => all,
    };
    Ok(match segments {
        ["apis"] => Route::Groups,
        ["apis", CUSTOM_METRICS_GROUP, rest @ ..] => custom::route(rest),
        ["apis", EXTERNAL_METRICS_GROUP, rest @ ..] => external::route(rest),
        ["openapi", "v2"] => Route::OpenApiV2,
        ["openapi", "v3"] => Route::OpenApiV3,
        ["openapi", "v3", "apis", group, version] => {
            Route::OpenApiV3Version(format!("apis/{group}/{version}"))
        }
        ["version"] => Route::BuildVersion,
        ["metrics"] => Route::OwnMetrics,
        _ => Route::Unknown,
    })
}

/// Whether each segment has the length of a name.
fn are_names(segments: &[&str]) -> bool {
    segments
        .iter()
        .all(|segment| (1..=MAX_SEGMENT).contains(&segment.len()))
}

/// The selectors in a query string. Other parameters are ignored.
///
/// # Errors
/// 400 for a query that does not decode, 405 for `watch=true`.
pub fn selectors(query: &str) -> Result<Selectors, StatusError> {
    let mut selectors = Selectors::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(key), Some(value)) = (decode(key, true), decode(value, true)) else {
            return Err(StatusError::bad_request(format!(
                "the query {query:?} is not percent-encoded UTF-8"
            )));
        };
        match key.as_str() {
            "labelSelector" => selectors.objects = value,
            "metricLabelSelector" => selectors.metric = value,
            // As in Kubernetes, a bare `watch` without a value means true.
            "watch" if value != "0" && !value.eq_ignore_ascii_case("false") => {
                return Err(StatusError::method_not_allowed("metrics cannot be watched"));
            }
            _ => {}
        }
    }
    Ok(selectors)
}

/// Decodes `%XX` (and, in query strings, `+` as a space); `None` for a broken escape or text that is not
/// UTF-8.
fn decode(text: &str, form: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => 16 * hex(rest.next()?)? + hex(rest.next()?)?,
            b'+' if form => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The decoded text, or the text itself if it does not decode. The keys of the front proxy's headers are read
/// like that.
pub(crate) fn decode_or_raw(text: &str) -> String {
    decode(text, false).unwrap_or_else(|| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn metric(resource: &str, name: &str) -> Route {
        Route::Metric(MetricPath {
            version: Version::V1Beta2,
            namespace: "ns".to_owned(),
            resource: resource.to_owned(),
            name: name.to_owned(),
            metric: "m".to_owned(),
        })
    }

    #[test]
    fn paths_route_as_the_aggregation_layer_sends_them() {
        for (path, expected) in [
            ("/apis", Route::Groups),
            ("/apis/", Route::Groups),
            ("/apis/custom.metrics.k8s.io", Route::Group),
            (
                "/apis/custom.metrics.k8s.io/v1beta1",
                Route::Resources(Version::V1Beta1),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/*/m",
                metric("pods", "*"),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/%2A/m",
                metric("pods", "*"),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/deployments.apps/web/m",
                metric("deployments.apps", "web"),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/metrics/m",
                Route::Namespace(NamespacePath {
                    version: Version::V1Beta1,
                    namespace: "ns".to_owned(),
                    metric: "m".to_owned(),
                }),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/metrics",
                Route::Unknown,
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/m",
                Route::Unknown,
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/m",
                Route::RootScoped(RootScopedPath {
                    version: Version::V1Beta2,
                    resource: "nodes".to_owned(),
                    name: "n".to_owned(),
                    metric: "m".to_owned(),
                }),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/a%2Fb/m",
                metric("pods", "a/b"),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/%252A/m",
                metric("pods", "%2A"),
            ),
            (
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces//pods/*/m",
                Route::Unknown,
            ),
            ("/apis/custom.metrics.k8s.io/v9", Route::Unknown),
            ("/openapi/v2", Route::OpenApiV2),
            ("/openapi/v3", Route::OpenApiV3),
            (
                "/openapi/v3/apis/custom.metrics.k8s.io/v1beta2",
                Route::OpenApiV3Version("apis/custom.metrics.k8s.io/v1beta2".to_owned()),
            ),
            ("/openapi", Route::Unknown),
            ("/openapi/v2/more", Route::Unknown),
            ("/openapi/v3/apis", Route::Unknown),
            ("/openapi/v3/apis/a/b/c", Route::Unknown),
            ("/version", Route::BuildVersion),
            ("/metrics", Route::OwnMetrics),
            ("/metrics/cadvisor", Route::Unknown),
            ("/api/v1", Route::Unknown),
            ("/", Route::Unknown),
        ] {
            assert_eq!(route(path), Ok(expected), "{path}");
        }
    }

    #[test]
    fn a_segment_longer_than_any_name_leads_nowhere() {
        let read = |length: usize| {
            let name = "a".repeat(length);
            route(&format!(
                "/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/{name}/m"
            ))
        };
        assert_eq!(read(253), Ok(metric("pods", &"a".repeat(253))));
        assert_eq!(read(254), Ok(Route::Unknown));
    }

    #[test]
    fn broken_escapes_are_bad_requests() {
        for path in ["/apis/%", "/apis/%4", "/apis/%zz", "/apis/%ff"] {
            assert_eq!(route(path).unwrap_err().code(), 400, "{path}");
        }
    }

    #[test]
    fn selectors_are_decoded_as_forms() {
        let read = selectors("labelSelector=app%3Dweb%2Ctier+in+%28a%29&metricLabelSelector=x%3Dy&limit=5");
        assert_eq!(
            read,
            Ok(Selectors {
                objects: "app=web,tier in (a)".to_owned(),
                metric: "x=y".to_owned()
            })
        );
        for watch in ["watch=true", "watch=1", "limit=5&watch", "watch=", "%77atch=yes"] {
            assert_eq!(selectors(watch).unwrap_err().code(), 405, "{watch}");
        }
        for no in ["watch=0", "watch=False", "watching=true"] {
            assert_eq!(selectors(no), Ok(Selectors::default()), "{no}");
        }
        assert_eq!(selectors("labelSelector=%").unwrap_err().code(), 400);
    }

    proptest! {
        #[test]
        fn any_path_and_query_is_routed_or_refused_without_a_panic(path in any::<String>()) {
            let _ = route(&path);
            let _ = selectors(&path);
        }
    }
}
