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
    content: T,
}

impl<T> Pruned<T> {
    pub(super) fn new(
        namespace: Option<String>,
        name: Option<String>,
        resource_version: Option<String>,
        content: T,
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

    /// Namespace and name of the object, and its content.
    pub(super) fn into_parts(self) -> (Key, T) {
        let ObjectMeta { namespace, name, .. } = self.metadata;
        (
            (namespace.unwrap_or_default(), name.unwrap_or_default()),
            self.content,
        )
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
