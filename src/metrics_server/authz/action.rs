//! What a user wants to do, and the attributes it has in an access review: those that kube-apiserver derives from
//! the path of the request, so that one rule of RBAC answers both.
//!
//! Source: `k8s.io/apiserver/pkg/endpoints/request` (RequestInfo).

use k8s_openapi::api::authorization::v1::{NonResourceAttributes, ResourceAttributes};

use super::super::{authn::User, path::MetricPath, status_error::StatusError};
use crate::api::CUSTOM_METRICS_GROUP;

/// What a user wants to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Read any metric of any namespace.
    ReadAnyMetric,
    /// Read a metric.
    ReadMetric {
        /// Namespace.
        namespace: String,
        /// Resource and, after a dot, group of the described objects.
        resource: String,
        /// Name of the described object, or `*`.
        name: String,
        /// Name of the metric: the subresource.
        metric: String,
        /// Version asked for.
        version: &'static str,
    },
    /// Get a path that is no resource.
    GetPath(String),
}

impl Action {
    /// The action that a read of a metric is.
    pub fn read(path: &MetricPath) -> Self {
        Self::ReadMetric {
            namespace: path.namespace.clone(),
            resource: path.resource.clone(),
            name: path.name.clone(),
            metric: path.metric.clone(),
            version: path.version.name(),
        }
    }

    /// What covers this and much else, and is worth asking first.
    pub fn broad(&self) -> Option<Self> {
        match self {
            Self::ReadMetric { .. } => Some(Self::ReadAnyMetric),
            Self::ReadAnyMetric | Self::GetPath(_) => None,
        }
    }

    /// How a review asks for it: by a resource or by a path.
    pub fn attributes(&self) -> (Option<ResourceAttributes>, Option<NonResourceAttributes>) {
        let verb = Some("get".to_owned());
        let group = Some(CUSTOM_METRICS_GROUP.to_owned());
        match self {
            Self::ReadAnyMetric => {
                let any = ResourceAttributes {
                    group,
                    version: Some("*".to_owned()),
                    resource: Some("*".to_owned()),
                    verb,
                    ..ResourceAttributes::default()
                };
                (Some(any), None)
            }
            Self::ReadMetric {
                namespace,
                resource,
                name,
                metric,
                version,
            } => {
                let one = ResourceAttributes {
                    group,
                    version: Some((*version).to_owned()),
                    namespace: Some(namespace.clone()),
                    resource: Some(resource.clone()),
                    subresource: Some(metric.clone()),
                    name: Some(name.clone()),
                    verb,
                    ..ResourceAttributes::default()
                };
                (Some(one), None)
            }
            Self::GetPath(path) => {
                let path = NonResourceAttributes {
                    path: Some(path.clone()),
                    verb,
                };
                (None, Some(path))
            }
        }
    }

    /// The answer to a user who may not.
    pub fn refusal(&self, user: &User) -> StatusError {
        let name = &user.name;
        StatusError::forbidden(match self {
            Self::ReadMetric {
                namespace,
                resource,
                metric,
                ..
            } => format!(
                "user {name:?} cannot get resource \"{resource}/{metric}\" in API group {CUSTOM_METRICS_GROUP:?} in the namespace {namespace:?}"
            ),
            Self::ReadAnyMetric => format!("user {name:?} cannot get every metric"),
            Self::GetPath(path) => format!("user {name:?} cannot get path {path:?}"),
        })
    }
}
