//! Reads the `VoiceAssistScaling` resources.

use jiff::Timestamp;
use kube::{
    Api, Client,
    api::ListParams,
    core::{ApiResource, DynamicObject},
};
use serde_json::Value;

use super::reader::read as bounded;
use crate::doctor::observed::ScalingSeen;
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_core::{
    k8s::{
        read::{Read, Unread},
        resource_ref::{ResourceRef, Unidentified},
    },
    reconcile::suspend::{Suspended, freeze},
    spec::rules::validate,
};

/// All resources of one namespace or of all namespaces, with what is suspended at `now`. A resource that does
/// not parse does not hide the others.
pub(super) async fn read(client: &Client, namespace: Option<&str>, now: Timestamp) -> Read<Vec<ScalingSeen>> {
    let resource = ApiResource::erase::<VoiceAssistScaling>(&());
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let list = bounded(api.list(&ListParams::default())).await?;
    let seen = list.items.into_iter().map(|object| seen(object, now));
    seen.collect::<Result<_, _>>()
        .map_err(|error| Unread::Failed(error.to_string()))
}

fn seen(object: DynamicObject, now: Timestamp) -> Result<ScalingSeen, Unidentified> {
    let resource = ResourceRef::of(&object.metadata)?;
    let parsed = serde_json::to_value(object)
        .and_then(serde_json::from_value::<VoiceAssistScaling>)
        .map_err(|error| error.to_string());
    let (mut scaling, mut violations, mut suspended) = (None, Vec::new(), Suspended::default());
    if let Ok(object) = &parsed {
        let mut validation = validate(object);
        suspended = freeze(object, &mut validation, now);
        violations = validation.violations.iter().map(ToString::to_string).collect();
        scaling = validation.scaling;
    }
    Ok(ScalingSeen {
        resource,
        object: parsed,
        scaling,
        suspended,
        violations,
    })
}

/// An object as JSON. It was parsed from JSON, so the serialization cannot fail.
pub(super) fn json(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
