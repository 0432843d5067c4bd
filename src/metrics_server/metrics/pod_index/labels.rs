//! The labels of a pod in one allocation, which pods with equal labels can share.
//!
//! A cluster may have tens of thousands of pods whose metrics no HPA reads. A map of strings for each pod
//! would be most of this server's memory.

use std::{collections::BTreeMap, sync::Arc};

/// Ends a label; neither keys nor values of labels may contain it.
const END: char = '\n';
/// Separates a key from its value; no key may contain it.
const IS: char = '=';

/// Labels of a pod; a clone shares the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Labels(Arc<str>);

impl Default for Labels {
    fn default() -> Self {
        Self("".into())
    }
}

impl Labels {
    pub(super) fn new(labels: &BTreeMap<String, String>) -> Self {
        let length = labels.iter().map(|(key, value)| key.len() + value.len() + 2);
        let mut text = String::with_capacity(length.sum());
        for (key, value) in labels {
            text.push_str(key);
            text.push(IS);
            text.push_str(value);
            text.push(END);
        }
        Self(text.into())
    }

    /// The value of the label `key`.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0
            .split_terminator(END)
            .find_map(|label| label.strip_prefix(key)?.strip_prefix(IS))
    }

    /// Whether both are the same allocation.
    #[cfg(test)]
    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(of: &[(&str, &str)]) -> Labels {
        let owned = of
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Labels::new(&owned.collect())
    }

    #[test]
    fn a_value_is_found_by_its_whole_key() {
        let labels = labels(&[("app", "web"), ("app.kubernetes.io/name", "api"), ("empty", "")]);
        assert_eq!(labels.get("app"), Some("web"));
        assert_eq!(labels.get("app.kubernetes.io/name"), Some("api"));
        assert_eq!(labels.get("empty"), Some(""));
        for absent in ["ap", "app.kubernetes.io", "web", "name", ""] {
            assert_eq!(labels.get(absent), None, "{absent:?}");
        }
    }

    #[test]
    fn a_pod_without_labels_has_none() {
        assert_eq!(labels(&[]).get("app"), None);
        assert_eq!(labels(&[]).get(""), None);
    }
}
