//! Reads scale targets of any kind.

use kube::{
    Api, Client,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};

use super::{reader::read as bounded, scalings::json};
use crate::{
    api::v1alpha1::ScaleTargetRef,
    diagnose::doctor::observed::{Read, ScaleTarget, Unread},
};

/// One target: the object, and what its scale subresource says.
pub(super) async fn read(client: &Client, namespace: &str, target: &ScaleTargetRef) -> Read<ScaleTarget> {
    let version = &target.api_version;
    let list = if version.contains('/') {
        bounded(client.list_api_group_resources(version)).await?
    } else {
        bounded(client.list_core_api_resources(version)).await?
    };
    let served = list
        .resources
        .into_iter()
        .find(|resource| resource.kind == target.kind && !resource.name.contains('/'));
    let plural = served.ok_or(Unread::NotFound)?.name;
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let kind = GroupVersionKind::gvk(group, version, &target.kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, &plural);
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let (object, scale) = tokio::join!(
        bounded(api.get(&target.name)),
        bounded(api.get_scale(&target.name))
    );
    let (object, scale) = (object?, scale?);
    Ok(ScaleTarget {
        resource: if group.is_empty() {
            plural
        } else {
            format!("{plural}.{group}")
        },
        object: json(&object),
        selector: scale
            .status
            .and_then(|status| status.selector)
            .unwrap_or_default(),
        replicas: scale.spec.and_then(|spec| spec.replicas).unwrap_or_default(),
    })
}
