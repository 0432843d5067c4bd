//! A test API server that reviews as a test decides, and a clock that a test sets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use jiff::Timestamp;
use kube::Client;
use parking_lot::Mutex;
use serde_json::Value;

use vas_cluster::clock::Clock;

/// A clock that a test sets.
#[derive(Default)]
pub(crate) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        // The test certificates are valid at this time.
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// Makes the status of a review from its spec.
pub(crate) type Decision = fn(&Value) -> Result<Value, StatusCode>;

/// Answers reviews and records their specs.
#[derive(Clone)]
pub(crate) struct ReviewServer {
    decide: Decision,
    /// If set, each answer waits until the gate is opened.
    gate: Option<Arc<tokio::sync::Semaphore>>,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl ReviewServer {
    pub(crate) fn new(decide: Decision) -> Self {
        Self {
            decide,
            gate: None,
            seen: Arc::default(),
        }
    }

    /// A server that answers nothing until [`Self::open`] is called.
    pub(crate) fn shut(decide: Decision) -> Self {
        Self {
            gate: Some(Arc::new(tokio::sync::Semaphore::new(0))),
            ..Self::new(decide)
        }
    }

    pub(crate) fn open(&self) {
        if let Some(gate) = &self.gate {
            gate.close();
        }
    }

    /// The specs of all reviews so far.
    pub(crate) fn seen(&self) -> Vec<Value> {
        self.seen.lock().clone()
    }

    /// Listens on a port, and returns a client for it that does not retry.
    pub(crate) async fn start(&self) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let app = Router::new()
            .route("/apis/authorization.k8s.io/v1/subjectaccessreviews", post(review))
            .route("/apis/authentication.k8s.io/v1/tokenreviews", post(review))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut config = kube::Config::new(url.parse().unwrap());
        config.default_retry = false;
        Client::try_from(config).unwrap()
    }
}

async fn review(
    State(server): State<ReviewServer>,
    Json(mut review): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    server.seen.lock().push(review["spec"].clone());
    if let Some(gate) = &server.gate {
        // Returns when the gate is opened, which closes the semaphore.
        let _ = gate.acquire().await;
    }
    review["status"] = (server.decide)(&review["spec"])?;
    Ok(Json(review))
}
