//! The plain-HTTP side port: `/healthz`, `/readyz` and `/metrics`.
//!
//! Checks are closures over state the owner keeps up to date; they must answer from memory, because a
//! kubelet asks them every few seconds with a short time limit.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// `Ok` or, for humans, what is missing.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the endpoints answer from.
#[derive(Clone)]
pub struct Endpoints {
    /// `/healthz`: the process works; a failure gets it restarted.
    pub live: Check,
    /// `/readyz`: it can do its work now; a failure takes it out of Services and rollouts wait.
    pub ready: Check,
    /// `/metrics`.
    pub registry: Arc<Registry>,
}

/// Why the port could not be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address} (--metrics-bind-address): {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The accept loop failed.
    #[error("the metrics and health port failed: {0}")]
    Serve(#[source] std::io::Error),
}

/// A check that always passes.
pub fn always() -> Check {
    Arc::new(|| Ok(()))
}

/// Opens the port. Separate from [`serve`] so that a taken port ends the start, and so that a test can ask
/// for port 0 and read the real one.
///
/// # Errors
/// [`HttpError::Bind`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, HttpError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| HttpError::Bind { address, source })
}

/// Serves until `stop` is cancelled.
///
/// # Errors
/// [`HttpError::Serve`].
pub async fn serve(
    listener: TcpListener,
    endpoints: Endpoints,
    stop: CancellationToken,
) -> Result<(), HttpError> {
    axum::serve(listener, router(endpoints))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .map_err(HttpError::Serve)
}

/// The routes, without a listener.
pub fn router(endpoints: Endpoints) -> Router {
    Router::new()
        .route(
            "/healthz",
            get(|State(e): State<Endpoints>| async move { answer(&e.live) }),
        )
        .route(
            "/readyz",
            get(|State(e): State<Endpoints>| async move { answer(&e.ready) }),
        )
        .route(
            "/metrics",
            get(|State(e): State<Endpoints>| async move { metrics(&e.registry) }),
        )
        .with_state(endpoints)
}

fn answer(check: &Check) -> Response {
    match check() {
        Ok(()) => (StatusCode::OK, "ok\n").into_response(),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, missing + "\n").into_response(),
    }
}

fn metrics(registry: &Registry) -> Response {
    let mut body = String::new();
    match encode(&mut body, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[tokio::test]
    async fn health_readiness_and_metrics_are_served() {
        let ready = Arc::new(AtomicBool::new(false));
        let seen = ready.clone();
        let mut registry = Registry::default();
        registry.register("things", "Things counted", Counter::<u64>::default());
        let endpoints = Endpoints {
            live: always(),
            ready: Arc::new(move || {
                let ready = seen.load(Ordering::SeqCst);
                ready
                    .then_some(())
                    .ok_or_else(|| "not yet read: things".to_owned())
            }),
            registry: Arc::new(registry),
        };
        let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, endpoints, stop.clone()));
        // reqwest has no TLS provider of its own, and asks for one even to speak plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let get = async |path: &str| {
            let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(get("/healthz").await.0, 200);
        assert_eq!(get("/readyz").await, (503, "not yet read: things\n".to_owned()));
        ready.store(true, Ordering::SeqCst);
        assert_eq!(get("/readyz").await.0, 200);
        assert!(get("/metrics").await.1.contains("things_total 0"));
        stop.cancel();
        serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_flag() {
        let taken = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let error = bind(taken.local_addr().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("--metrics-bind-address"), "{error}");
    }
}
