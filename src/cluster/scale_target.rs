//! Scale targets of any kind: how the kind is served, what the scale subresource says, and the object itself.
//!
//! Must not: judge or word what was found. A failure is a [`ReadError`], which each caller words for its own reader.

use k8s_openapi::{api::autoscaling::v1::Scale, apimachinery::pkg::apis::meta::v1::APIResourceList};
use kube::core::{ApiResource, GroupVersionKind};
use serde::de::DeserializeOwned;

use crate::read::{ReadError, Reader};
use vas_core::k8s::percent::encode;

/// A kind of an API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// What paths call it, such as `deployments`.
    pub plural: String,
    /// Whether the kind is namespaced and has a `scale` subresource.
    pub scalable: bool,
}

/// The kinds that the API server serves in an API version.
///
/// # Errors
/// When they cannot be read; not found where the version is not served.
pub async fn kinds(reader: &Reader, api_version: &str) -> Result<Vec<ServedKind>, ReadError> {
    let list: APIResourceList = reader.get(&root(api_version)).await?;
    Ok(served(&list))
}

/// The kinds in a discovery document of one API version.
pub fn served(list: &APIResourceList) -> Vec<ServedKind> {
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
    /// The kind of that name among those of an API version.
    pub fn find<'a>(kinds: &'a [Self], kind: &str) -> Option<&'a Self> {
        kinds.iter().find(|served| served.kind == kind)
    }

    /// How the API server names the kind in an API version.
    pub fn resource(&self, api_version: &str) -> ApiResource {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, &self.kind), &self.plural)
    }
}

/// What the scale subresource of a target says.
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

/// A target itself, of which as much is kept as `T` takes.
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

/// `deployments.apps`, as paths of the metrics APIs name a kind.
pub fn group_resource(resource: &ApiResource) -> String {
    if resource.group.is_empty() {
        resource.plural.clone()
    } else {
        format!("{}.{}", resource.plural, resource.group)
    }
}

/// Path of an API version: `/apis/apps/v1`, `/api/v1`.
fn root(api_version: &str) -> String {
    match api_version.split_once('/') {
        Some((group, version)) => format!("/apis/{}/{}", encode(group), encode(version)),
        None => format!("/api/{}", encode(api_version)),
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
