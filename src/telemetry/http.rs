//! The plain-HTTP side port: `/healthz`, `/readyz` and `/metrics`.
//!
//! Checks are closures over state the owner keeps up to date; they must answer from memory, because a
//! kubelet asks them every few seconds with a short time limit. Connections are few and must not stay silent,
//! so that nobody can keep the kubelet out.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// `Ok` or, for humans, what is missing.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Connections held at once; more wait in the system's backlog.
const MAX_CONNECTIONS: usize = 128;
/// Longest wait for the head of a request, idle time included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for requests in flight when stopping.
const DRAIN: Duration = Duration::from_secs(1);

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
pub async fn serve(listener: TcpListener, endpoints: Endpoints, stop: CancellationToken) {
    let router = router(endpoints);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &places)).await {
        match accepted {
            Ok((stream, place)) => {
                let connection = connection(stream, router.clone(), stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Such as too many open files: others must close first.
                tracing::warn!(%error, "accepting a connection on the plain port failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    connections.close();
    // Whoever is still reading then asks again elsewhere.
    let _ = timeout(DRAIN, connections.wait()).await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let place = places
        .clone()
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// One connection to its end. Its errors are the client's business.
async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router, stop: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the plain port ended with an error");
    }
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

/// The registry in the text format of OpenMetrics.
pub fn metrics(registry: &Registry) -> Response {
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
        serving.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_nothing_loses_its_place() {
        let endpoints = Endpoints {
            live: always(),
            ready: always(),
            registry: Arc::default(),
        };
        let (_silent, server) = tokio::io::duplex(1024);
        let connection = connection(server, router(endpoints), CancellationToken::new());
        assert!(timeout(HEADER_TIMEOUT * 2, connection).await.is_ok());
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_flag() {
        let taken = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let error = bind(taken.local_addr().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("--metrics-bind-address"), "{error}");
    }
}
