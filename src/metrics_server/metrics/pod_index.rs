//! The live pods, by namespace and name, with their labels. Reads of Pods metrics are filtered by them.
//!
//! The index is fed by a watch of metadata that leaves out finished pods; a pod that is being deleted is not
//! live. Pending pods are kept: the HPA knows about them and leaves them out itself.

mod labels;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    ops::Bound::{Excluded, Included, Unbounded},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use parking_lot::RwLock;

use self::labels::Labels;
use vas_core::k8s::label_selector::LabelSelector;

/// All live pods.
#[derive(Debug, Default)]
pub struct PodIndex {
    namespaces: RwLock<BTreeMap<Box<str>, Pods>>,
    /// Number of the full list that is being received, or was received last.
    list: AtomicU32,
    /// Whether a full list has ended.
    is_complete: AtomicBool,
    /// Count of pods that were ever taken in; the next pod gets this as its number.
    taken_in: AtomicU32,
    hasher: RandomState,
}

/// The pods of a namespace, by name.
type Pods = BTreeMap<Box<str>, Pod>;

/// A live pod.
#[derive(Debug)]
struct Pod {
    labels: Labels,
    /// Number of the latest full list at the time of the pod's last event.
    list: u32,
    /// A number that no other pod of this process' lifetime has, not even one of the same name.
    number: u32,
    /// Hash of the UID, which takes a fraction of its memory. Two pods of one name have different ones, but for one
    /// chance in 2^64.
    uid: u64,
}

impl PodIndex {
    /// Begins a full list: each pod that is taken in from now on gets the number of this list.
    pub fn begin_list(&self) {
        self.list.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends a full list: removes the pods that were not on it.
    pub fn end_list(&self) {
        let list = self.list.load(Ordering::Relaxed);
        self.namespaces.write().retain(|_, pods| {
            pods.retain(|_, pod| pod.list == list);
            !pods.is_empty()
        });
        self.is_complete.store(true, Ordering::Release);
    }

    /// Whether all live pods are known. Before, a pod that is not here may be live.
    pub fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire)
    }

    /// Takes in a new or changed pod.
    pub fn apply(&self, pod: &ObjectMeta) {
        if pod.deletion_timestamp.is_some() {
            return self.remove(pod);
        }
        let (Some(namespace), Some(name)) = (&pod.namespace, &pod.name) else {
            return;
        };
        let labels = pod.labels.as_ref().map_or_else(Labels::default, Labels::new);
        let list = self.list.load(Ordering::Relaxed);
        let mut namespaces = self.namespaces.write();
        // `entry` alone would allocate a key for each event.
        let pods = match namespaces.get_mut(namespace.as_str()) {
            Some(pods) => pods,
            None => namespaces.entry(namespace.as_str().into()).or_default(),
        };
        let labels = shared(pods, name, labels);
        let uid = self.hasher.hash_one(&pod.uid);
        // A pod keeps its number when it changes: polls recognize a replaced pod by a new number. One that was
        // replaced while no watch ran has the same name in the next list, and another UID.
        let number = match pods.get(name.as_str()) {
            Some(known) if known.uid == uid => known.number,
            _ => self.taken_in.fetch_add(1, Ordering::Relaxed),
        };
        let pod = Pod {
            labels,
            list,
            number,
            uid,
        };
        pods.insert(name.as_str().into(), pod);
    }

    /// Removes a pod.
    pub fn remove(&self, pod: &ObjectMeta) {
        let (Some(namespace), Some(name)) = (&pod.namespace, &pod.name) else {
            return;
        };
        let mut namespaces = self.namespaces.write();
        if let Some(pods) = namespaces.get_mut(namespace.as_str()) {
            pods.remove(name.as_str());
            if pods.is_empty() {
                namespaces.remove(namespace.as_str());
            }
        }
    }

    /// The number of a live pod. It differs from that of an earlier pod with the same name.
    pub fn number(&self, namespace: &str, pod: &str) -> Option<u32> {
        Some(self.namespaces.read().get(namespace)?.get(pod)?.number)
    }

    /// Names of the live pods of a namespace that the selector matches, in alphabetical order.
    pub fn select(&self, namespace: &str, selector: &LabelSelector) -> Vec<String> {
        let namespaces = self.namespaces.read();
        let pods = namespaces.get(namespace).into_iter().flatten();
        pods.filter(|(_, pod)| selector.matches_by(|key| pod.labels.get(key)))
            .map(|(name, _)| name.to_string())
            .collect()
    }

    /// Calls `each` with the name of every live pod of a namespace whose name and labels show that it belongs to one of
    /// these scale targets, and with what is known of that target.
    pub fn with_target<T>(
        &self,
        namespace: &str,
        targets: &BTreeMap<&str, T>,
        mut each: impl FnMut(&str, &T),
    ) {
        let namespaces = self.namespaces.read();
        for (name, pod) in namespaces.get(namespace).into_iter().flatten() {
            let found = match shown_target(name, &pod.labels) {
                Shown::Whole(target) => targets.get(target),
                // A cut name tells how its target begins, and several may begin so.
                Shown::Cut => targets
                    .iter()
                    .find(|(target, _)| is_of_target(name, &pod.labels, target))
                    .map(|(_, known)| known),
                Shown::Nothing => None,
            };
            if let Some(known) = found {
                each(name, known);
            }
        }
    }

    /// Names of the live pods that belong to the scale target of this name, in alphabetical order. If no pod
    /// shows that it belongs to the target, all live pods of the namespace: other controllers may name pods
    /// in any way.
    pub fn of_target(&self, namespace: &str, target: &str) -> Vec<String> {
        let namespaces = self.namespaces.read();
        let pods = || namespaces.get(namespace).into_iter().flatten();
        let own: Vec<String> = pods()
            .filter(|(name, pod)| is_of_target(name, &pod.labels, target))
            .map(|(name, _)| name.to_string())
            .collect();
        if own.is_empty() {
            pods().map(|(name, _)| name.to_string()).collect()
        } else {
            own
        }
    }
}

/// Returns labels that are shared with a neighbour by name, if those are equal: pods of one ReplicaSet have
/// equal labels, and names with the same prefix.
fn shared(pods: &Pods, name: &str, labels: Labels) -> Labels {
    let before = pods.range::<str, _>((Unbounded, Excluded(name))).next_back();
    let after = pods.range::<str, _>((Included(name), Unbounded)).next();
    let beside = [before, after].into_iter().flatten();
    let equal = beside
        .map(|(_, pod)| &pod.labels)
        .find(|beside| **beside == labels);
    equal.cloned().unwrap_or(labels)
}

/// Label of a Deployment's pods: the last part of the name of their ReplicaSet.
const POD_TEMPLATE_HASH: &str = "pod-template-hash";
/// Label of a StatefulSet's pods: the last part of the pod's own name.
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";
/// Generated names keep at most this many characters of the name they are made from (63 minus 5 random ones).
const GENERATED_FROM: usize = 58;

/// What the name and labels of a pod show of its scale target.
enum Shown<'a> {
    /// Its whole name.
    Whole(&'a str),
    /// The beginning of a name that was too long to be in the pod's name.
    Cut,
    Nothing,
}

/// What a pod shows of its scale target: what [`is_of_target`] asks, without a target.
fn shown_target<'a>(name: &'a str, labels: &Labels) -> Shown<'a> {
    if let Some(hash) = labels.get(POD_TEMPLATE_HASH) {
        let Some((base, _)) = name.rsplit_once('-') else {
            return if name.len() > GENERATED_FROM {
                Shown::Cut
            } else {
                Shown::Nothing
            };
        };
        match base.strip_suffix(hash).and_then(|base| base.strip_suffix('-')) {
            Some(target) => Shown::Whole(target),
            None if name.len() > GENERATED_FROM => Shown::Cut,
            None => Shown::Nothing,
        }
    } else if let Some(index) = labels.get(POD_INDEX) {
        let target = name.strip_suffix(index).and_then(|base| base.strip_suffix('-'));
        target.map_or(Shown::Nothing, Shown::Whole)
    } else {
        Shown::Nothing
    }
}

/// Whether the name and labels of a pod show that it belongs to `target`. The controllers of Kubernetes
/// append a suffix to the target's name, and repeat the suffix in a label. So the pods of `api-gateway` are
/// not taken for those of `api`: `api-gateway-5d9f-x` has the hash `5d9f`, and does not begin with
/// `api-5d9f-`.
fn is_of_target(name: &str, labels: &Labels, target: &str) -> bool {
    if let Some(hash) = labels.get(POD_TEMPLATE_HASH) {
        let base: String = format!("{target}-{hash}-").chars().take(GENERATED_FROM).collect();
        name.starts_with(&base)
    } else if let Some(index) = labels.get(POD_INDEX) {
        name == format!("{target}-{index}")
    } else {
        name.strip_prefix(target)
            .is_some_and(|rest| rest.starts_with('-'))
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
    fn a_pod_keeps_its_number_and_one_that_replaces_it_has_another() {
        let index = PodIndex::default();
        let number = || index.number("ns", "web-0");
        assert_eq!(number(), None);
        index.apply(&pod("web-0", "web"));
        let first = number();
        index.apply(&pod("web-0", "db"));
        index.apply(&pod("web-1", "web"));
        assert!(
            first.is_some() && number() == first,
            "it changed, and is the same pod"
        );
        let deleting = ObjectMeta {
            deletion_timestamp: Some(Time(jiff::Timestamp::UNIX_EPOCH)),
            ..pod("web-0", "db")
        };
        index.apply(&deleting);
        assert_eq!(number(), None);
        index.apply(&pod("web-0", "web"));
        assert!(number().is_some() && number() != first);
        assert_eq!(index.number("other", "web-0"), None);
    }

    #[test]
    fn a_pod_that_was_replaced_while_no_watch_ran_has_another_number() {
        let index = PodIndex::default();
        let number = || index.number("ns", "web-0");
        let of_uid = |uid: &str| ObjectMeta {
            uid: Some(uid.to_owned()),
            ..pod("web-0", "web")
        };
        index.begin_list();
        index.apply(&of_uid("one"));
        index.end_list();
        let first = number();
        index.begin_list();
        index.apply(&of_uid("one"));
        index.end_list();
        assert_eq!(number(), first, "the same pod in another list");
        index.begin_list();
        index.apply(&of_uid("other"));
        index.end_list();
        assert!(number().is_some() && number() != first);
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
    fn the_pods_of_a_target_are_not_those_of_another_whose_name_begins_alike() {
        let index = PodIndex::default();
        let long = "a-deployment-with-a-name-so-long-that-names-of-pods-are-cut";
        let cut: String = format!("{long}-5d8f-").chars().take(58).collect::<String>() + "x7k2p";
        for (name, label, value) in [
            ("api-7c9-x1", POD_TEMPLATE_HASH, "7c9"),
            ("api-gateway-5d8-x2", POD_TEMPLATE_HASH, "5d8"),
            ("api-0", POD_INDEX, "0"),
            ("api-gateway-0", POD_INDEX, "0"),
            ("api-custom", "app", "api"),
            (cut.as_str(), POD_TEMPLATE_HASH, "5d8f"),
        ] {
            let labels = BTreeMap::from([(label.to_owned(), value.to_owned())]);
            index.apply(&ObjectMeta {
                labels: Some(labels),
                ..pod(name, "")
            });
        }
        let targets = BTreeMap::from([("api", 1), ("api-gateway", 2), (long, 3), ("unlike", 4)]);
        let mut found = Vec::new();
        index.with_target("ns", &targets, |pod, number| {
            found.push((pod.to_owned(), *number));
        });
        let shown = [
            (cut.as_str(), 3),
            ("api-0", 1),
            ("api-7c9-x1", 1),
            ("api-gateway-0", 2),
            ("api-gateway-5d8-x2", 2),
        ];
        assert_eq!(found, shown.map(|(pod, number)| (pod.to_owned(), number)));
        assert_eq!(
            index.of_target("ns", "api"),
            ["api-0", "api-7c9-x1", "api-custom"]
        );
        assert_eq!(
            index.of_target("ns", "api-gateway"),
            ["api-gateway-0", "api-gateway-5d8-x2"]
        );
        assert_eq!(index.of_target("ns", long), [cut]);
        assert_eq!(index.of_target("ns", "unlike").len(), 6);
    }

    #[test]
    fn pods_that_a_new_list_lacks_are_forgotten_when_it_is_complete() {
        let index = PodIndex::default();
        index.begin_list();
        index.apply(&pod("a", "web"));
        index.apply(&pod("b", "web"));
        index.end_list();
        assert_eq!(web(&index), ["a", "b"]);
        index.apply(&pod("c", "web"));
        index.begin_list();
        index.apply(&pod("b", "web"));
        assert_eq!(web(&index), ["a", "b", "c"]);
        index.end_list();
        assert_eq!(web(&index), ["b"]);
    }

    #[test]
    fn pods_side_by_side_share_equal_labels_and_no_others() {
        let index = PodIndex::default();
        for pod in [
            pod("web-1", "web"),
            pod("web-3", "web"),
            pod("web-2", "web"),
            pod("web-4", "db"),
        ] {
            index.apply(&pod);
        }
        let shared = |one: &str, other: &str| {
            let namespaces = index.namespaces.read();
            let labels = |name: &str| namespaces["ns"][name].labels.clone();
            labels(one).is_shared_with(&labels(other))
        };
        assert!(shared("web-1", "web-2") && shared("web-2", "web-3"));
        assert!(!shared("web-3", "web-4"));
        // A change of one pod leaves the labels of the others as they are.
        index.apply(&pod("web-2", "db"));
        assert_eq!(web(&index), ["web-1", "web-3"]);
    }
}
