//! The live pods, by namespace and name, with their labels: what a Pods read is filtered by.
//!
//! Fed by a watch on metadata alone that leaves finished pods out; a pod that is being deleted is not live.
//! Pending pods are kept: the HPA knows them and leaves them out itself.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use parking_lot::RwLock;

use crate::core::label_selector::LabelSelector;

type Labels = BTreeMap<String, String>;

/// All live pods.
#[derive(Debug, Default)]
pub struct PodIndex {
    namespaces: RwLock<BTreeMap<String, BTreeMap<String, Labels>>>,
}

impl PodIndex {
    /// Takes a pod in, or what changed of it.
    pub fn apply(&self, pod: &ObjectMeta) {
        if pod.deletion_timestamp.is_some() {
            return self.remove(pod);
        }
        let (Some(namespace), Some(name)) = (&pod.namespace, &pod.name) else {
            return;
        };
        let labels = pod.labels.clone().unwrap_or_default();
        let mut namespaces = self.namespaces.write();
        namespaces
            .entry(namespace.clone())
            .or_default()
            .insert(name.clone(), labels);
    }

    /// Forgets a pod.
    pub fn remove(&self, pod: &ObjectMeta) {
        let (Some(namespace), Some(name)) = (&pod.namespace, &pod.name) else {
            return;
        };
        let mut namespaces = self.namespaces.write();
        if let Some(pods) = namespaces.get_mut(namespace) {
            pods.remove(name);
            if pods.is_empty() {
                namespaces.remove(namespace);
            }
        }
    }

    /// Forgets all pods but those that `keep` says are still there, given namespace and name.
    pub fn retain(&self, keep: impl Fn(&str, &str) -> bool) {
        self.namespaces.write().retain(|namespace, pods| {
            pods.retain(|name, _| keep(namespace, name));
            !pods.is_empty()
        });
    }

    /// Names of the live pods of a namespace that are selected, in order.
    pub fn select(&self, namespace: &str, selector: &LabelSelector) -> Vec<String> {
        let namespaces = self.namespaces.read();
        let pods = namespaces.get(namespace).into_iter().flatten();
        pods.filter(|(_, labels)| selector.matches(labels))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    fn pod(name: &str, app: &str) -> ObjectMeta {
        ObjectMeta {
            namespace: Some("ns".to_owned()),
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([("app".to_owned(), app.to_owned())])),
            ..ObjectMeta::default()
        }
    }

    fn web(index: &PodIndex) -> Vec<String> {
        index.select("ns", &"app=web".parse().unwrap())
    }

    #[test]
    fn selects_by_namespace_and_label() {
        let index = PodIndex::default();
        for pod in [pod("b", "web"), pod("a", "web"), pod("c", "db")] {
            index.apply(&pod);
        }
        assert_eq!(web(&index), ["a", "b"]);
        assert!(index.select("other", &LabelSelector::default()).is_empty());
    }

    #[test]
    fn a_pod_that_is_being_deleted_is_not_live() {
        let index = PodIndex::default();
        index.apply(&pod("a", "web"));
        let deleting = ObjectMeta {
            deletion_timestamp: Some(Time(jiff::Timestamp::UNIX_EPOCH)),
            ..pod("a", "web")
        };
        index.apply(&deleting);
        assert!(web(&index).is_empty());
    }

    #[test]
    fn pods_that_a_new_list_lacks_are_forgotten() {
        let index = PodIndex::default();
        index.apply(&pod("a", "web"));
        index.apply(&pod("b", "web"));
        index.retain(|_, name| name == "b");
        assert_eq!(web(&index), ["b"]);
    }
}
