//! Which object, and which state of its spec: parsed once from the metadata that an API server sends.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// A namespaced object whose kind counts generations.
///
/// Invariant: no part is empty. So two objects never meet under one key because a part of their metadata was
/// missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRef {
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// UID of the object. An object that is deleted and created again under its name has another one.
    pub uid: String,
    /// Count of the changes of the spec.
    pub generation: i64,
}

/// Metadata that does not say which object it is about. No API server sends such metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the object {:?} of namespace {:?} has no metadata.{missing}, which the API server sets on every stored object",
    .name.as_deref().unwrap_or("?"),
    .namespace.as_deref().unwrap_or("?")
)]
pub struct Unidentified {
    namespace: Option<String>,
    name: Option<String>,
    missing: &'static str,
}

impl ResourceRef {
    /// Reads which object the metadata is about.
    ///
    /// # Errors
    /// If namespace, name, UID or generation is missing or empty.
    pub fn of(metadata: &ObjectMeta) -> Result<Self, Unidentified> {
        let missing = |missing| Unidentified {
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            missing,
        };
        let text = |field, value: &Option<String>| {
            let value = value.clone().filter(|value| !value.is_empty());
            value.ok_or_else(|| missing(field))
        };
        Ok(Self {
            namespace: text("namespace", &metadata.namespace)?,
            name: text("name", &metadata.name)?,
            uid: text("uid", &metadata.uid)?,
            generation: metadata.generation.ok_or_else(|| missing("generation"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(metadata: Value) -> Result<ResourceRef, String> {
        let metadata = serde_json::from_value(metadata).unwrap();
        ResourceRef::of(&metadata).map_err(|error| error.to_string())
    }

    #[test]
    fn an_object_is_what_its_metadata_says() {
        let resource = of(json!({"namespace": "ns", "name": "v", "uid": "1", "generation": 3})).unwrap();
        assert_eq!(
            (
                resource.namespace.as_str(),
                resource.name.as_str(),
                resource.uid.as_str(),
                resource.generation
            ),
            ("ns", "v", "1", 3)
        );
    }

    #[test]
    fn what_is_missing_or_empty_is_an_error_that_names_it() {
        for (metadata, missing) in [
            (
                json!({"name": "v", "uid": "1", "generation": 3}),
                "metadata.namespace",
            ),
            (
                json!({"namespace": "ns", "uid": "1", "generation": 3}),
                "metadata.name",
            ),
            (
                json!({"namespace": "ns", "name": "v", "uid": "", "generation": 3}),
                "metadata.uid",
            ),
            (
                json!({"namespace": "ns", "name": "v", "uid": "1"}),
                "metadata.generation",
            ),
        ] {
            let error = of(metadata).unwrap_err();
            assert!(error.contains(&format!("has no {missing},")), "{error}");
        }
    }
}
