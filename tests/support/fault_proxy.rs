//! A proxy in front of a real Prometheus that spoils chosen answers.
//!
//! A fault is set for a metric name and applies to every query that contains the name. All other queries
//! pass. Many faults can thus be active at once in front of one metrics server, each with a metric of its
//! own.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::Response,
    routing::post,
};
use tokio::task::JoinHandle;

/// What happens to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// No answer comes.
    Hang,
    /// The right answer comes after three seconds.
    Slow,
    /// HTTP 500 with a page of text.
    InternalError,
    /// Prometheus' own error, as JSON.
    Refusal,
    /// The second half of the answer is missing.
    CutOff,
    /// The answer is JSON of another form.
    WrongTypes,
    /// The answer is a web page with status 200.
    NotJson,
    /// The answer is empty and has a warning that it is incomplete.
    Warning,
    /// The answer is empty and marked as partial, as VictoriaMetrics does it.
    Partial,
    /// Every value of the answer is NaN.
    NotANumber,
    /// The answer is 50 MB of valid JSON.
    Huge,
    /// The answer is 50 MB that are sent as 50 kB of gzip.
    HugeCompressed,
}

type Faults = Arc<Mutex<BTreeMap<String, Fault>>>;

/// Listens until it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    faults: Faults,
    queries: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Proxied {
    upstream: String,
    faults: Faults,
    queries: Arc<Mutex<Vec<String>>>,
    http: reqwest::Client,
}

impl FaultProxy {
    /// Starts in front of the Prometheus at `upstream`.
    pub async fn start(upstream: &str) -> Self {
        super::install_tls_provider();
        // Compressing the answer takes seconds in a debug build, so it is done here and not during a query.
        let _ = tokio::task::spawn_blocking(|| HUGE_COMPRESSED.len()).await;
        let proxied = Proxied {
            upstream: upstream.to_owned(),
            faults: Faults::default(),
            queries: Arc::default(),
            http: reqwest::Client::new(),
        };
        let (faults, queries) = (Arc::clone(&proxied.faults), Arc::clone(&proxied.queries));
        let app = Router::new()
            .route("/api/v1/query", post(query))
            .with_state(proxied);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port");
        Self {
            address: listener.local_addr().expect("a bound address"),
            faults,
            queries,
            server: tokio::spawn(async move {
                let _ = axum::serve(listener, app).await;
            }),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the fault for queries that contain `metric`; `None` removes it.
    pub fn set(&self, metric: &str, fault: Option<Fault>) {
        let mut faults = locked(&self.faults);
        match fault {
            Some(fault) => faults.insert(metric.to_owned(), fault),
            None => faults.remove(metric),
        };
    }

    /// The bodies of all queries so far, still form-encoded.
    pub fn queries(&self) -> Vec<String> {
        locked(&self.queries).clone()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn query(State(proxied): State<Proxied>, headers: HeaderMap, body: Bytes) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    let fault = locked(&proxied.faults)
        .iter()
        .find(|(metric, _)| text.contains(*metric))
        .map(|(_, fault)| *fault);
    locked(&proxied.queries).push(text.clone());
    match fault {
        None => forwarded(&proxied, &headers, body)
            .await
            .map_or_else(|_| bad_gateway(), json),
        Some(Fault::Slow) => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            forwarded(&proxied, &headers, body)
                .await
                .map_or_else(|_| bad_gateway(), json)
        }
        Some(Fault::CutOff) => match forwarded(&proxied, &headers, body).await {
            Ok(answer) => json(answer.slice(..answer.len() / 2)),
            Err(_) => bad_gateway(),
        },
        // Timestamps of samples are not replaced.
        Some(Fault::NotANumber) if text.contains("timestamp") => forwarded(&proxied, &headers, body)
            .await
            .map_or_else(|_| bad_gateway(), json),
        Some(Fault::NotANumber) => match forwarded(&proxied, &headers, body).await {
            Ok(answer) => json(not_a_number(&answer).into()),
            Err(_) => bad_gateway(),
        },
        Some(fault) => spoiled(fault).await,
    }
}

async fn spoiled(fault: Fault) -> Response {
    match fault {
        Fault::Hang => {
            std::future::pending::<()>().await;
            bad_gateway()
        }
        Fault::InternalError => with_status(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "disk on fire"),
        Fault::Refusal => with_status(
            StatusCode::UNPROCESSABLE_ENTITY,
            "application/json",
            r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples"}"#,
        ),
        Fault::WrongTypes => {
            json(r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":"a","value":3}]}}"#.into())
        }
        Fault::NotJson => with_status(StatusCode::OK, "text/html", "<html>Please log in</html>"),
        Fault::Warning => json(
            r#"{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["no store is up"]}"#.into(),
        ),
        Fault::Partial => json(
            r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}}"#.into(),
        ),
        Fault::Huge => json(huge().into()),
        Fault::HugeCompressed => {
            let mut response = json(HUGE_COMPRESSED.clone());
            response.headers_mut().insert("content-encoding", "gzip".parse().expect("a header value"));
            response
        }
        Fault::Slow | Fault::CutOff | Fault::NotANumber => bad_gateway(),
    }
}

static HUGE_COMPRESSED: LazyLock<Bytes> = LazyLock::new(|| {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &huge()).expect("memory can be written");
    encoder.finish().expect("memory can be written").into()
});

/// A valid answer without series, padded to 50 MB.
fn huge() -> Vec<u8> {
    let mut body = br#"{"status":"success","data":{"resultType":"vector","result":["#.to_vec();
    body.resize(50 << 20, b' ');
    body.extend_from_slice(b"]}}");
    body
}

/// Replaces every value of a vector.
fn not_a_number(answer: &[u8]) -> String {
    let mut answer: serde_json::Value = serde_json::from_slice(answer).expect("Prometheus sends JSON");
    let items = answer
        .pointer_mut("/data/result")
        .and_then(serde_json::Value::as_array_mut);
    for item in items.into_iter().flatten() {
        item["value"][1] = "NaN".into();
    }
    answer.to_string()
}

async fn forwarded(proxied: &Proxied, headers: &HeaderMap, body: Bytes) -> Result<Bytes, reqwest::Error> {
    let mut request = proxied
        .http
        .post(format!("{}/api/v1/query", proxied.upstream))
        .body(body);
    if let Some(content_type) = headers.get(CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, content_type);
    }
    request.send().await?.bytes().await
}

fn json(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, "application/json".parse().expect("a header value"));
    response
}

fn with_status(status: StatusCode, content_type: &str, body: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, content_type.parse().expect("a header value"));
    response
}

fn bad_gateway() -> Response {
    with_status(StatusCode::BAD_GATEWAY, "text/plain", "no upstream")
}
