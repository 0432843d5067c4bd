//! An object of a watched kind, pruned to what the operator keeps of it while the API server's answer is parsed.
//!
//! Invariant: of the metadata there is what a watch needs, namespace, name and version, and no more.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope},
};

use crate::cluster::watch::cache::Key;

/// An object, with `T` in place of all but its name. How `T` is read from an answer is said where `T` is.
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

    /// Where it is, and what is kept.
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
