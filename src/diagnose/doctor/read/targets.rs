//! Scale targets of any kind, as the checks want them.

use super::reader::{reader, unread};
use crate::doctor::observed::{Read, ScaleTarget, Unread};
use kube::Client;
use vas_api::v1alpha1::ScaleTargetRef;
use vas_cluster::scale_target::{self, ServedKind};

/// One target: the object, and what its scale subresource says.
pub(super) async fn read(client: &Client, namespace: &str, target: &ScaleTargetRef) -> Read<ScaleTarget> {
    let reader = reader(client);
    let kinds = scale_target::kinds(&reader, &target.api_version).await;
    let kinds = kinds.map_err(unread)?;
    let served = ServedKind::find(&kinds, &target.kind).ok_or(Unread::NotFound)?;
    let resource = served.resource(&target.api_version);
    let (object, scale) = tokio::join!(
        scale_target::object(&reader, &resource, namespace, &target.name),
        scale_target::scale(&reader, &resource, namespace, &target.name),
    );
    let (object, scale) = (object.map_err(unread)?, scale.map_err(unread)?);
    Ok(ScaleTarget {
        object,
        selector: scale
            .status
            .and_then(|status| status.selector)
            .unwrap_or_default(),
        replicas: scale.spec.and_then(|spec| spec.replicas).unwrap_or_default(),
    })
}
