//! The names of the kinds of scale targets in paths: `Deployment` of `apps/v1` is `deployments.apps`.
//!
//! The names come from the discovery of the API server. Until it has answered, and if it does not, the plural
//! is guessed like Kubernetes guesses it, which is right for almost every kind.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kube::Client;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::registry::Registry;
use vas_api::v1alpha1::ScaleTargetRef;
use vas_cluster::{
    read::Reader,
    scale_target::{self, ServedKind},
};

/// Wait before a group that was not served is requested again, and between two checks for new kinds.
const PERIOD: Duration = Duration::from_secs(10);

/// Longest wait for one answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// API version and kind.
type Kind = (String, String);

/// The plurals that discovery gave so far.
#[derive(Debug, Default)]
pub struct ResourceNames {
    plurals: RwLock<BTreeMap<Kind, String>>,
}

impl ResourceNames {
    /// The name of a target's kind in paths: `PLURAL.GROUP`, or `PLURAL` for the core group.
    pub fn of(&self, target: &ScaleTargetRef) -> String {
        let known = self.plurals.read().get(&kind_of(target)).cloned();
        let plural = known.unwrap_or_else(|| guess(&target.kind));
        match target.api_version.split_once('/') {
            Some((group, _)) => format!("{plural}.{group}"),
            None => plural,
        }
    }

    /// Takes in the kinds of one API version, as discovery lists them.
    fn learn(&self, api_version: &str, kinds: Vec<ServedKind>) {
        let mut plurals = self.plurals.write();
        for served in kinds {
            plurals.insert((api_version.to_owned(), served.kind), served.plural);
        }
    }

    /// Looks up the kinds of all targets, for ever. `registry_changed` is notified when there may be new
    /// ones.
    pub async fn follow(
        &self,
        client: Client,
        registry: Arc<Registry>,
        mut registry_changed: watch::Receiver<bool>,
    ) {
        let reader = Reader::new(client, TIME_LIMIT);
        loop {
            for api_version in self.unknown(&registry) {
                match scale_target::kinds(&reader, &api_version).await {
                    Ok(kinds) => self.learn(&api_version, kinds),
                    Err(error) => {
                        tracing::debug!(api_version, %error, "discovery does not say what its kinds are called");
                    }
                }
            }
            tokio::time::sleep(PERIOD).await;
            if self.unknown(&registry).is_empty() && registry_changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// API versions of target kinds whose plural is not known yet.
    fn unknown(&self, registry: &Registry) -> Vec<String> {
        let plurals = self.plurals.read();
        let mut versions: Vec<String> = registry
            .entries()
            .iter()
            .flat_map(|(_, entry)| &entry.metrics)
            .filter(|metric| !plurals.contains_key(&kind_of(&metric.target)))
            .map(|metric| metric.target.api_version.clone())
            .collect();
        versions.sort();
        versions.dedup();
        versions
    }
}

fn kind_of(target: &ScaleTargetRef) -> Kind {
    (target.api_version.clone(), target.kind.clone())
}

/// Guesses the plural of a kind. Source: `UnsafeGuessKindToResource` in `k8s.io/apimachinery/pkg/api/meta`.
fn guess(kind: &str) -> String {
    let kind = kind.to_lowercase();
    if kind.ends_with('s') {
        format!("{kind}es")
    } else if let Some(stem) = kind.strip_suffix('y') {
        format!("{stem}ies")
    } else {
        format!("{kind}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(api_version: &str, kind: &str) -> ScaleTargetRef {
        ScaleTargetRef {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: "n".to_owned(),
        }
    }

    #[test]
    fn plurals_are_guessed_as_kubernetes_guesses_them() {
        let names = ResourceNames::default();
        for (kind, api_version, expected) in [
            ("Deployment", "apps/v1", "deployments.apps"),
            ("ReplicationController", "v1", "replicationcontrollers"),
            ("Policy", "x.io/v1", "policies.x.io"),
            ("Ingress", "x.io/v1", "ingresses.x.io"),
        ] {
            assert_eq!(names.of(&target(api_version, kind)), expected);
        }
    }

    #[test]
    fn what_discovery_says_counts() {
        let names = ResourceNames::default();
        let geese = ServedKind {
            kind: "Goose".to_owned(),
            plural: "geese".to_owned(),
            scalable: true,
        };
        names.learn("farm.io/v1", vec![geese]);
        assert_eq!(names.of(&target("farm.io/v1", "Goose")), "geese.farm.io");
        assert_eq!(names.of(&target("farm.io/v2", "Goose")), "gooses.farm.io");
    }
}
