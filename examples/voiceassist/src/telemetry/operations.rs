//! The port of the kubelet and of Prometheus, which both programs have: /healthz, /readyz, /metrics.
//!
//! Liveness asks only the process. Readiness needs the first connection to PostgreSQL, with the migrations of the program, and
//! never asks again: a later outage hits every replica alike, so taking replicas out would only turn 503 into a refused
//! connection.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use prometheus_client::registry::Registry;

use super::exposition;

/// Whether the process wants requests. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether requests are wanted from now on.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    /// The answer of /readyz.
    pub fn answer(&self) -> (StatusCode, &'static str) {
        if self.0.load(Ordering::Relaxed) {
            (StatusCode::OK, "ready\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }
}

/// The routes.
pub fn router(registry: Arc<Registry>, readiness: Readiness) -> Router {
    Router::new()
        .route(
            "/metrics",
            get(|State(registry): State<Arc<Registry>>| async move { exposition::answer(&registry) }),
        )
        .with_state(registry)
        .merge(probes(readiness))
}

/// /healthz and /readyz alone, for the port of the API.
pub fn probes(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route(
            "/readyz",
            get(|State(readiness): State<Readiness>| async move { readiness.answer() }),
        )
        .with_state(readiness)
}
