//! A watch of all objects of a kind in the story's namespace, by name.

use std::{collections::BTreeMap, fmt::Debug};

use futures::StreamExt as _;
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    runtime::{WatchStreamExt as _, watcher},
};
use serde::de::DeserializeOwned;

use crate::workload::NAMESPACE;

/// Calls `changed` with all objects after every change, for ever. Errors are retried.
pub(super) async fn follow<K>(client: Client, mut changed: impl FnMut(&BTreeMap<String, K>))
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    let mut objects = BTreeMap::new();
    let stream = watcher(
        Api::<K>::namespaced(client, NAMESPACE),
        watcher::Config::default(),
    )
    .default_backoff();
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.next().await {
        let complete = match event {
            Ok(watcher::Event::Init) => {
                objects.clear();
                false
            }
            Ok(watcher::Event::InitApply(object)) => {
                objects.insert(object.name_any(), object);
                false
            }
            Ok(watcher::Event::Apply(object)) => {
                objects.insert(object.name_any(), object);
                true
            }
            Ok(watcher::Event::Delete(object)) => {
                objects.remove(&object.name_any());
                true
            }
            Ok(watcher::Event::InitDone) => true,
            Err(_) => false,
        };
        if complete {
            changed(&objects);
        }
    }
}
