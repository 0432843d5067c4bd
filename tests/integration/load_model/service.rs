//! The service of the load model without a cluster: its capacity is known, and it keeps to it.

use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use support::load_model::LoadModel;

struct Client {
    model: LoadModel,
    http: reqwest::Client,
}

impl Client {
    async fn of(name: &str, pods: u32, arguments: &[&str]) -> Self {
        support::install_tls_provider();
        let model = LoadModel::alone(name, pods, arguments);
        model.until_serving().await;
        let client = Self {
            model,
            http: reqwest::Client::new(),
        };
        client.until_pods(u64::from(pods)).await;
        client
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.model.service())
    }

    async fn status(&self, path: &str) -> u16 {
        let answer = self.http.get(self.url(path)).send().await;
        answer.expect("the service answers").status().as_u16()
    }

    async fn change(&self, body: &Value) -> u16 {
        let url = format!("http://{}/service", self.model.address());
        let answer = self.http.post(url).json(body).send().await;
        answer.expect("the steering answers").status().as_u16()
    }

    async fn state(&self) -> Value {
        let url = format!("http://{}/state", self.model.address());
        let answer = self.http.get(url).send().await.expect("the steering answers");
        answer.json::<Value>().await.expect("JSON")["service"].take()
    }

    async fn until_pods(&self, pods: u64) {
        support::eventually(Duration::from_secs(60), "the pods are seen", || async {
            let state = self.state().await;
            if state["ready_pods"] == pods {
                Ok(())
            } else {
                Err(state.to_string())
            }
        })
        .await;
    }

    /// Answers per second while there is always a queue.
    async fn throughput(&self, users: usize, length: Duration) -> f64 {
        let mut load = JoinSet::new();
        for _ in 0..users {
            let (http, url) = (self.http.clone(), self.url("/health"));
            load.spawn(async move {
                loop {
                    let answer = http.get(&url).send().await.expect("the service answers");
                    assert_eq!(answer.status(), 200);
                    answer.bytes().await.expect("a body");
                }
            });
        }
        support::eventually(Duration::from_secs(60), "a line", || async {
            let state = self.state().await;
            match state["queue_length"].as_u64() {
                Some(1..) => Ok(()),
                _ => Err(state.to_string()),
            }
        })
        .await;
        let (before, started) = (self.state().await, Instant::now());
        tokio::time::sleep(length).await;
        let (after, elapsed) = (self.state().await, started.elapsed());
        let served = |state: &Value| state["served"].as_f64().expect("a count");
        (served(&after) - served(&before)) / elapsed.as_secs_f64()
    }

    async fn websocket(&self) -> WebSocketStream<TcpStream> {
        let stream = TcpStream::connect(self.model.service())
            .await
            .expect("a connection");
        let request = format!("ws://{}/ws", self.model.service());
        let request = request.into_client_request().expect("a request");
        client_async(request, stream).await.expect("a handshake").0
    }
}

async fn keeps_its_capacity(shape: &str, capacities: [(u32, f64); 2]) {
    let shape_argument = format!("--capacity-shape={shape}");
    let arguments = [
        "--capacity=100",
        shape_argument.as_str(),
        "--usl-alpha=0.1",
        "--usl-beta=0.02",
        "--service-time=5ms",
    ];
    let client = Client::of(&format!("service-{shape}"), 1, &arguments).await;
    for (pods, capacity) in capacities {
        assert_eq!(client.change(&json!({"pods": pods})).await, 204);
        client.until_pods(u64::from(pods)).await;
        // Where the machine is busy with something else, the callers may ask for less than the service can do.
        let what = format!("{pods} pods, {shape}: {capacity}/s");
        support::eventually(Duration::from_secs(90), &what, || async {
            let found = client.throughput(60, Duration::from_secs(4)).await;
            let is_right = (found / capacity - 1.0).abs() < 0.03;
            if is_right {
                Ok(())
            } else {
                Err(format!("{found}/s"))
            }
        })
        .await;
    }
}

#[tokio::test]
async fn under_overload_a_constant_service_serves_what_one_pod_can() {
    keeps_its_capacity("constant", [(1, 100.0), (4, 100.0)]).await;
}

#[tokio::test]
async fn under_overload_a_linear_service_serves_more_with_every_pod() {
    keeps_its_capacity("linear", [(1, 100.0), (4, 400.0)]).await;
}

#[tokio::test]
async fn under_overload_a_service_with_contention_serves_what_the_law_says() {
    keeps_its_capacity("usl", [(1, 100.0), (4, 400.0 / 1.54)]).await;
}

#[tokio::test]
async fn beyond_the_queue_limit_requests_are_answered_503_with_retry_after() {
    let client = Client::of("service-limit", 1, &["--capacity=2", "--queue-limit=3"]).await;
    let mut requests = JoinSet::new();
    for _ in 0..10 {
        requests.spawn(client.http.get(client.url("/health")).send());
    }
    let mut refused: u64 = 0;
    while let Some(answer) = requests.join_next().await {
        let answer = answer.expect("no panic").expect("an answer");
        if answer.status() == 503 {
            assert_eq!(answer.headers()["retry-after"], "1");
            refused += 1;
        }
    }
    // One request is served at once, and three wait. On a slow machine a second one may be served before the
    // last one arrives.
    assert!((5..=6).contains(&refused), "{refused}");
    let state = client.state().await;
    assert_eq!(state["rejected"], refused, "{state}");
    assert_eq!(state["served"], 10 - refused, "{state}");
}

#[tokio::test]
async fn without_a_ready_pod_there_is_no_service() {
    let client = Client::of("service-no-pods", 0, &[]).await;
    assert_eq!(client.status("/health").await, 503);
    assert_eq!(client.change(&json!({"pods": 1})).await, 204);
    client.until_pods(1).await;
    assert_eq!(client.status("/health").await, 200);
}

#[tokio::test]
async fn users_log_in_and_work_and_strangers_are_turned_away() {
    let client = Client::of("service-endpoints", 2, &["--service-time=1ms"]).await;
    for path in [
        "/api/users/me",
        "/api/sessions",
        "/api/admin/users",
        "/api/search?q=a",
    ] {
        assert_eq!(client.status(path).await, 401, "{path}");
    }
    for path in ["/", "/health", "/api/feature-flags"] {
        assert_eq!(client.status(path).await, 200, "{path}");
    }
    assert_eq!(client.status("/nowhere").await, 404);
    let login = client.http.post(client.url("/api/auth/login"));
    let login = login.json(&json!({"email": "ada@example.com", "password": "x"}));
    let login: Value = login.send().await.expect("an answer").json().await.expect("JSON");
    let token = login["token"].as_str().expect("a token");
    let send = |method: reqwest::Method, path: String| {
        let request = client.http.request(method, client.url(&path)).bearer_auth(token);
        async move { request.send().await.expect("an answer") }
    };
    let session: Value = send(reqwest::Method::POST, "/api/sessions".to_owned())
        .await
        .json()
        .await
        .expect("JSON");
    let path = format!("/api/sessions/{}", session["id"]);
    for (method, path, status) in [
        (reqwest::Method::POST, format!("{path}/messages"), 201),
        (reqwest::Method::GET, path.clone(), 200),
        (reqwest::Method::DELETE, path.clone(), 204),
        (reqwest::Method::GET, path, 404),
        (reqwest::Method::POST, "/api/documents".to_owned(), 201),
        (reqwest::Method::GET, "/api/documents".to_owned(), 200),
        (reqwest::Method::GET, "/api/search?q=a".to_owned(), 200),
        (reqwest::Method::GET, "/api/admin/audit-log".to_owned(), 200),
        (reqwest::Method::GET, "/api/users/me".to_owned(), 200),
    ] {
        assert_eq!(
            send(method.clone(), path.clone()).await.status(),
            status,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn it_speaks_http2_without_tls() {
    let client = Client::of("service-http2", 1, &["--service-time=1ms"]).await;
    let stream = TcpStream::connect(client.model.service())
        .await
        .expect("a connection");
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get(client.url("/health"));
    let request = request.body(http_body_util::Empty::<hyper::body::Bytes>::new());
    let answer = sender
        .send_request(request.expect("a request"))
        .await
        .expect("an answer");
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (hyper::Version::HTTP_2, 200)
    );
    connection.abort();
}

#[tokio::test]
async fn websockets_echo_texts_and_send_voice_frames_20_ms_apart() {
    let client = Client::of("service-websocket", 1, &["--capacity=1", "--service-time=1ms"]).await;
    // This takes the only slot of this second. Messages need no slot.
    let mut socket = client.websocket().await;
    for text in ["one", "two", "{\"type\":\"chat\"}"] {
        socket.send(Message::text(text)).await.expect("sent");
        let back = socket.next().await.expect("a message").expect("no error");
        assert_eq!(back, Message::text(text));
    }
    let started = Instant::now();
    let wish = Message::text("{\"type\":\"voice\",\"frames\":11}");
    socket.send(wish).await.expect("sent");
    for _ in 0..11 {
        let frame = socket.next().await.expect("a frame").expect("no error");
        assert!(
            matches!(&frame, Message::Binary(bytes) if bytes.len() == 640),
            "{frame:?}"
        );
    }
    // The tenth frame after the first cannot come earlier than this.
    assert!(
        started.elapsed() >= Duration::from_millis(200),
        "{:?}",
        started.elapsed()
    );
    socket.close(None).await.expect("closed");
    let state = client.state().await;
    assert_eq!(state["arrived"], 1, "only connecting took a slot: {state}");
}

#[tokio::test]
async fn a_stall_holds_the_answers() {
    let client = Client::of("service-stall", 1, &["--service-time=1ms"]).await;
    let started = Instant::now();
    assert_eq!(client.change(&json!({"stall": {"seconds": 0.7}})).await, 204);
    assert_eq!(client.status("/health").await, 200);
    assert!(
        started.elapsed() >= Duration::from_millis(700),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn changes_that_make_no_sense_are_refused() {
    let client = Client::of("service-nonsense", 1, &[]).await;
    for body in [
        json!({"capacity": 0}),
        json!({"capacity": -1}),
        json!({"stall": {"seconds": -1}}),
        json!({"stall": {"seconds": 1e9}}),
        json!({"pods": -1}),
        json!({"stalls": 1}),
    ] {
        let status = client.change(&body).await;
        assert!((400..500).contains(&status), "{body}: {status}");
    }
    assert_eq!(client.change(&json!({"capacity": 50})).await, 204);
    let state = client.state().await;
    assert_eq!(state["capacity"], 50.0, "{state}");
}
