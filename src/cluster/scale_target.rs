//! Reads scale targets of any kind: the kind in discovery, the `scale` subresource, and the object itself.
//!
//! Must not: judge what was read, or make messages of it. A failure is a [`ReadError`]; each caller says it
//! in the words of its own output.

use k8s_openapi::{api::autoscaling::v1::Scale, apimachinery::pkg::apis::meta::v1::APIResourceList};
use kube::core::{ApiResource, GroupVersionKind};
use serde::de::DeserializeOwned;

use crate::read::{ReadError, Reader};
use vas_core::k8s::{api_version, percent::encode};

/// A kind that the API server serves in one API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// The name of the kind in paths, such as `deployments`.
    pub plural: String,
    /// Whether the kind is namespaced and has a `scale` subresource.
    pub scalable: bool,
}

/// The kinds that the API server serves in an API version. Others ask the cache, [`crate::kinds`].
///
/// # Errors
/// When the list cannot be read. The error [`ReadError::is_not_found`] if the version is not served.
pub(crate) async fn kinds(reader: &Reader, api_version: &str) -> Result<Vec<ServedKind>, ReadError> {
    let list: APIResourceList = reader.get(&root(api_version)).await?;
    Ok(served(&list))
}

/// The kinds in a discovery document of one API version.
fn served(list: &APIResourceList) -> Vec<ServedKind> {
    let is_served = |name: &str| list.resources.iter().any(|resource| resource.name == name);
    list.resources
        .iter()
        .filter(|resource| !resource.name.contains('/'))
        .map(|resource| ServedKind {
            kind: resource.kind.clone(),
            plural: resource.name.clone(),
            scalable: resource.namespaced && is_served(&format!("{}/scale", resource.name)),
        })
        .collect()
}

impl ServedKind {
    /// The kind with the name `kind` among the kinds of one API version.
    pub(crate) fn find<'a>(kinds: &'a [Self], kind: &str) -> Option<&'a Self> {
        kinds.iter().find(|served| served.kind == kind)
    }

    /// The API resource of the kind in an API version, such as `apps/v1`.
    pub fn resource(&self, api_version: &str) -> ApiResource {
        let (group, version) = api_version::split(api_version);
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, &self.kind), &self.plural)
    }
}

/// Reads the `scale` subresource of a target.
///
/// # Errors
/// See [`ReadError`].
pub async fn scale(
    reader: &Reader,
    resource: &ApiResource,
    namespace: &str,
    name: &str,
) -> Result<Scale, ReadError> {
    reader
        .get(&format!("{}/scale", path(resource, namespace, name)))
        .await
}

/// Reads the target itself. Only the fields of `T` are kept.
///
/// # Errors
/// See [`ReadError`].
pub async fn object<T: DeserializeOwned>(
    reader: &Reader,
    resource: &ApiResource,
    namespace: &str,
    name: &str,
) -> Result<T, ReadError> {
    reader.get(&path(resource, namespace, name)).await
}

/// The name of a kind in paths of the metrics APIs: `deployments.apps`, or `services` in the core group.
pub fn group_resource(resource: &ApiResource) -> String {
    if resource.group.is_empty() {
        resource.plural.clone()
    } else {
        format!("{}.{}", resource.plural, resource.group)
    }
}

/// The path of an API version: `/apis/apps/v1`, or `/api/v1` for the core group.
fn root(api_version: &str) -> String {
    match api_version::split(api_version) {
        ("", version) => format!("/api/{}", encode(version)),
        (group, version) => format!("/apis/{}/{}", encode(group), encode(version)),
    }
}

fn path(resource: &ApiResource, namespace: &str, name: &str) -> String {
    let root = root(&resource.api_version);
    let (namespace, plural, name) = (encode(namespace), encode(&resource.plural), encode(name));
    format!("{root}/namespaces/{namespace}/{plural}/{name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kinds() -> Vec<ServedKind> {
        let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "kind": kind, "namespaced": namespaced, "singularName": "", "verbs": []});
        let list = json!({"groupVersion": "apps/v1", "resources": [
            resource("deployments", "Deployment", true),
            resource("deployments/scale", "Scale", true),
            resource("daemonsets", "DaemonSet", true),
            resource("things", "Thing", false),
            resource("things/scale", "Scale", false),
        ]});
        served(&serde_json::from_value(list).unwrap())
    }

    #[test]
    fn kinds_are_told_apart_by_discovery() {
        let kinds = kinds();
        let scalable = |kind: &str| ServedKind::find(&kinds, kind).map(|served| served.scalable);
        assert_eq!(scalable("Deployment"), Some(true));
        assert_eq!(scalable("DaemonSet"), Some(false));
        assert_eq!(scalable("Thing"), Some(false));
        assert_eq!(scalable("Scale"), None, "a subresource is no kind of its own");
    }

    #[test]
    fn paths_are_those_of_kubernetes() {
        let kinds = kinds();
        let deployment = ServedKind::find(&kinds, "Deployment").unwrap();
        let resource = deployment.resource("apps/v1");
        assert_eq!(group_resource(&resource), "deployments.apps");
        assert_eq!(
            path(&resource, "n", "w"),
            "/apis/apps/v1/namespaces/n/deployments/w"
        );
        let resource = deployment.resource("v1");
        assert_eq!(group_resource(&resource), "deployments");
        assert_eq!(path(&resource, "n", "w"), "/api/v1/namespaces/n/deployments/w");
    }
}
