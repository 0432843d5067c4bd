//! A fake Prometheus that knows a cluster of many pods. It never answers queries of a chosen kind.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router, body::Bytes, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::post,
};

use crate::tenants::{ENDLESS, INNOCENT, LARGE, namespace};

/// The server. It runs until the program ends.
pub(crate) struct Prometheus {
    port: u16,
    state: Arc<Known>,
}

struct Known {
    /// Number of namespaces in large answers, with their pods.
    tenants: usize,
    pods: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Moments at which each metric of the innocent tenant was queried.
    polls: BTreeMap<&'static str, Vec<Instant>>,
    at_once: usize,
    most_at_once: usize,
}

/// The polls of the innocent tenant's metrics.
pub(crate) struct Polls {
    /// Median time between two polls of one metric.
    pub median: Duration,
    /// The longest time without a poll of one metric.
    pub longest: Duration,
}

impl Prometheus {
    pub(crate) async fn start(tenants: usize, pods: usize) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(Known {
            tenants,
            pods,
            seen: Mutex::default(),
        });
        let app = Router::new()
            .route("/api/v1/query", post(query))
            .with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Forgets all queries so far.
    pub(crate) fn forget(&self) {
        *self.seen() = Seen::default();
    }

    /// Whether every metric of the innocent tenant was queried.
    pub(crate) fn all_polled(&self) -> bool {
        self.seen().polls.len() == INNOCENT.len()
    }

    /// Moment of the latest first poll of these metrics.
    pub(crate) fn first_polled(&self) -> Instant {
        let seen = self.seen();
        let firsts = seen.polls.values().filter_map(|polls| polls.first());
        *firsts.max().expect("all are polled")
    }

    /// Most queries that were in flight at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.seen().most_at_once
    }

    /// The polls of the innocent tenant's metrics between two moments.
    pub(crate) fn polls(&self, begin: Instant, end: Instant) -> Polls {
        let seen = self.seen();
        let mut intervals = Vec::new();
        let mut longest = Duration::ZERO;
        for polls in seen.polls.values() {
            let within = polls.iter().copied().filter(|poll| (begin..end).contains(poll));
            let moments: Vec<Instant> = within.collect();
            intervals.extend(moments.windows(2).map(|pair| pair[1] - pair[0]));
            let bounds: Vec<Instant> = [begin].into_iter().chain(moments).chain([end]).collect();
            longest = bounds
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .chain([longest])
                .max()
                .expect("one");
        }
        intervals.sort_unstable();
        Polls {
            median: intervals.get(intervals.len() / 2).copied().unwrap_or(end - begin),
            longest,
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.state.seen.lock().expect("nobody panics with it")
    }
}

/// Counts a query while it is answered, or until its client gives up.
struct AtOnce(Arc<Known>);

impl AtOnce {
    fn begin(known: Arc<Known>) -> Self {
        let mut seen = known.seen.lock().expect("nobody panics with it");
        seen.at_once += 1;
        seen.most_at_once = seen.most_at_once.max(seen.at_once);
        drop(seen);
        Self(known)
    }
}

impl Drop for AtOnce {
    fn drop(&mut self) {
        let mut seen = self.0.seen.lock().expect("nobody panics with it");
        seen.at_once = seen.at_once.saturating_sub(1);
    }
}

async fn query(State(known): State<Arc<Known>>, body: String) -> impl IntoResponse {
    let _counted = AtOnce::begin(known.clone());
    let asks_times = body.contains("timestamp");
    if let Some(metric) = INNOCENT.into_iter().find(|metric| body.contains(metric))
        && !asks_times
    {
        let mut seen = known.seen.lock().expect("nobody panics with it");
        seen.polls.entry(metric).or_default().push(Instant::now());
    }
    if body.contains(ENDLESS) {
        std::future::pending::<()>().await;
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs_f64();
    let value = if asks_times {
        format!("{now:.3}")
    } else {
        "7".to_owned()
    };
    let mut text = String::from(r#"{"status":"success","data":{"resultType":"vector","result":["#);
    if body.contains(LARGE) {
        for pod in 0..known.pods {
            let comma = if pod == 0 { "" } else { "," };
            let namespace = namespace(pod % known.tenants.max(1));
            let _ = write!(
                text,
                r#"{comma}{{"metric":{{"namespace":"{namespace}","pod":"gateway-7d4b9c6f5-{pod:05}"}},"value":[{now:.3},"{value}"]}}"#
            );
        }
    } else {
        let _ = write!(
            text,
            r#"{{"metric":{{"namespace":"innocent","pod":"p"}},"value":[{now:.3},"{value}"]}}"#
        );
    }
    text += "]}}";
    ([(CONTENT_TYPE, "application/json")], Bytes::from(text))
}
