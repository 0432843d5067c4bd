//! A resource as it is kept in memory: the metadata that a reconcile needs, and spec and status as packed
//! text.
//!
//! The managed fields are most of a resource and are skipped while the answer is parsed. Of the annotations,
//! only those that suspend are kept. Of a resource that does not parse, the parse error is kept, so that one
//! such resource does not end the watch of all.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{Resource, core::error_boundary::InvalidObject};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use vas_api::v1alpha1::{VoiceAssistScaling, VoiceAssistScalingSpec, VoiceAssistScalingStatus};
use vas_core::{
    monitoring::scaling,
    reconcile::{packed::Packed, suspend::annotation::keep_only_suspensions},
};

/// A resource in its compact form.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    metadata: ObjectMeta,
    content: Result<Packed, Box<str>>,
}

/// The part of the metadata that is cached.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CachedMetadata {
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    annotations: Option<BTreeMap<String, String>>,
}

/// The resource as the API server sends it.
#[derive(Deserialize)]
struct Sent {
    metadata: CachedMetadata,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

/// The part of the resource that is packed.
#[derive(Deserialize, Serialize)]
struct Content {
    spec: VoiceAssistScalingSpec,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<VoiceAssistScalingStatus>,
}

impl Stored {
    /// What is exported of spec and status; `None` if the resource does not parse.
    pub(super) fn exported(&self) -> Option<scaling::Content> {
        let packed = self.content.as_ref().ok()?;
        serde_json::from_str(&packed.text()).ok()
    }

    /// Whether the resource is reconciled again without a change of it.
    pub(super) fn is_resynced(&self) -> bool {
        self.content.is_ok() && self.metadata.deletion_timestamp.is_none()
    }

    /// Unpacks the resource.
    ///
    /// # Errors
    /// If the resource does not parse; the error says why.
    pub(super) fn object(&self) -> Result<VoiceAssistScaling, Box<InvalidObject>> {
        let invalid = |error: String| {
            Box::new(InvalidObject {
                error,
                metadata: self.metadata.clone(),
            })
        };
        let packed = self
            .content
            .as_ref()
            .map_err(|error| invalid(error.to_string()))?;
        let content: Content =
            serde_json::from_str(&packed.text()).map_err(|error| invalid(error.to_string()))?;
        Ok(VoiceAssistScaling {
            metadata: self.metadata.clone(),
            spec: content.spec,
            status: content.status,
        })
    }
}

/// Parses spec and status and packs them. An error here is the error of the whole resource.
fn packed(spec: Value, status: Value) -> Result<Packed, serde_json::Error> {
    let content = Content {
        spec: serde_json::from_value(spec)?,
        status: serde_json::from_value(status)?,
    };
    Ok(Packed::new(&serde_json::to_string(&content)?))
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Sent {
            metadata,
            spec,
            status,
        } = Sent::deserialize(deserializer)?;
        Ok(Self {
            metadata: ObjectMeta {
                namespace: metadata.namespace,
                name: metadata.name,
                uid: metadata.uid,
                resource_version: metadata.resource_version,
                generation: metadata.generation,
                creation_timestamp: metadata.creation_timestamp,
                deletion_timestamp: metadata.deletion_timestamp,
                annotations: keep_only_suspensions(metadata.annotations.as_ref()),
                ..ObjectMeta::default()
            },
            content: packed(spec, status).map_err(|error| error.to_string().into_boxed_str()),
        })
    }
}

impl Resource for Stored {
    type DynamicType = ();
    type Scope = <VoiceAssistScaling as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        VoiceAssistScaling::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        VoiceAssistScaling::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        VoiceAssistScaling::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        VoiceAssistScaling::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(spec: &Value) -> Stored {
        serde_json::from_value(json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
            "metadata": {"namespace": "ns", "name": "v", "uid": "1", "generation": 2, "resourceVersion": "7",
                         "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}], "labels": {"a": "b"},
                         "annotations": {"team": "voice", "scaling.voiceassist.io/suspend": "workloads=api"}},
            "spec": spec,
            "status": {"observedGeneration": 2},
        }))
        .unwrap()
    }

    #[test]
    fn a_resource_comes_back_with_all_that_a_reconcile_needs() {
        let object = sent(&json!({"workloads": [], "environment": "dev"}))
            .object()
            .unwrap();
        assert_eq!(object.spec.environment.as_deref(), Some("dev"));
        assert_eq!(object.status.unwrap().observed_generation, Some(2));
        let metadata = &object.metadata;
        assert_eq!(
            (metadata.generation, metadata.uid.as_deref()),
            (Some(2), Some("1"))
        );
        assert!(metadata.managed_fields.is_none() && metadata.labels.is_none());
        let annotations: Vec<_> = metadata.annotations.iter().flatten().collect();
        assert_eq!(annotations.len(), 1, "{annotations:?}");
        assert_eq!(annotations[0].1, "workloads=api");
    }

    #[test]
    fn one_that_does_not_parse_says_why_and_keeps_its_name() {
        for spec in [json!({"workloads": 3}), json!(null), json!("text")] {
            let invalid = sent(&spec).object().unwrap_err();
            assert!(!invalid.error.is_empty());
            assert_eq!(invalid.metadata.name.as_deref(), Some("v"));
        }
    }
}
