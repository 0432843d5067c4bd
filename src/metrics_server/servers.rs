//! The Prometheus servers that are polled now. A reload of the configuration replaces them; a server whose settings
//! stay keeps its connections.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::{
    core::promql::{Grouping, Source, Sources},
    prometheus::{BuildError, Client, Settings},
};

/// Polls of shared shapes that one server is asked at once.
const SHARED_AT_ONCE: usize = 32;
/// Polls of authors' own queries that one server is asked at once.
const OWN_AT_ONCE: usize = 16;

/// How one server is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// How it is reached.
    pub client: Settings,
    /// Time between polls of each query.
    pub poll_interval: Duration,
    /// What planning must know of it.
    pub source: Source,
}

/// One server.
pub struct Server {
    /// Asks it.
    pub client: Client,
    settings: ServerSettings,
    places: Arc<Places>,
}

/// Where polls wait for their turn. Each server has its own, so that a slow one delays no other; and authors' own
/// queries have others than shared shapes.
struct Places {
    shared: Semaphore,
    own: Semaphore,
}

/// All servers by the name resources call them.
#[derive(Default)]
pub struct Servers(ArcSwap<BTreeMap<String, Arc<Server>>>);

impl Default for Places {
    fn default() -> Self {
        Self {
            shared: Semaphore::new(SHARED_AT_ONCE),
            own: Semaphore::new(OWN_AT_ONCE),
        }
    }
}

impl Server {
    fn build(settings: ServerSettings, places: Arc<Places>) -> Result<Self, BuildError> {
        Ok(Self {
            client: Client::build(&settings.client)?,
            settings,
            places,
        })
    }

    /// Time between polls of each query.
    pub fn poll_interval(&self) -> Duration {
        self.settings.poll_interval
    }

    /// Waits for a place and asks from there.
    pub async fn in_turn<T>(&self, grouping: Grouping, poll: impl Future<Output = T>) -> T {
        let places = match grouping {
            Grouping::Single => &self.places.own,
            Grouping::Pod | Grouping::Namespace => &self.places.shared,
        };
        // The semaphore is never closed.
        let _place = places.acquire().await;
        poll.await
    }
}

impl Servers {
    /// A server by its name.
    pub fn get(&self, name: &str) -> Option<Arc<Server>> {
        self.0.load().get(name).cloned()
    }

    /// What planning must know.
    pub fn sources(&self) -> Sources {
        let servers = self.0.load();
        let sources = servers.iter();
        sources
            .map(|(name, server)| (name.clone(), server.settings.source.clone()))
            .collect()
    }

    /// Makes these the servers, and of those in `kept` what they are now. A server whose settings are the same stays
    /// as it is, connections included; so does one that cannot be built with its new settings, and why is returned
    /// by its name.
    pub fn update(
        &self,
        settings: BTreeMap<String, ServerSettings>,
        kept: &BTreeSet<String>,
    ) -> Vec<(String, BuildError)> {
        let before = self.0.load_full();
        let mut after: BTreeMap<_, _> = before
            .iter()
            .map(|(name, server)| (name.clone(), server.clone()))
            .collect();
        after.retain(|name, _| settings.contains_key(name) || kept.contains(name));
        let mut failures = Vec::new();
        for (name, settings) in settings {
            let old = before.get(&name);
            if old.is_some_and(|old| old.settings == settings) {
                continue;
            }
            let places = old.map(|old| old.places.clone()).unwrap_or_default();
            match Server::build(settings, places) {
                Ok(server) => {
                    after.insert(name, Arc::new(server));
                }
                Err(error) => failures.push((name, error)),
            }
        }
        self.0.store(Arc::new(after));
        failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{core::promql::Labels, prometheus::Limits};

    fn settings(url: &str) -> ServerSettings {
        let limits = Limits {
            timeout: Duration::from_secs(1),
            response_size: 1000,
        };
        ServerSettings {
            client: Settings::plain(url, limits),
            poll_interval: Duration::from_secs(5),
            source: Source {
                labels: Labels {
                    namespace: "namespace".parse().unwrap(),
                    pod: "pod".parse().unwrap(),
                },
                bind_queries: true,
            },
        }
    }

    fn named(servers: &[(&str, &str)]) -> BTreeMap<String, ServerSettings> {
        let servers = servers.iter();
        servers
            .map(|(name, url)| ((*name).to_owned(), settings(url)))
            .collect()
    }

    #[test]
    fn only_what_changed_is_built_anew_and_what_cannot_be_built_stays() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let servers = Servers::default();
        let none = BTreeSet::new();
        let first = named(&[
            ("a", "http://a"),
            ("b", "http://b"),
            ("c", "http://c"),
            ("d", "http://d"),
        ]);
        assert!(servers.update(first, &none).is_empty());
        let before = ["a", "b", "c", "d"].map(|name| servers.get(name).unwrap());
        let kept = BTreeSet::from(["d".to_owned()]);
        let second = named(&[("a", "http://a"), ("b", "http://other"), ("c", "ftp://c")]);
        let failures = servers.update(second, &kept);
        assert_eq!(
            failures.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["c"]
        );
        let same = ["a", "b", "c", "d"].map(|name| servers.get(name).unwrap());
        let same: Vec<bool> = before
            .iter()
            .zip(&same)
            .map(|(old, new)| Arc::ptr_eq(old, new))
            .collect();
        assert_eq!(same, [true, false, true, true]);
        assert!(Arc::ptr_eq(&before[1].places, &servers.get("b").unwrap().places));
        servers.update(BTreeMap::new(), &none);
        assert!(servers.get("a").is_none());
    }

    #[tokio::test]
    async fn a_server_whose_places_are_all_taken_delays_no_other() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let servers = Servers::default();
        servers.update(
            named(&[("slow", "http://a"), ("fast", "http://b")]),
            &BTreeSet::new(),
        );
        let slow = servers.get("slow").unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..SHARED_AT_ONCE * 2 {
            let slow = slow.clone();
            waiting.spawn(async move { slow.in_turn(Grouping::Pod, std::future::pending::<()>()).await });
        }
        while slow.places.shared.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let fast = servers.get("fast").unwrap();
        assert_eq!(fast.in_turn(Grouping::Pod, async { 1 }).await, 1);
        assert_eq!(slow.in_turn(Grouping::Single, async { 2 }).await, 2);
        let turn = tokio::time::timeout(Duration::from_millis(50), slow.in_turn(Grouping::Pod, async {}));
        assert!(turn.await.is_err());
    }
}
