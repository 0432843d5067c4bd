use std::sync::atomic::{AtomicU64, Ordering};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{action::MetricsApi, *};
use crate::metrics_server::path::{MetricPath, Version};

/// A clock that a test moves.
#[derive(Default)]
struct ManualClock(AtomicU64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// An API server that answers reviews by what a test decides, and remembers them.
#[derive(Clone)]
struct Reviews {
    decide: fn(&Value) -> Result<bool, StatusCode>,
    seen: Arc<Mutex<Vec<Value>>>,
}

async fn review(
    State(reviews): State<Reviews>,
    Json(mut review): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    reviews.seen.lock().push(review["spec"].clone());
    let allowed = (reviews.decide)(&review["spec"])?;
    review["status"] = json!({"allowed": allowed});
    Ok(Json(review))
}

struct Fixture {
    authorizer: Authorizer,
    clock: Arc<ManualClock>,
    seen: Arc<Mutex<Vec<Value>>>,
}

async fn fixture(decide: fn(&Value) -> Result<bool, StatusCode>) -> Fixture {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let seen = Arc::default();
    let reviews = Reviews {
        decide,
        seen: Arc::clone(&seen),
    };
    let app = Router::new()
        .route("/apis/authorization.k8s.io/v1/subjectaccessreviews", post(review))
        .with_state(reviews);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut config = kube::Config::new(url);
    config.default_retry = false;
    let clock = Arc::new(ManualClock::default());
    let ttl = CacheTtl {
        authorized: Duration::from_secs(10),
        unauthorized: Duration::from_secs(5),
    };
    let authorizer = Authorizer::new(Client::try_from(config).unwrap(), ttl, clock.clone());
    Fixture {
        authorizer,
        clock,
        seen,
    }
}

impl Fixture {
    async fn read(&self, user: &str, namespace: &str) -> Result<(), u16> {
        let path = MetricPath {
            version: Version::V1Beta2,
            namespace: namespace.to_owned(),
            resource: "pods".to_owned(),
            name: "*".to_owned(),
            metric: "rate".to_owned(),
        };
        let user = User {
            name: user.to_owned(),
            ..User::default()
        };
        self.authorizer
            .authorize(&user, Action::read(&path))
            .await
            .map_err(|error| error.code())
    }

    fn reviews(&self) -> usize {
        self.seen.lock().len()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a decision")]
fn broad_for_the_hpa(spec: &Value) -> Result<bool, StatusCode> {
    Ok(spec["user"] == "hpa" && spec["resourceAttributes"]["resource"] == "*")
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a decision")]
fn exact_for_one_namespace(spec: &Value) -> Result<bool, StatusCode> {
    let attributes = &spec["resourceAttributes"];
    Ok(attributes["namespace"] == "mine"
        && attributes["group"] == "custom.metrics.k8s.io"
        && attributes["resource"] == "pods"
        && attributes["subresource"] == "rate"
        && attributes["name"] == "*"
        && attributes["verb"] == "get")
}

fn broken(_: &Value) -> Result<bool, StatusCode> {
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

#[tokio::test]
async fn one_broad_review_covers_all_reads_of_the_hpa() {
    let fixture = fixture(broad_for_the_hpa).await;
    for namespace in ["a", "b", "c"] {
        assert_eq!(fixture.read("hpa", namespace).await, Ok(()));
    }
    assert_eq!(fixture.reviews(), 1);
}

#[tokio::test]
async fn where_the_broad_review_refuses_the_exact_one_decides() {
    let fixture = fixture(exact_for_one_namespace).await;
    assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
    assert_eq!(fixture.read("tenant", "other").await, Err(403));
}

#[tokio::test]
async fn answers_are_kept_for_as_long_as_is_set_both_ways() {
    let fixture = fixture(exact_for_one_namespace).await;
    for _ in 0..3 {
        assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
        assert_eq!(fixture.read("tenant", "other").await, Err(403));
    }
    assert_eq!(fixture.reviews(), 3, "one broad, two exact");
    fixture.clock.0.store(5, Ordering::Relaxed);
    assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
    assert_eq!(fixture.reviews(), 4, "the broad refusal was forgotten");
    fixture.clock.0.store(10, Ordering::Relaxed);
    assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
    assert_eq!(fixture.reviews(), 6);
}

#[test]
fn a_full_cache_forgets_the_oldest_answers_and_keeps_broad_ones_apart() {
    let mut cache = Cache::default();
    let question = |action: Action| (User::default(), action);
    let path = |n: usize| question(Action::GetPath(format!("/{n}")));
    let (now, until) = (Duration::ZERO, Duration::from_secs(10));
    let broad = question(Action::ReadAnyMetric(MetricsApi::Custom));
    cache.answers(&broad.1).put(broad.clone(), true, until);
    // The first is asked for again, so the second is the oldest in the end.
    for n in (0..CACHE_SIZE - 1).chain([0, CACHE_SIZE, CACHE_SIZE + 1]) {
        let question = path(n);
        cache.answers(&question.1).put(question, true, until);
    }
    assert_eq!(cache.broad.get(&broad, now), Some(true));
    for (n, kept) in [(0, true), (1, false), (2, true), (CACHE_SIZE + 1, true)] {
        assert_eq!(cache.exact.get(&path(n), now), kept.then_some(true), "{n}");
    }
    assert!(cache.exact.order.len() <= CACHE_SIZE);
}

#[tokio::test]
async fn a_review_that_fails_allows_nothing_and_is_not_kept() {
    let fixture = fixture(broken).await;
    assert_eq!(fixture.read("hpa", "a").await, Err(500));
    assert_eq!(fixture.read("hpa", "a").await, Err(500));
    assert_eq!(fixture.reviews(), 2);
}

#[tokio::test]
async fn masters_need_no_review() {
    let fixture = fixture(broken).await;
    let admin = User {
        name: "admin".to_owned(),
        groups: vec!["system:masters".to_owned()],
        ..User::default()
    };
    assert_eq!(
        fixture
            .authorizer
            .authorize(&admin, Action::GetPath("/apis".to_owned()))
            .await,
        Ok(())
    );
    assert_eq!(fixture.reviews(), 0);
}
