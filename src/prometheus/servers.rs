//! The Prometheus servers that are polled now. A reload of the configuration replaces them; a server with
//! unchanged settings keeps its connections.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;

use crate::{
    BuildError, Client, ClientSettings,
    turns::{Lane, Turn},
};
use vas_core::metrics::promql::{Grouping, Reach, Source, Sources};

/// Queries for shared shapes that run at one server at the same time. Prometheus runs 20 queries at once
/// (`--query.max-concurrency`); all others wait, also those of people. So two replicas together must leave a
/// few free.
const SHARED_AT_ONCE: usize = 5;
/// Authors' own queries that run at one server at the same time.
const OWN_AT_ONCE: usize = 3;
const _: () = assert!(
    2 * (SHARED_AT_ONCE + OWN_AT_ONCE) < 20,
    "two replicas take all that Prometheus runs at once"
);

/// The settings of one server.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// How the server is reached: URL, TLS, credentials and limits.
    pub client: ClientSettings,
    /// Time between polls of each query.
    pub poll_interval: Duration,
    /// The labels and matchers of the server, which queries are planned with.
    pub source: Source,
}

/// A server that is polled.
pub struct Server {
    /// Sends queries to the server.
    pub client: Client,
    settings: ServerSettings,
    lanes: Arc<Lanes>,
}

/// The lanes in which queries wait for their turn. Each server has lanes of its own, so that a slow server
/// delays no other. Authors' own queries have another lane than shared shapes.
struct Lanes {
    shared: Lane,
    own: Lane,
}

/// All servers, by the name that resources use.
pub struct Servers {
    named: ArcSwap<BTreeMap<String, Arc<Server>>>,
    /// Limits on ranges and subquery steps of authors' own queries, on any server.
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

impl Lanes {
    fn new(longest: Duration) -> Self {
        Self {
            shared: Lane::new(SHARED_AT_ONCE, longest),
            own: Lane::new(OWN_AT_ONCE, longest),
        }
    }
}

impl Server {
    fn build(settings: ServerSettings, lanes: Arc<Lanes>) -> Result<Self, BuildError> {
        Ok(Self {
            client: Client::build(&settings.client)?,
            settings,
            lanes,
        })
    }

    /// Time between two polls of each query.
    pub fn poll_interval(&self) -> Duration {
        self.settings.poll_interval
    }

    /// Waits for a place in the lane of `grouping`, and then runs `ask`.
    pub async fn in_turn<T>(&self, grouping: Grouping, turn: Turn<'_>, ask: impl Future<Output = T>) -> T {
        let lane = match grouping {
            Grouping::Single | Grouping::PodOfOne => &self.lanes.own,
            Grouping::Pod | Grouping::Namespace => &self.lanes.shared,
        };
        lane.in_turn(turn, ask).await
    }
}

impl Servers {
    /// A server by its name.
    pub fn get(&self, name: &str) -> Option<Arc<Server>> {
        self.named.load().get(name).cloned()
    }

    /// The data that queries are planned with: the sources of all servers, and the reach.
    pub fn sources(&self) -> Sources {
        let servers = self.named.load();
        let sources = servers.iter();
        let sources: Sources = sources
            .map(|(name, server)| (name.clone(), server.settings.source.clone()))
            .collect();
        sources.within(**self.reach.load())
    }

    /// Sets the limits on ranges and subquery steps of authors' own queries.
    pub fn bound(&self, reach: Reach) {
        self.reach.store(Arc::new(reach));
    }

    /// Replaces the servers by those of `settings`. A server with the same settings stays as it is,
    /// connections included. A server in `kept` without settings stays too, and so does one that cannot be
    /// built with its new settings. Returns the names of the latter, each with the error.
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
            // A server whose settings are the same keeps its client, and with it its open connections.
            let old = before.get(&name);
            if old.is_some_and(|old| old.settings == settings) {
                continue;
            }
            let longest = settings.client.limits.timeout;
            // A server with new settings keeps its lanes, so that queries in flight still count.
            let lanes = old.map_or_else(|| Arc::new(Lanes::new(longest)), |old| old.lanes.clone());
            match Server::build(settings, lanes) {
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
    use crate::Limits;
    use vas_cluster::clock::SystemClock;
    use vas_core::metrics::promql::{Labels, Matchers, Usage};

    fn settings(url: &str) -> ServerSettings {
        let limits = Limits {
            timeout: Duration::from_secs(1),
            response_size: 1000,
        };
        ServerSettings {
            client: ClientSettings::plain(url, limits),
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
        assert!(Arc::ptr_eq(&before[1].lanes, &servers.get("b").unwrap().lanes));
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
        while slow.lanes.shared.free() > 0 {
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
