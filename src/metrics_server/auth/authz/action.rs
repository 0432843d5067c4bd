//! What a user wants to do, and its attributes in an access review. They are the attributes that
//! kube-apiserver derives from the path of the request, so that one RBAC rule covers both.
//!
//! Source: `k8s.io/apiserver/pkg/endpoints/request` (RequestInfo).

use k8s_openapi::api::authorization::v1::{NonResourceAttributes, ResourceAttributes};

use crate::{
    auth::authn::User,
    metrics::path::{ExternalPath, MetricPath, NamespacePath, RootScopedPath},
    status_error::StatusError,
};
use vas_core::metrics::registration::MetricsApi;

/// Names that kube-apiserver takes for subresources of a namespace when they follow its name in a path.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

/// What a user wants to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// Read any metric of an API group in any namespace.
    ReadAnyMetric(MetricsApi),
    /// Read one metric.
    ReadMetric(Read),
    /// Get a path that is not a resource, such as `/openapi/v2`.
    GetPath(String),
}

/// The attributes of the read of one metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    api: MetricsApi,
    version: &'static str,
    verb: &'static str,
    /// Empty for an object without a namespace.
    namespace: String,
    /// For custom metrics `RESOURCE.GROUP` of the described objects, for external ones the name of the
    /// metric.
    resource: String,
    subresource: Option<String>,
    name: Option<String>,
}

/// The verb of a read. A custom metric has an object's name in its path, so the verb is get; an external
/// metric is a resource of its own, so the verb is list.
fn verb(api: MetricsApi) -> &'static str {
    match api {
        MetricsApi::Custom => "get",
        MetricsApi::External => "list",
    }
}

impl Action {
    /// The read of a metric of pods or of one object.
    pub(crate) fn read(path: &MetricPath) -> Self {
        Self::ReadMetric(Read {
            api: MetricsApi::Custom,
            version: path.version.name(),
            verb: verb(MetricsApi::Custom),
            namespace: path.namespace.clone(),
            resource: path.resource.clone(),
            subresource: Some(path.metric.clone()),
            name: Some(path.name.clone()),
        })
    }

    /// The read of a metric of a namespace.
    pub(crate) fn read_namespace(path: &NamespacePath) -> Self {
        Self::ReadMetric(Read {
            api: MetricsApi::Custom,
            version: path.version.name(),
            verb: verb(MetricsApi::Custom),
            namespace: path.namespace.clone(),
            resource: "metrics".to_owned(),
            subresource: None,
            name: Some(path.metric.clone()),
        })
    }

    /// The read of a metric of an object without a namespace.
    pub(crate) fn read_root_scoped(path: &RootScopedPath) -> Self {
        Self::ReadMetric(Read {
            api: MetricsApi::Custom,
            version: path.version.name(),
            verb: verb(MetricsApi::Custom),
            namespace: String::new(),
            resource: path.resource.clone(),
            subresource: Some(path.metric.clone()),
            name: Some(path.name.clone()),
        })
    }

    /// The read of an external metric.
    pub(crate) fn read_external(path: &ExternalPath) -> Self {
        let ExternalPath { namespace, metric } = path.clone();
        // A metric named `status` or `finalize`: kube-apiserver parses `/namespaces/NS/status` as a
        // subresource of the namespace, so the review must do the same.
        let read = if NAMESPACE_SUBRESOURCES.contains(&metric.as_str()) {
            Read {
                api: MetricsApi::External,
                version: ExternalPath::VERSION,
                verb: "get",
                resource: "namespaces".to_owned(),
                subresource: Some(metric),
                name: Some(namespace.clone()),
                namespace,
            }
        } else {
            Read {
                api: MetricsApi::External,
                version: ExternalPath::VERSION,
                verb: verb(MetricsApi::External),
                namespace,
                resource: metric,
                subresource: None,
                name: None,
            }
        };
        Self::ReadMetric(read)
    }

    /// The broader action that covers this one, if there is one; it is reviewed first.
    pub(crate) fn broad(&self) -> Option<Self> {
        match self {
            Self::ReadMetric(read) => Some(Self::ReadAnyMetric(read.api)),
            Self::ReadAnyMetric(_) | Self::GetPath(_) => None,
        }
    }

    /// The attributes of the review: those of a resource, or those of a path.
    pub(crate) fn attributes(&self) -> (Option<ResourceAttributes>, Option<NonResourceAttributes>) {
        match self {
            Self::ReadAnyMetric(api) => {
                let any = ResourceAttributes {
                    group: Some(api.group().to_owned()),
                    version: Some("*".to_owned()),
                    resource: Some("*".to_owned()),
                    verb: Some(verb(*api).to_owned()),
                    ..ResourceAttributes::default()
                };
                (Some(any), None)
            }
            Self::ReadMetric(read) => (Some(read.attributes()), None),
            Self::GetPath(path) => {
                let path = NonResourceAttributes {
                    path: Some(path.clone()),
                    verb: Some("get".to_owned()),
                };
                (None, Some(path))
            }
        }
    }

    /// The 403 answer to a user who may not do this.
    pub(crate) fn refusal(&self, user: &User) -> StatusError {
        let name = &user.name;
        StatusError::forbidden(match self {
            Self::ReadMetric(read) => {
                let Read {
                    api,
                    verb,
                    namespace,
                    resource,
                    ..
                } = read;
                let below = read
                    .subresource
                    .as_ref()
                    .map(|name| format!("/{name}"))
                    .unwrap_or_default();
                let place = if namespace.is_empty() {
                    "at the cluster scope".to_owned()
                } else {
                    format!("in the namespace {namespace:?}")
                };
                format!(
                    "user {name:?} cannot {verb} resource \"{resource}{below}\" in API group {:?} {place}",
                    api.group()
                )
            }
            Self::ReadAnyMetric(api) => {
                format!(
                    "user {name:?} cannot {} every metric of API group {:?}",
                    verb(*api),
                    api.group()
                )
            }
            Self::GetPath(path) => format!("user {name:?} cannot get path {path:?}"),
        })
    }
}

impl Read {
    fn attributes(&self) -> ResourceAttributes {
        ResourceAttributes {
            group: Some(self.api.group().to_owned()),
            version: Some(self.version.to_owned()),
            verb: Some(self.verb.to_owned()),
            namespace: Some(self.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            resource: Some(self.resource.clone()),
            subresource: self.subresource.clone(),
            name: self.name.clone(),
            ..ResourceAttributes::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::metrics::path::{self, Route};

    fn attributes(path: &str) -> Value {
        let action = match path::route(path).unwrap() {
            Route::Metric(path) => Action::read(&path),
            Route::Namespace(path) => Action::read_namespace(&path),
            Route::External(path) => Action::read_external(&path),
            Route::RootScoped(path) => Action::read_root_scoped(&path),
            _ => Action::GetPath(path.to_owned()),
        };
        let (resource, path) = action.attributes();
        resource.map_or_else(|| json!(path), |resource| json!(resource))
    }

    #[test]
    fn reads_of_custom_metrics_are_reviewed_as_kube_apiserver_reads_their_paths() {
        let group = "custom.metrics.k8s.io";
        assert_eq!(
            attributes("/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/pods/*/rate"),
            json!({"group": group, "version": "v1beta1", "verb": "get", "namespace": "ns",
                "resource": "pods", "name": "*", "subresource": "rate"})
        );
        assert_eq!(
            attributes("/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/deployments.apps/web/depth"),
            json!({"group": group, "version": "v1beta2", "verb": "get", "namespace": "ns",
                "resource": "deployments.apps", "name": "web", "subresource": "depth"})
        );
    }

    #[test]
    fn the_read_of_a_namespace_metric_gets_the_metric_by_its_name() {
        assert_eq!(
            attributes("/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/metrics/depth"),
            json!({"group": "custom.metrics.k8s.io", "version": "v1beta2", "verb": "get", "namespace": "ns",
                "resource": "metrics", "name": "depth"})
        );
    }

    #[test]
    fn the_read_of_an_object_without_a_namespace_is_reviewed_at_the_cluster_scope() {
        assert_eq!(
            attributes("/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load"),
            json!({"group": "custom.metrics.k8s.io", "version": "v1beta2", "verb": "get",
                "resource": "nodes", "name": "n", "subresource": "load"})
        );
    }

    #[test]
    fn the_read_of_an_external_metric_lists_the_metric() {
        let group = "external.metrics.k8s.io";
        assert_eq!(
            attributes("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/depth"),
            json!({"group": group, "version": "v1beta1", "verb": "list", "namespace": "ns", "resource": "depth"})
        );
        assert_eq!(
            attributes("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/status"),
            json!({"group": group, "version": "v1beta1", "verb": "get", "namespace": "ns",
                "resource": "namespaces", "name": "ns", "subresource": "status"})
        );
    }

    #[test]
    fn each_group_has_a_broad_review_of_its_own() {
        let broad = |path: &str| {
            let action = match path::route(path).unwrap() {
                Route::Namespace(path) => Action::read_namespace(&path),
                Route::External(path) => Action::read_external(&path),
                _ => unreachable!(),
            };
            json!(action.broad().unwrap().attributes().0)
        };
        assert_eq!(
            broad("/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/metrics/depth"),
            json!({"group": "custom.metrics.k8s.io", "version": "*", "verb": "get", "resource": "*"})
        );
        assert_eq!(
            broad("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/depth"),
            json!({"group": "external.metrics.k8s.io", "version": "*", "verb": "list", "resource": "*"})
        );
        assert_eq!(Action::GetPath("/apis".to_owned()).broad(), None);
    }

    #[test]
    fn a_refusal_names_the_user_and_what_was_refused() {
        let user = User {
            name: "tenant".to_owned(),
            ..User::default()
        };
        let refusal = |path: &str| match path::route(path).unwrap() {
            Route::Metric(path) => Action::read(&path).refusal(&user),
            Route::External(path) => Action::read_external(&path).refusal(&user),
            _ => unreachable!(),
        };
        assert_eq!(
            refusal("/apis/custom.metrics.k8s.io/v1beta2/namespaces/ns/pods/*/rate").to_string(),
            "user \"tenant\" cannot get resource \"pods/rate\" in API group \"custom.metrics.k8s.io\" in the namespace \"ns\""
        );
        assert_eq!(
            refusal("/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/depth").to_string(),
            "user \"tenant\" cannot list resource \"depth\" in API group \"external.metrics.k8s.io\" in the namespace \"ns\""
        );
    }
}
