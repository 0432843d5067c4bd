use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{Json, Router, extract::State, routing::post};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::clock::SystemClock;
use vas_core::{
    metrics::promql::{Labels, Matchers, Source},
    spec::model::ScalingKey,
};
use vas_prometheus::{ClientSettings, Limits, servers::ServerSettings};

/// Most shapes of a namespace.
const LIMIT: usize = 110;

/// A Prometheus that answers at once, with one series, or with those of 1,000 pods if the query is for `flood`. There
/// are three exceptions. It never answers a query for the metric `slow`,
/// nor a query about the past of `crowd`. It answers one for `mixed` only if the query leaves out the
/// namespace `bad`.
#[derive(Default)]
struct Prometheus {
    fast: AtomicUsize,
    slow: AtomicUsize,
    /// For each query for `crowd`, whether it was about the past.
    crowd: Mutex<Vec<bool>>,
}

/// Namespaces whose names together are too long for two queries.
fn crowd() -> impl Iterator<Item = String> {
    (0..400).map(|n| format!("{n:a>60}"))
}

async fn query(State(prometheus): State<Arc<Prometheus>>, body: String) -> Json<Value> {
    if body.contains("slow") {
        prometheus.slow.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
    if body.contains("crowd") {
        let is_of_past = body.contains("ms%3A");
        prometheus.crowd.lock().push(is_of_past);
        if is_of_past {
            std::future::pending::<()>().await;
        }
        let items = crowd()
            .map(|namespace| json!({"metric": {"namespace": namespace, "pod": "p"}, "value": [100.0, "99"]}));
        let items: Vec<Value> = items.collect();
        return Json(json!({"status": "success", "data": {"resultType": "vector", "result": items}}));
    }
    prometheus.fast.fetch_add(1, Ordering::Relaxed);
    let is_of_some = body.contains("namespace%3D%7E") || body.contains("namespace%3D~");
    if body.contains("mixed") && (!is_of_some || body.contains("bad")) {
        let words = "PromQL warning: encountered a mix of histograms and floats for aggregation (1:1)";
        let empty = json!({"resultType": "vector", "result": []});
        return Json(json!({"status": "success", "data": empty, "warnings": [words]}));
    }
    if body.contains("flood") {
        let items = (0..1000).map(|pod| {
            let labels = json!({"namespace": "ns", "pod": format!("pod-{pod:03}")});
            json!({"metric": labels, "value": [100.0, "99"]})
        });
        let items: Vec<Value> = items.collect();
        return Json(json!({"status": "success", "data": {"resultType": "vector", "result": items}}));
    }
    let item = json!({"metric": {"namespace": "ns"}, "value": [100.0, "7"]});
    Json(json!({"status": "success", "data": {"resultType": "vector", "result": [item]}}))
}

struct Fixture {
    prometheus: Arc<Prometheus>,
    registry: Arc<Registry>,
    store: Arc<Store>,
    pods: Arc<PodIndex>,
    changed: watch::Sender<bool>,
    stop: CancellationToken,
}

async fn fixture() -> Fixture {
    fixture_with(Duration::from_secs(600), Duration::from_millis(20)).await
}

async fn fixture_with(timeout: Duration, poll_interval: Duration) -> Fixture {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let prometheus = Arc::new(Prometheus::default());
    let app = Router::new()
        .route("/api/v1/query", post(query))
        .with_state(Arc::clone(&prometheus));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let limits = Limits {
        timeout,
        response_size: 1 << 20,
    };
    let source = Source {
        labels: Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        bind_queries: true,
    };
    let settings = ServerSettings {
        client: ClientSettings::plain(&format!("http://{address}"), limits),
        poll_interval,
        source,
    };
    let servers = Arc::<Servers>::default();
    let failures = servers.update(
        BTreeMap::from([("default".to_owned(), settings)]),
        &BTreeSet::new(),
    );
    assert!(failures.is_empty());
    let registry = Arc::new(Registry::new(servers.sources()));
    let store = Arc::<Store>::default();
    let pods = Arc::<PodIndex>::default();
    let (changed, seen) = watch::channel(false);
    let stop = CancellationToken::new();
    let poller = Poller {
        servers,
        registry: registry.clone(),
        store: store.clone(),
        pods: pods.clone(),
        limits: ShapeLimits {
            per_namespace: LIMIT,
            in_all: 1000,
        },
        telemetry: Arc::new(Telemetry::new(
            &mut prometheus_client::registry::Registry::default(),
        )),
        clock: Arc::new(SystemClock::new()),
    };
    tokio::spawn(poller.run(seen, stop.clone()));
    Fixture {
        prometheus,
        registry,
        store,
        pods,
        changed,
        stop,
    }
}

fn scaling(namespace: &str, name: &str, gauge: &str) -> VoiceAssistScaling {
    serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"namespace": namespace, "name": name, "uid": "1", "generation": 1},
        "spec": {"workloads": [{
            "name": "worker",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
            "maxReplicas": 5,
            "metrics": [{"name": "depth",
                "queueDepth": {"gauge": gauge, "target": {"averageValue": "50"}}}],
        }]},
    }))
    .unwrap()
}

impl Fixture {
    fn apply(&self, name: &str, gauge: &str) -> Arc<Shape> {
        self.apply_in("ns", name, gauge)
    }

    fn apply_in(&self, namespace: &str, name: &str, gauge: &str) -> Arc<Shape> {
        self.registry.apply(&scaling(namespace, name, gauge));
        self.changed.send_replace(true);
        let entries = self.registry.entries();
        let is_it = |key: &ScalingKey| key.name == name && key.namespace == namespace;
        let (_, entry) = entries.iter().find(|(key, _)| is_it(key)).unwrap();
        entry.metrics[0].shape.clone().unwrap()
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_shape_that_hangs_is_asked_once_at_a_time_and_delays_no_other() {
    let fixture = fixture().await;
    fixture.apply("hanging", "slow");
    let fast = fixture.apply("working", "fast");
    until("the fast shape is polled again and again", || {
        fixture.prometheus.fast.load(Ordering::Relaxed) >= 10
            && fixture.prometheus.slow.load(Ordering::Relaxed) > 0
    })
    .await;
    assert_eq!(fixture.prometheus.slow.load(Ordering::Relaxed), 1);
    assert!(
        fixture
            .store
            .get(&fast)
            .is_some_and(|state| state.answer.is_some())
    );
    fixture.stop.cancel();
}

#[tokio::test]
async fn one_namespace_for_which_a_query_fails_is_found_and_the_others_are_answered() {
    let fixture = fixture().await;
    let shape = fixture.apply("good", "mixed");
    assert_eq!(fixture.apply_in("bad", "bad", "mixed"), shape);
    let answer = || fixture.store.get(&shape).and_then(|state| state.answer.clone());
    until("the good one is answered, the bad one is not", || {
        answer().is_some_and(|answer| {
            let why = answer
                .unanswered
                .get("bad")
                .map_or("", |unanswered| &*unanswered.why);
            answer.points.contains_key("ns") && why.contains("mix of histograms") && why.contains("alone")
        })
    })
    .await;
    assert!(!answer().unwrap().unanswered.contains_key("ns"));
    let state = fixture.store.get(&shape).unwrap();
    assert_eq!(state.failure, None, "the poll did not fail");
}

#[tokio::test]
async fn a_thousand_invented_pods_are_not_remembered_and_the_live_one_among_them_is() {
    let fixture = fixture().await;
    let mut scaling = scaling("ns", "flooded", "flood");
    let metric =
        json!({"name": "rate", "requestRate": {"counter": "flood_total", "target": {"averageValue": "50"}}});
    scaling.spec.workloads[0].metrics = Some(vec![serde_json::from_value(metric).unwrap()]);
    fixture.registry.apply(&scaling);
    fixture.changed.send_replace(true);
    let shape = fixture.registry.entries()[0].1.metrics[0].shape.clone().unwrap();
    let known = || {
        let answer = fixture.store.get(&shape)?.answer.clone()?;
        let pods = answer.points.get("ns")?;
        Some((pods.count(), pods.get("pod-998").is_some()))
    };
    until("all are taken while the live pods are not known", || {
        known() == Some((1000, true))
    })
    .await;
    fixture.pods.begin_list();
    let metadata = json!({"namespace": "ns", "name": "pod-998"});
    fixture.pods.apply(&serde_json::from_value(metadata).unwrap());
    fixture.pods.end_list();
    until("the first hundred and the live one", || {
        known() == Some((101, true))
    })
    .await;
    fixture.stop.cancel();
}

#[tokio::test]
async fn numbers_in_hand_wait_for_one_query_about_the_past_and_not_for_many() {
    let fixture = fixture_with(Duration::from_millis(100), Duration::from_millis(20)).await;
    for namespace in crowd() {
        let mut scaling = scaling(&namespace, "crowd", "crowd");
        let metric = json!({"name": "rate", "requestRate": {"counter": "crowd_total", "target": {"averageValue": "50"}}});
        scaling.spec.workloads[0].metrics = Some(vec![serde_json::from_value(metric).unwrap()]);
        fixture.registry.apply(&scaling);
    }
    fixture.changed.send_replace(true);
    until("all portions were asked about", || {
        fixture
            .prometheus
            .crowd
            .lock()
            .iter()
            .filter(|of_past| **of_past)
            .count()
            >= 3
    })
    .await;
    fixture.stop.cancel();
    let asked = fixture.prometheus.crowd.lock().clone();
    let in_a_row = asked.windows(2).filter(|pair| pair == &[true, true]).count();
    assert_eq!(in_a_row, 0, "{asked:?}");
}

#[tokio::test]
async fn what_nobody_asks_for_any_more_is_forgotten() {
    let fixture = fixture().await;
    let shape = fixture.apply("working", "fast");
    until("it is polled", || fixture.store.get(&shape).is_some()).await;
    fixture.registry.remove(&ScalingKey {
        namespace: "ns".to_owned(),
        name: "working".to_owned(),
    });
    fixture.changed.send_replace(true);
    until("it is forgotten", || fixture.store.get(&shape).is_none()).await;
}

#[tokio::test]
async fn more_hanging_shapes_than_places_soon_leave_room_for_the_others() {
    const HANGING: usize = 100;
    let fixture = fixture_with(Duration::from_millis(100), Duration::from_millis(20)).await;
    for n in 0..HANGING {
        fixture.apply(&format!("hanging-{n}"), &format!("slow_{n}"));
    }
    fixture.apply("working", "fast");
    // Two queries are one poll.
    until("the fast shape is polled again and again", || {
        fixture.prometheus.fast.load(Ordering::Relaxed) >= 120
    })
    .await;
    let each_hanging = fixture.prometheus.slow.load(Ordering::Relaxed) / HANGING;
    assert!(each_hanging < 20, "each was asked {each_hanging} times");
}

#[tokio::test]
async fn a_namespace_that_begins_to_need_a_shape_is_answered_before_the_next_poll_is_due() {
    let fixture = fixture_with(Duration::from_secs(60), Duration::from_secs(3600)).await;
    let shape = fixture.apply_in("elsewhere", "first", "fast");
    let covers = |namespace: &str| {
        let state = fixture.store.get(&shape);
        state.is_some_and(|state| {
            state
                .answer
                .as_ref()
                .is_some_and(|answer| answer.covers(namespace))
        })
    };
    until("it is polled", || covers("elsewhere")).await;
    let points = |namespace: &str| {
        let state = fixture.store.get(&shape).unwrap();
        state.answer.as_ref().unwrap().points.contains_key(namespace)
    };
    assert!(!points("ns"), "nobody needs it");
    fixture.apply("second", "fast");
    until("it is polled again", || covers("ns")).await;
    assert!(points("ns"));
}

#[tokio::test]
async fn what_is_beyond_the_limit_of_a_namespace_is_not_asked_and_is_asked_once_there_is_room() {
    let fixture = fixture().await;
    // A resource without a creation time counts as the youngest, so the order of names decides.
    let shapes: Vec<_> = (0..=LIMIT)
        .map(|n| fixture.apply(&format!("r-{n:03}"), &format!("fast_{n}")))
        .collect();
    let elsewhere = fixture.apply_in("elsewhere", "r", &format!("fast_{LIMIT}"));
    assert_eq!(elsewhere, shapes[LIMIT], "the same question");
    until("the youngest is refused", || {
        fixture.store.refusal("ns", &elsewhere).is_some()
    })
    .await;
    assert_eq!(fixture.store.refusal("elsewhere", &elsewhere), None);
    until("the others are polled", || {
        shapes[..LIMIT]
            .iter()
            .all(|shape| fixture.store.get(shape).is_some())
    })
    .await;
    fixture.registry.remove(&ScalingKey {
        namespace: "ns".to_owned(),
        name: "r-000".to_owned(),
    });
    fixture.changed.send_replace(true);
    until("there is room", || {
        fixture.store.refusal("ns", &elsewhere).is_none()
    })
    .await;
}

#[test]
fn a_shape_that_times_out_is_asked_less_and_less_often() {
    let seconds: Vec<u64> = (0..6)
        .map(|timeouts| between_polls(Duration::from_secs(5), timeouts).as_secs())
        .collect();
    assert_eq!(seconds, [5, 5, 10, 20, 30, 30]);
    let slow = Duration::from_secs(60);
    assert_eq!(
        between_polls(slow, 9),
        slow,
        "never more often than without timeouts"
    );
}
