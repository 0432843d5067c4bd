use axum::http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::{
    auth::review::testing::{Decision, ManualClock, ReviewServer},
    metrics::path::{MetricPath, Version},
};

struct Fixture {
    authorizer: Authorizer,
    clock: Arc<ManualClock>,
    server: ReviewServer,
}

async fn fixture(server: ReviewServer) -> Fixture {
    let clock = Arc::new(ManualClock::default());
    let ttl = CacheTtl {
        authorized: Duration::from_secs(10),
        unauthorized: Duration::from_secs(5),
    };
    Fixture {
        authorizer: Authorizer::new(server.start().await, ttl, clock.clone()),
        clock,
        server,
    }
}

async fn deciding(decide: Decision) -> Fixture {
    fixture(ReviewServer::new(decide)).await
}

fn user(name: &str) -> Arc<User> {
    Arc::new(User {
        name: name.to_owned(),
        ..User::default()
    })
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
        self.authorizer
            .authorize(&self::user(user), Action::read(&path))
            .await
            .map_err(|error| error.code())
    }

    fn reviews(&self) -> usize {
        self.server.seen().len()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a decision")]
fn broad_for_the_hpa(spec: &Value) -> Result<Value, StatusCode> {
    let allowed = spec["user"] == "hpa" && spec["resourceAttributes"]["resource"] == "*";
    Ok(json!({"allowed": allowed}))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a decision")]
fn exact_for_one_namespace(spec: &Value) -> Result<Value, StatusCode> {
    let attributes = &spec["resourceAttributes"];
    let allowed = attributes["namespace"] == "mine"
        && attributes["group"] == "custom.metrics.k8s.io"
        && attributes["resource"] == "pods"
        && attributes["subresource"] == "rate"
        && attributes["name"] == "*"
        && attributes["verb"] == "get";
    Ok(json!({"allowed": allowed}))
}

fn broken(_: &Value) -> Result<Value, StatusCode> {
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

#[tokio::test]
async fn one_broad_review_covers_all_reads_of_the_hpa() {
    let fixture = deciding(broad_for_the_hpa).await;
    for namespace in ["a", "b", "c"] {
        assert_eq!(fixture.read("hpa", namespace).await, Ok(()));
    }
    assert_eq!(fixture.reviews(), 1);
}

#[tokio::test]
async fn where_the_broad_review_refuses_the_exact_one_decides() {
    let fixture = deciding(exact_for_one_namespace).await;
    assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
    assert_eq!(fixture.read("tenant", "other").await, Err(403));
}

#[tokio::test]
async fn answers_are_kept_for_as_long_as_is_set_both_ways() {
    let fixture = deciding(exact_for_one_namespace).await;
    for _ in 0..3 {
        assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
        assert_eq!(fixture.read("tenant", "other").await, Err(403));
    }
    assert_eq!(fixture.reviews(), 3, "one broad, two exact");
    fixture.clock.set(5);
    assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
    assert_eq!(fixture.reviews(), 4, "the broad refusal was forgotten");
    fixture.clock.set(10);
    assert_eq!(fixture.read("tenant", "mine").await, Ok(()));
    assert_eq!(fixture.reviews(), 6);
}

#[tokio::test]
async fn a_review_that_fails_allows_nothing_and_is_not_kept() {
    let fixture = deciding(broken).await;
    assert_eq!(fixture.read("hpa", "a").await, Err(503));
    assert_eq!(fixture.read("hpa", "a").await, Err(503));
    assert_eq!(fixture.reviews(), 2);
}

#[tokio::test]
async fn a_review_that_the_api_server_refuses_allows_nothing_and_says_so() {
    let fixture = deciding(|_| Err(StatusCode::FORBIDDEN)).await;
    assert_eq!(fixture.read("hpa", "a").await, Err(500));
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a decision")]
fn allowed_and_denied(_: &Value) -> Result<Value, StatusCode> {
    Ok(json!({"allowed": true, "denied": true}))
}

#[tokio::test]
async fn a_denial_outweighs_a_permission() {
    assert_eq!(
        deciding(allowed_and_denied).await.read("hpa", "a").await,
        Err(403)
    );
}

#[tokio::test(start_paused = true)]
async fn a_review_without_an_answer_is_a_timeout_and_allows_nothing() {
    let fixture = fixture(ReviewServer::shut(broad_for_the_hpa)).await;
    assert_eq!(fixture.read("hpa", "a").await, Err(504));
}

#[tokio::test]
async fn requests_that_ask_the_same_at_once_share_one_review() {
    let fixture = fixture(ReviewServer::shut(broad_for_the_hpa)).await;
    let reads = futures::future::join_all((0..50).map(|_| fixture.read("hpa", "a")));
    let open = async {
        while fixture.reviews() == 0 {
            tokio::task::yield_now().await;
        }
        fixture.server.open();
    };
    let (answers, ()) = tokio::join!(reads, open);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(fixture.reviews(), 1);
}

#[tokio::test]
async fn who_has_too_many_reviews_under_way_is_told_to_wait_and_nobody_else() {
    let fixture = fixture(ReviewServer::shut(broad_for_the_hpa)).await;
    let get = async |name: &str, n: usize| {
        let action = Action::GetPath(format!("/apis/{n}"));
        let answer = fixture.authorizer.authorize(&user(name), action).await;
        answer.map_err(|error| error.code())
    };
    let flood = futures::future::join_all((0..=MAX_PENDING).map(|n| get("flood", n)));
    let hpa = async {
        while fixture.reviews() < MAX_PENDING {
            tokio::task::yield_now().await;
        }
        let read = fixture.read("hpa", "a");
        let open = async { fixture.server.open() };
        tokio::join!(read, open).0
    };
    let (flood, hpa) = tokio::join!(flood, hpa);
    assert_eq!(hpa, Ok(()));
    assert_eq!(flood.iter().filter(|answer| **answer == Err(429)).count(), 1);
    assert_eq!(get("flood", 0).await, Err(403), "the answer came and was kept");
}

#[tokio::test]
async fn masters_need_no_review() {
    let fixture = deciding(broken).await;
    let admin = Arc::new(User {
        name: "admin".to_owned(),
        groups: vec!["system:masters".to_owned()],
        ..User::default()
    });
    assert_eq!(
        fixture
            .authorizer
            .authorize(&admin, Action::GetPath("/apis".to_owned()))
            .await,
        Ok(())
    );
    assert_eq!(fixture.reviews(), 0);
}
