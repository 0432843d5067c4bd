//! Finds out by discovery how the API server serves the kinds of targets.
//!
//! Invariant: a resource can name any API version, so neither memory nor requests grow with the names. Only
//! versions that the cluster serves are kept, at most [`REMEMBERED`] of them. All versions that it does not
//! serve cost one request per [`LOOK_AGAIN`] together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroupList;
use kube::core::ApiResource;
use parking_lot::Mutex;

use vas_api::{condition::reason, v1alpha1::ScaleTargetRef};
use vas_cluster::{
    clock::Clock,
    read::{ReadError, Reader},
    scale_target::{self, ServedKind},
};

/// Time after which a kind or version that was not found is looked up again: its CRD may have been installed
/// since.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Most API versions that are remembered. Beyond it, the version that was read longest ago is forgotten.
const REMEMBERED: usize = 128;
/// The only version of the core group.
const CORE: &str = "v1";

/// The answers of discovery so far.
pub(super) struct Kinds {
    reader: Reader,
    clock: Arc<dyn Clock>,
    /// The versions of all groups, and when they were read. The lock is held during the request, so that many
    /// reconciles with unknown versions send one request and share its answer.
    versions: tokio::sync::Mutex<Option<(Duration, BTreeSet<String>)>>,
    known: Mutex<Known>,
}

/// The kinds of each version, and when they were read, on the monotonic clock.
#[derive(Default)]
struct Known(BTreeMap<String, (Duration, Vec<ServedKind>)>);

/// How the API server serves the kind of a target.
pub(super) enum Kind {
    Scalable(ApiResource),
    Unusable { reason: &'static str, message: String },
}

impl Kinds {
    pub(super) fn new(reader: Reader, clock: Arc<dyn Clock>) -> Self {
        Self {
            reader,
            clock,
            versions: tokio::sync::Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// How the API server serves the kind of a target.
    pub(super) async fn find(&self, target: &ScaleTargetRef) -> Result<Kind, ReadError> {
        let version = &target.api_version;
        if let Some((at, kinds)) = self.known.lock().0.get(version) {
            let kind = kind_in(kinds, target);
            // A kind that was found stays found. Only an answer that is not usable is read again when it gets
            // old.
            if self.is_fresh(*at) || matches!(kind, Kind::Scalable(_)) {
                return Ok(kind);
            }
        }
        if !self.is_served(version).await? {
            return Ok(kind_in(&[], target));
        }
        let kinds = match scale_target::kinds(&self.reader, version).await {
            Err(error) if error.is_not_found() => Vec::new(),
            read => read?,
        };
        let kind = kind_in(&kinds, target);
        self.known.lock().remember(version, self.clock.monotonic(), kinds);
        Ok(kind)
    }

    /// Whether the cluster serves this API version at all. Asked before the kinds of the version, so that a
    /// made-up version costs no request of its own and no memory.
    async fn is_served(&self, version: &str) -> Result<bool, ReadError> {
        if version == CORE {
            return Ok(true);
        }
        let mut known = self.versions.lock().await;
        if let Some((at, versions)) = known.as_ref()
            && (versions.contains(version) || self.is_fresh(*at))
        {
            return Ok(versions.contains(version));
        }
        let versions = versions(self.reader.get("/apis").await?);
        let served = versions.contains(version);
        *known = Some((self.clock.monotonic(), versions));
        Ok(served)
    }

    fn is_fresh(&self, at: Duration) -> bool {
        self.clock.monotonic().saturating_sub(at) < LOOK_AGAIN
    }
}

impl Known {
    fn remember(&mut self, version: &str, at: Duration, kinds: Vec<ServedKind>) {
        self.0.insert(version.to_owned(), (at, kinds));
        while self.0.len() > REMEMBERED {
            let oldest = self.0.iter().min_by_key(|(_, (at, _))| *at);
            let Some(version) = oldest.map(|(version, _)| version.clone()) else {
                return;
            };
            self.0.remove(&version);
        }
    }
}

fn versions(groups: APIGroupList) -> BTreeSet<String> {
    let versions = groups.groups.into_iter().flat_map(|group| group.versions);
    versions.map(|version| version.group_version).collect()
}

fn kind_in(kinds: &[ServedKind], target: &ScaleTargetRef) -> Kind {
    let Some(served) = ServedKind::find(kinds, &target.kind) else {
        return Kind::Unusable {
            reason: reason::NOT_FOUND,
            message: format!(
                "the cluster serves no kind {} in {}",
                target.kind, target.api_version
            ),
        };
    };
    if !served.scalable {
        return Kind::Unusable {
            reason: reason::NOT_SCALABLE,
            message: format!(
                "{} of {} has no scale subresource; target the object that manages the pods, such as a Deployment",
                target.kind, target.api_version
            ),
        };
    }
    Kind::Scalable(served.resource(&target.api_version))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{Json, Router, http::Uri};
    use kube::Client;
    use serde_json::{Value, json};

    use super::*;
    use vas_cluster::clock::SystemClock;

    fn target(api_version: &str, kind: &str) -> ScaleTargetRef {
        ScaleTargetRef {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: "x".to_owned(),
        }
    }

    fn list() -> Value {
        let resource = |name: &str, kind: &str, namespaced: bool| json!({"name": name, "kind": kind, "namespaced": namespaced, "singularName": "", "verbs": []});
        json!({"groupVersion": "apps/v1", "resources": [
            resource("deployments", "Deployment", true),
            resource("deployments/scale", "Scale", true),
            resource("daemonsets", "DaemonSet", true),
            resource("things", "Thing", false),
            resource("things/scale", "Scale", false),
        ]})
    }

    fn verdict(kind: &str) -> String {
        let kinds = scale_target::served(&serde_json::from_value(list()).unwrap());
        match kind_in(&kinds, &target("apps/v1", kind)) {
            Kind::Scalable(resource) => format!("{} in {}", resource.plural, resource.api_version),
            Kind::Unusable { reason, .. } => reason.to_owned(),
        }
    }

    #[test]
    fn kinds_are_told_apart_by_discovery() {
        assert_eq!(verdict("Deployment"), "deployments in apps/v1");
        assert_eq!(verdict("DaemonSet"), reason::NOT_SCALABLE);
        assert_eq!(verdict("Thing"), reason::NOT_SCALABLE);
        assert_eq!(verdict("Nothing"), reason::NOT_FOUND);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut known = Known::default();
        for number in 0..1000 {
            known.remember(&format!("g{number}/v1"), Duration::from_secs(number), Vec::new());
        }
        assert_eq!(known.0.len(), REMEMBERED);
        assert!(known.0.contains_key("g999/v1"));
    }

    #[tokio::test]
    async fn a_thousand_invented_api_versions_cost_one_request_and_no_memory() {
        static REQUESTS: AtomicUsize = AtomicUsize::new(0);
        async fn answer(uri: Uri) -> Json<Value> {
            REQUESTS.fetch_add(1, Ordering::Relaxed);
            let version = json!({"groupVersion": "apps/v1", "version": "v1"});
            Json(match uri.path() {
                "/apis" => json!({"groups": [{"name": "apps", "versions": [version]}]}),
                _ => list(),
            })
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        let client = Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap();
        let reader = Reader::new(client, Duration::from_secs(60));
        let kinds = Kinds::new(reader, Arc::new(SystemClock::new()));
        for number in 0..1000 {
            let kind = kinds
                .find(&target(&format!("invented{number}.io/v1"), "Thing"))
                .await;
            assert!(matches!(kind.unwrap(), Kind::Unusable { .. }));
        }
        assert_eq!(REQUESTS.load(Ordering::Relaxed), 1);
        assert!(kinds.known.lock().0.is_empty());
        let kind = kinds.find(&target("apps/v1", "Deployment")).await.unwrap();
        assert!(matches!(kind, Kind::Scalable(_)));
        assert_eq!(REQUESTS.load(Ordering::Relaxed), 2);
    }
}
