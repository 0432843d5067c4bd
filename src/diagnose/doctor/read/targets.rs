//! Scale targets of any kind, as the checks want them.

use super::reader::{reader, unread};
use kube::Client;
use vas_api::v1alpha1::ScaleTargetRef;
use vas_cluster::{kinds::Kinds, scale_target};
use vas_core::k8s::{
    read::{Read, Unread},
    scale_target::ScaleTarget,
};

/// One target: the object, and what its scale subresource says.
pub(super) async fn read(
    client: &Client,
    kinds: &Kinds,
    namespace: &str,
    target: &ScaleTargetRef,
) -> Read<ScaleTarget> {
    let reader = reader(client);
    let served = kinds.find(&target.api_version, &target.kind, |_| true).await;
    let served = served.map_err(unread)?.ok_or(Unread::NotFound)?;
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
