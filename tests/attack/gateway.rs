//! A proxy in front of Prometheus that records when the innocent tenant's metric is queried.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::Response,
    routing::post,
};

use crate::{innocent::GAUGE, record::Record};

/// Listens until the process ends.
#[derive(Debug)]
pub(crate) struct Gateway {
    address: SocketAddr,
}

#[derive(Clone)]
struct Forward {
    upstream: String,
    record: Record,
    http: reqwest::Client,
}

impl Gateway {
    /// Starts in front of the Prometheus at `upstream`.
    pub(crate) async fn start(upstream: &str, record: &Record) -> Self {
        let state = Forward {
            upstream: upstream.to_owned(),
            record: record.clone(),
            http: reqwest::Client::new(),
        };
        let app = Router::new()
            .route("/api/v1/query", post(query))
            .with_state(state);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address }
    }

    /// Its address, for `--prometheus-url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn query(State(forward): State<Forward>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = String::from_utf8_lossy(&body);
    if asked.contains(GAUGE) && !asked.contains("timestamp") {
        forward.record.polled();
    }
    let mut request = forward.http.post(format!("{}/api/v1/query", forward.upstream));
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, kind);
    }
    let answer = match request.body(body).send().await {
        Ok(answer) => answer,
        Err(error) => return failed(error.to_string()),
    };
    let (status, bytes) = (answer.status(), answer.bytes().await);
    match bytes {
        Ok(bytes) => {
            let response = Response::builder()
                .status(status)
                .header(CONTENT_TYPE, "application/json");
            response.body(Body::from(bytes)).expect("a response")
        }
        Err(error) => failed(error.to_string()),
    }
}

fn failed(words: String) -> Response {
    let response = Response::builder().status(StatusCode::BAD_GATEWAY);
    response.body(Body::from(words)).expect("a response")
}
