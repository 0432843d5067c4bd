//! The labels that every series of a Prometheus has.

use super::{LabelName, Matchers, ReservedLabel};

/// The label that Prometheus adds to all series that it scrapes: host and port of the target.
pub(super) const INSTANCE: &str = "instance";

/// The labels of the series in one Prometheus: the labels that hold namespace and pod, and the matchers that
/// select the series of this cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels {
    /// Name of the label that holds the namespace.
    pub namespace: LabelName,
    /// Name of the label that holds the pod's name.
    pub pod: LabelName,
    /// Matchers that are added to every selector.
    pub matchers: Matchers,
}

impl Labels {
    /// Puts labels and matchers together, after a check that the matchers are about other labels.
    ///
    /// # Errors
    /// When a matcher is about the label of the namespace or of the pod, or about the metric's name.
    pub fn new(namespace: LabelName, pod: LabelName, matchers: Matchers) -> Result<Self, ReservedLabel> {
        match matchers.reserved(&namespace, &pod) {
            Some(label) => Err(ReservedLabel(label.clone())),
            None => Ok(Self {
                namespace,
                pod,
                matchers,
            }),
        }
    }

    /// The labels and values that every selector must match for a resource in `namespace`. `None` binds to no
    /// namespace: only the matchers of the server remain.
    pub(super) fn bound_to<'a>(&'a self, namespace: Option<&'a str>) -> Vec<(&'a LabelName, &'a str)> {
        let namespace = namespace.map(|namespace| (&self.namespace, namespace));
        self.matchers.iter().chain(namespace).collect()
    }
}
