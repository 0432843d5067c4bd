//! Reads the resources.

use kube::{
    Api, Client,
    api::ListParams,
    core::{ApiResource, DynamicObject},
};
use serde_json::Value;

use super::read::read as bounded;
use crate::{
    api::v1alpha1::VoiceAssistScaling,
    core::{
        doctor::observed::{Read, ScalingSeen},
        validate::validate,
    },
};

/// All resources of a namespace, or of all. One that does not parse does not hide the others.
pub(super) async fn read(client: &Client, namespace: Option<&str>) -> Read<Vec<ScalingSeen>> {
    let resource = ApiResource::erase::<VoiceAssistScaling>(&());
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let list = bounded(api.list(&ListParams::default())).await?;
    Ok(list.items.into_iter().map(seen).collect())
}

fn seen(object: DynamicObject) -> ScalingSeen {
    let namespace = object.metadata.namespace.clone().unwrap_or_default();
    let name = object.metadata.name.clone().unwrap_or_default();
    let parsed = serde_json::to_value(object)
        .and_then(serde_json::from_value::<VoiceAssistScaling>)
        .map_err(|error| error.to_string());
    let validation = parsed.as_ref().ok().map(validate);
    let (scaling, violations) = validation.map_or((None, Vec::new()), |validation| {
        let violations = validation.violations.iter().map(ToString::to_string).collect();
        (validation.scaling, violations)
    });
    ScalingSeen {
        namespace,
        name,
        object: parsed,
        scaling,
        violations,
    }
}

/// An object as JSON. Serializing what came as JSON has no failing case.
pub(super) fn json(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
