//! The pods of one Deployment as the model sees them.

use std::collections::BTreeSet;

/// Pods of one Deployment, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pods {
    /// Pods that exist and are not being deleted.
    pub live: BTreeSet<String>,
    /// Those of them that are Ready: only these take requests and jobs.
    pub ready: BTreeSet<String>,
}

impl Pods {
    /// `count` Ready pods of a Deployment that is played without a cluster.
    pub(crate) fn played(deployment: &str, count: u32) -> Self {
        let names: BTreeSet<String> = (0..count)
            .map(|number| format!("{deployment}-{number:04}"))
            .collect();
        Self {
            live: names.clone(),
            ready: names,
        }
    }
}

#[cfg(test)]
impl Pods {
    /// Pods that are all live and Ready.
    pub(crate) fn all_ready(names: &[&str]) -> Self {
        let names: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
        Self {
            live: names.clone(),
            ready: names,
        }
    }
}
