use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures::future::join_all;
use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};

use super::*;

/// A clock that stands still until the test moves it.
#[derive(Default)]
struct Stopped(AtomicU64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// What the test sees and decides of an API server of which only discovery is there.
#[derive(Default)]
struct Server {
    requests: Mutex<Vec<String>>,
    is_broken: AtomicBool,
}

/// The server serves `apps/v1`, `many.io/v0` to `many.io/v999`, and `hangs.io/v1`, which never answers.
async fn answer(State(server): State<Arc<Server>>, uri: Uri) -> Response {
    server.requests.lock().push(uri.path().to_owned());
    if server.is_broken.load(Ordering::Relaxed) {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 500, "message": "broken"});
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(status)).into_response();
    }
    if uri.path().starts_with("/apis/hangs.io") {
        std::future::pending::<()>().await;
    }
    Json(if uri.path() == "/apis" {
        groups()
    } else {
        resources()
    })
    .into_response()
}

fn groups() -> Value {
    let version = |version: &str| json!({"groupVersion": version, "version": "v1"});
    let many: Vec<Value> = (0..1000)
        .map(|number| version(&format!("many.io/v{number}")))
        .collect();
    json!({"groups": [
        {"name": "apps", "versions": [version("apps/v1")]},
        {"name": "hangs.io", "versions": [version("hangs.io/v1")]},
        {"name": "many.io", "versions": many},
    ]})
}

fn resources() -> Value {
    let resource = |name: &str, kind: &str| json!({"name": name, "kind": kind, "namespaced": true, "singularName": "", "verbs": []});
    json!({"groupVersion": "apps/v1", "resources": [
        resource("deployments", "Deployment"),
        resource("deployments/scale", "Scale"),
        resource("daemonsets", "DaemonSet"),
    ]})
}

/// The cache, and what is around it.
struct Fixture {
    kinds: Kinds,
    clock: Arc<Stopped>,
    server: Arc<Server>,
}

impl Fixture {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = Arc::<Server>::default();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap();
        let clock = Arc::<Stopped>::default();
        let kinds = Kinds::new(Reader::new(client, Duration::from_secs(60)), clock.clone());
        Self { kinds, clock, server }
    }

    async fn find(&self, api_version: &str, kind: &str) -> Result<Option<ServedKind>, ReadError> {
        self.kinds.find(api_version, kind, |kind| kind.scalable).await
    }

    async fn plural(&self, api_version: &str, kind: &str) -> Option<String> {
        self.find(api_version, kind)
            .await
            .unwrap()
            .map(|served| served.plural)
    }

    /// The paths that were read since the last look.
    fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.server.requests.lock())
    }

    fn pass(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_thousand_invented_api_versions_cost_one_request_a_period_and_no_memory() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        let invented: Vec<String> = (0..1000)
            .map(|number| format!("invented{number}.io/v1"))
            .collect();
        let found = join_all(invented.iter().map(|version| fixture.plural(version, "Thing"))).await;
        assert!(found.iter().all(Option::is_none));
        assert_eq!(fixture.requests(), ["/apis"]);
        assert!(fixture.kinds.served.lock().is_empty());
        fixture.pass(10);
    }
    for odd in ["", "v2", "apps/v1/", "apps/v1/namespaces/n", "../v1", "apps/v1?x"] {
        assert_eq!(fixture.plural(odd, "Deployment").await, None, "{odd}");
    }
    assert_eq!(fixture.requests(), ["/apis"]);
}

#[tokio::test]
async fn invented_kinds_of_a_served_api_version_cost_one_request_a_period() {
    let fixture = Fixture::new().await;
    let invented: Vec<String> = (0..1000).map(|number| format!("Invented{number}")).collect();
    for expected in [&["/apis", "/apis/apps/v1"][..], &["/apis/apps/v1"]] {
        let found = join_all(invented.iter().map(|kind| fixture.plural("apps/v1", kind))).await;
        assert!(found.iter().all(Option::is_none));
        assert_eq!(fixture.requests(), expected);
        fixture.pass(10);
    }
    assert_eq!(
        fixture.plural("apps/v1", "Deployment").await.as_deref(),
        Some("deployments")
    );
    assert_eq!(fixture.requests(), [""; 0], "what was found stays found");
    assert_eq!(
        fixture.plural("apps/v1", "DaemonSet").await.as_deref(),
        Some("daemonsets")
    );
    assert_eq!(
        fixture.requests(),
        ["/apis/apps/v1"],
        "what is not enough may have changed"
    );
}

#[tokio::test]
async fn a_server_that_hangs_delays_only_who_asks_for_its_kinds() {
    let fixture = Fixture::new().await;
    let hanging = fixture.find("hangs.io/v1", "Thing");
    let others = async {
        while !fixture
            .server
            .requests
            .lock()
            .contains(&"/apis/hangs.io/v1".to_owned())
        {
            tokio::task::yield_now().await;
        }
        fixture.plural("apps/v1", "Deployment").await
    };
    tokio::select! {
        biased;
        _ = hanging => panic!("a server that hangs answered"),
        found = others => assert_eq!(found.as_deref(), Some("deployments")),
    }
}

#[tokio::test]
async fn failures_are_shared_and_asked_again_ever_more_rarely_and_what_is_known_stays() {
    let fixture = Fixture::new().await;
    assert!(fixture.plural("apps/v1", "Deployment").await.is_some());
    fixture.requests();
    fixture.server.is_broken.store(true, Ordering::Relaxed);
    fixture.pass(10);
    let mut reads = Vec::new();
    for second in 0..200 {
        let (one, other) = tokio::join!(fixture.find("x.io/v1", "X"), fixture.find("y.io/v1", "Y"));
        // Neither is "not served": nobody said so.
        assert_eq!(one.unwrap_err().words(), "broken");
        assert_eq!(other.unwrap_err().words(), "broken");
        reads.extend(fixture.requests().iter().map(|_| second));
        assert!(fixture.plural("apps/v1", "Deployment").await.is_some());
        assert!(fixture.find("apps/v1", "DaemonSet").await.is_err());
        fixture.requests();
        fixture.pass(1);
    }
    assert_eq!(reads, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    fixture.server.is_broken.store(false, Ordering::Relaxed);
    fixture.pass(60);
    assert_eq!(fixture.plural("x.io/v1", "X").await, None);
    assert!(fixture.plural("apps/v1", "DaemonSet").await.is_some());
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let fixture = Fixture::new().await;
    for number in 0..REMEMBERED + 100 {
        assert!(
            fixture
                .plural(&format!("many.io/v{number}"), "Deployment")
                .await
                .is_some()
        );
        fixture.pass(1);
    }
    let served = fixture.kinds.served.lock();
    assert_eq!(served.len(), REMEMBERED);
    assert!(!served.contains_key("many.io/v0"));
    assert!(served.contains_key(&format!("many.io/v{}", REMEMBERED + 99)));
}
