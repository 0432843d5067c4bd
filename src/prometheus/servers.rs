//! The Prometheus servers that are polled now. A reload of the configuration replaces them; a server whose settings
//! stay keeps its connections.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    BuildError, Client, Settings,
    turns::{Lane, Turn},
};
use crate::core::metrics::promql::{Grouping, Reach, Source, Sources};

/// Queries for shared shapes that one server is asked at once. Prometheus runs 20 queries at once
/// (`--query.max-concurrency`) and lets all others wait, people's too: two replicas leave a few of them free.
const SHARED_AT_ONCE: usize = 5;
/// Authors' own queries that one server is asked at once.
const OWN_AT_ONCE: usize = 3;
const _: () = assert!(
    2 * (SHARED_AT_ONCE + OWN_AT_ONCE) < 20,
    "two replicas take all that Prometheus runs at once"
);

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

/// Where queries wait for their turn. Each server has its own, so that a slow one delays no other; and authors' own
/// queries have others than shared shapes.
struct Places {
    shared: Lane,
    own: Lane,
}

/// All servers by the name resources call them.
pub struct Servers {
    named: ArcSwap<BTreeMap<String, Arc<Server>>>,
    /// How far authors' own queries may reach, on any of them.
    reach: ArcSwap<Reach>,
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            named: ArcSwap::default(),
            reach: ArcSwap::from_pointee(Reach::DEFAULT),
        }
    }
}

impl Places {
    fn new(longest: Duration) -> Self {
        Self {
            shared: Lane::new(SHARED_AT_ONCE, longest),
            own: Lane::new(OWN_AT_ONCE, longest),
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
    pub async fn in_turn<T>(&self, grouping: Grouping, turn: Turn<'_>, ask: impl Future<Output = T>) -> T {
        let lane = match grouping {
            Grouping::Single | Grouping::PodOfOne => &self.places.own,
            Grouping::Pod | Grouping::Namespace => &self.places.shared,
        };
        lane.in_turn(turn, ask).await
    }
}

impl Servers {
    /// A server by its name.
    pub fn get(&self, name: &str) -> Option<Arc<Server>> {
        self.named.load().get(name).cloned()
    }

    /// What planning must know.
    pub fn sources(&self) -> Sources {
        let servers = self.named.load();
        let sources = servers.iter();
        let sources: Sources = sources
            .map(|(name, server)| (name.clone(), server.settings.source.clone()))
            .collect();
        sources.within(**self.reach.load())
    }

    /// Lets authors' own queries reach so far and no further.
    pub fn bound(&self, reach: Reach) {
        self.reach.store(Arc::new(reach));
    }

    /// Makes these the servers, and of those in `kept` what they are now. A server whose settings are the same stays
    /// as it is, connections included; so does one that cannot be built with its new settings, and why is returned
    /// by its name.
    pub fn update(
        &self,
        settings: BTreeMap<String, ServerSettings>,
        kept: &BTreeSet<String>,
    ) -> Vec<(String, BuildError)> {
        let before = self.named.load_full();
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
            let longest = settings.client.limits.timeout;
            let places = old.map_or_else(|| Arc::new(Places::new(longest)), |old| old.places.clone());
            match Server::build(settings, places) {
                Ok(server) => {
                    after.insert(name, Arc::new(server));
                }
                Err(error) => failures.push((name, error)),
            }
        }
        self.named.store(Arc::new(after));
        failures
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, future::BoxFuture};

    use super::*;
    use crate::{
        cluster::clock::SystemClock,
        core::metrics::promql::{Labels, Matchers, Usage},
        prometheus::Limits,
    };

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
                    matchers: Matchers::default(),
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
        let (needed, clock) = (BTreeSet::from(["ns".to_owned()]), Arc::new(SystemClock::new()));
        let ask = |server: Arc<Server>, grouping, poll: BoxFuture<'static, ()>| {
            let (needed, clock) = (needed.clone(), clock.clone());
            async move {
                let turn = Turn {
                    namespaces: &needed,
                    usage: &mut Usage::default(),
                    clock: &*clock,
                };
                server.in_turn(grouping, turn, poll).await;
            }
        };
        for _ in 0..SHARED_AT_ONCE * 2 {
            waiting.spawn(ask(slow.clone(), Grouping::Pod, std::future::pending().boxed()));
        }
        while slow.places.shared.free() > 0 {
            tokio::task::yield_now().await;
        }
        let fast = servers.get("fast").unwrap();
        ask(fast, Grouping::Pod, std::future::ready(()).boxed()).await;
        ask(slow.clone(), Grouping::Single, std::future::ready(()).boxed()).await;
        let turn = ask(slow, Grouping::Pod, std::future::ready(()).boxed());
        assert!(
            tokio::time::timeout(Duration::from_millis(50), turn)
                .await
                .is_err()
        );
    }
}
