//! The names of the kinds of scale targets in paths: `Deployment` of `apps/v1` is `deployments.apps`.
//!
//! The names come from the discovery of the API server. Until it has answered, and if it does not, the plural
//! is guessed like Kubernetes guesses it, which is right for almost every kind.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, stream};
use kube::Client;
use parking_lot::RwLock;
use tokio::sync::watch;

use super::registry::Registry;
use vas_api::v1alpha1::ScaleTargetRef;
use vas_cluster::{clock::Clock, kinds::Kinds, read::Reader};
use vas_core::k8s::api_version;

/// Time between two tries to find the plurals that are not known yet.
const PERIOD: Duration = Duration::from_secs(10);

/// Longest wait for one answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Most requests at the same time.
const AT_ONCE: usize = 16;

/// API version and kind.
type Kind = (String, String);

/// The plurals that discovery gave so far, of kinds that targets have.
#[derive(Debug, Default)]
pub struct ResourceNames {
    plurals: RwLock<BTreeMap<Kind, String>>,
}

impl ResourceNames {
    /// The name of a target's kind in paths: `PLURAL.GROUP`, or `PLURAL` for the core group.
    pub fn of(&self, target: &ScaleTargetRef) -> String {
        let known = self.plurals.read().get(&kind_of(target)).cloned();
        let plural = known.unwrap_or_else(|| guess(&target.kind));
        match api_version::group(&target.api_version) {
            "" => plural,
            group => format!("{plural}.{group}"),
        }
    }

    /// Looks up the kinds of all targets, for ever. `registry_changed` is notified when there may be new
    /// ones.
    pub async fn follow(
        &self,
        client: Client,
        clock: Arc<dyn Clock>,
        registry: Arc<Registry>,
        mut registry_changed: watch::Receiver<bool>,
    ) {
        let kinds = Kinds::new(Reader::new(client, TIME_LIMIT), clock);
        loop {
            self.look_up(&kinds, self.unknown(&registry)).await;
            tokio::time::sleep(PERIOD).await;
            if self.unknown(&registry).is_empty() && registry_changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Finds the plurals of kinds, for several API versions at the same time: an aggregated API server that
    /// hangs must not delay the kinds of others.
    async fn look_up(&self, kinds: &Kinds, unknown: BTreeMap<String, BTreeSet<String>>) {
        let versions = unknown.into_iter().map(|(api_version, named)| async move {
            for kind in named {
                match kinds.find(&api_version, &kind, |_| true).await {
                    Ok(Some(served)) => {
                        let kind = (api_version.clone(), kind);
                        self.plurals.write().insert(kind, served.plural);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::debug!(api_version, %error, "discovery does not say what its kinds are called");
                        return;
                    }
                }
            }
        });
        stream::iter(versions)
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
    }

    /// Kinds of targets whose plural is not known yet, by API version. Plurals of kinds that no target has any more
    /// are forgotten.
    fn unknown(&self, registry: &Registry) -> BTreeMap<String, BTreeSet<String>> {
        let entries = registry.entries();
        let metrics = entries.iter().flat_map(|(_, entry)| &entry.metrics);
        let named: BTreeSet<Kind> = metrics.map(|metric| kind_of(&metric.target)).collect();
        let mut plurals = self.plurals.write();
        plurals.retain(|kind, _| named.contains(kind));
        let mut unknown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (api_version, kind) in named.into_iter().filter(|kind| !plurals.contains_key(kind)) {
            unknown.entry(api_version).or_default().insert(kind);
        }
        unknown
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
    use axum::{Json, Router, http::Uri};
    use serde_json::{Value, json};

    use super::*;
    use vas_cluster::clock::SystemClock;
    use vas_core::metrics::promql::Sources;

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
        let goose = target("farm.io/v1", "Goose");
        names.plurals.write().insert(kind_of(&goose), "geese".to_owned());
        assert_eq!(names.of(&goose), "geese.farm.io");
        assert_eq!(names.of(&target("farm.io/v2", "Goose")), "gooses.farm.io");
    }

    /// A registry in which somebody names a thousand API versions that nobody serves, and somebody else geese.
    fn registry() -> Arc<Registry> {
        let registry = Registry::new(Sources::default());
        let targets = (0..1000).map(|number| (format!("invented{number}.io/v1"), "Thing"));
        for (number, (api_version, kind)) in targets.chain([("farm.io/v1".to_owned(), "Goose")]).enumerate() {
            registry.apply(
                &serde_json::from_value(json!({
                    "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
                    "metadata": {"namespace": "ns", "name": format!("s{number}"), "uid": "1", "generation": 1},
                    "spec": {"workloads": [{
                        "name": "worker", "maxReplicas": 5,
                        "scaleTargetRef": {"apiVersion": api_version, "kind": kind, "name": "n"},
                        "metrics": [{"name": "depth", "queueDepth": {"gauge": "g", "target": {"averageValue": "50"}}}],
                    }]},
                }))
                .unwrap(),
            );
        }
        Arc::new(registry)
    }

    #[tokio::test]
    async fn a_thousand_invented_api_versions_cost_one_request_and_nobody_waits_for_them() {
        let requests = Arc::<parking_lot::Mutex<Vec<String>>>::default();
        let (seen, registry) = (requests.clone(), registry());
        let answer = move |uri: Uri| {
            seen.lock().push(uri.path().to_owned());
            let version = json!({"groupVersion": "farm.io/v1", "version": "v1"});
            let goose = json!({"name": "geese", "kind": "Goose", "namespaced": true, "singularName": "", "verbs": []});
            let answer: Value = match uri.path() {
                "/apis" => json!({"groups": [{"name": "farm.io", "versions": [version]}]}),
                _ => json!({"groupVersion": "farm.io/v1", "resources": [goose]}),
            };
            async { Json(answer) }
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap();
        let names = Arc::<ResourceNames>::default();
        let goose = target("farm.io/v1", "Goose");
        let (_changed, changes) = watch::channel(true);
        let (followed, clock) = (names.clone(), Arc::new(SystemClock::new()));
        let following = tokio::spawn(async move { followed.follow(client, clock, registry, changes).await });
        while names.of(&goose) != "geese.farm.io" {
            tokio::task::yield_now().await;
        }
        following.abort();
        assert_eq!(*requests.lock(), ["/apis", "/apis/farm.io/v1"]);
    }
}
