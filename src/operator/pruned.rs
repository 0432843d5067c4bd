//! An object of a watched kind, reduced to what the operator keeps while the API server's answer is still
//! being parsed.
//!
//! Invariant: the metadata holds only what a watch needs: namespace, name and resourceVersion.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope},
};

use super::cache::Key;

/// An object of which only the name and the content `T` are kept. The module of each `T` implements
/// `Deserialize`.
#[derive(Clone, Debug)]
pub(super) struct Pruned<T> {
    metadata: ObjectMeta,
    /// `None` if the object lacks metadata without which it cannot be told from others.
    content: Option<T>,
}

impl<T> Pruned<T> {
    pub(super) fn new(
        namespace: Option<String>,
        name: Option<String>,
        resource_version: Option<String>,
        content: Option<T>,
    ) -> Self {
        Self {
            metadata: ObjectMeta {
                namespace,
                name,
                resource_version,
                ..ObjectMeta::default()
            },
            content,
        }
    }

    /// Namespace and name of the object, and its content. `None`, and an error in the log, for an object that
    /// lacks one of them, which no API server sends.
    pub(super) fn into_parts(self) -> Option<(Key, T)> {
        match (self.metadata.namespace, self.metadata.name, self.content) {
            (Some(namespace), Some(name), Some(content)) => Some(((namespace, name), content)),
            (namespace, name, _) => {
                tracing::error!(
                    namespace,
                    name,
                    "skipped an object without namespace, name or UID"
                );
                None
            }
        }
    }
}

impl<T> Resource for Pruned<T> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
