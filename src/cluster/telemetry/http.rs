//! The plain-HTTP side port: `/healthz`, `/readyz` and `/metrics`.
//!
//! A check is a closure over state that its owner keeps up to date. Checks must answer from memory, because a
//! kubelet probes every few seconds with a short time limit. No client can keep the kubelet out: an idle
//! connection is closed when a new client needs its slot, and [`Scrapes`] answers `/metrics` on another thread, a
//! few scrapes at a time.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::{
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::scrapes::Scrapes;
use crate::listening::{
    self,
    slots::{ConnectionSlots, Slot},
};

/// `Ok`, or a text for people that says what is missing.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Connections held at once; a new client takes the slot of one that has no request in flight.
const MAX_CONNECTIONS: usize = 128;
/// Longest time that a client may be silent, take for the head of a request, or leave an answer unread.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Longest wait for requests in flight after `stop`.
const DRAIN: Duration = Duration::from_secs(1);

/// What the three endpoints answer from.
#[derive(Clone)]
pub struct Endpoints {
    /// `/healthz`, the liveness probe: when it fails the kubelet restarts the container.
    pub live: Check,
    /// `/readyz`, the readiness probe: when it fails the pod leaves the endpoints of its Services and
    /// rollouts wait.
    pub ready: Check,
    /// `/metrics`. A process that shows its metrics at another port too gives that port the same scrapes.
    pub metrics: Arc<Scrapes>,
}

/// Why the port could not be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken, or it does not belong to this machine.
    #[error("cannot listen on {address} (--metrics-bind-address): {source}")]
    Bind {
        /// The address that was requested.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// A check that always passes.
pub fn always() -> Check {
    Arc::new(|| Ok(()))
}

/// Opens the port. Separate from [`serve`] so that a taken port is an error at the start, and so that a test
/// can request port 0 and read which port it got.
///
/// # Errors
/// [`HttpError::Bind`].
pub fn bind(address: SocketAddr) -> Result<TcpListener, HttpError> {
    listening::bind(address).map_err(|source| HttpError::Bind { address, source })
}

/// Serves until `stop` is cancelled.
pub async fn serve(listener: TcpListener, endpoints: Endpoints, stop: CancellationToken) {
    let router = router(endpoints);
    let connection = |stream, slot| connection(stream, router.clone(), slot, stop.clone());
    let slots = ConnectionSlots::new(MAX_CONNECTIONS);
    let connections = listening::accept(listener, slots, &stop, connection).await;
    // A client that is still reading its answer then loses the connection, and retries at another replica.
    let _ = timeout(DRAIN, connections.wait()).await;
}

/// Serves one connection to its end. An error on it is only logged at debug level: it is the client's
/// business.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    slot: Arc<Slot>,
    stop: CancellationToken,
) {
    let (router, in_use) = (TowerToHyperService::new(router), slot.clone());
    let service = service_fn(move |request| {
        let (answer, in_flight) = (router.call(request), in_use.begin_request());
        async move {
            let answer = answer.await;
            drop(in_flight);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = slot.idle_for(IDLE_TIMEOUT, IDLE_TIMEOUT) => return,
        () = slot.evicted() => return,
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the plain port ended with an error");
    }
}

/// The routes of the port, without a listener.
fn router(endpoints: Endpoints) -> Router {
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
            get(|State(e): State<Endpoints>, headers: HeaderMap| async move { e.metrics.answer(headers).await }),
        )
        .with_state(endpoints)
}

fn answer(check: &Check) -> Response {
    match check() {
        Ok(()) => (StatusCode::OK, "ok\n").into_response(),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, missing + "\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    };

    use parking_lot::Mutex;
    use prometheus_client::{
        collector::Collector, encoding::DescriptorEncoder, metrics::counter::Counter, registry::Registry,
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;
    use crate::telemetry::exposed::Exposed;

    fn scrapes(registry: Registry) -> Arc<Scrapes> {
        Arc::new(Scrapes::new(Exposed::process(registry)))
    }

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
            metrics: scrapes(registry),
        };
        let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, endpoints, stop.clone()));
        // reqwest is built without a TLS provider, and requires one even for plain HTTP.
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

    fn healthy(registry: Registry) -> Endpoints {
        Endpoints {
            live: always(),
            ready: always(),
            metrics: scrapes(registry),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_ask_or_does_not_read_loses_its_place() {
        let mut registry = Registry::default();
        registry.register("things", "word ".repeat(1000), Counter::<u64>::default());
        let router = router(healthy(registry));
        for sent in ["", "GET /healthz HT", "GET /metrics HTTP/1.1\r\n\r\n"] {
            let held = ConnectionSlots::new(1)
                .acquire([127, 0, 0, 1].into())
                .await
                .unwrap();
            let (mut client, server) = tokio::io::duplex(1024);
            client.write_all(sent.as_bytes()).await.unwrap();
            let connection = connection(server, router.clone(), held.slot(), CancellationToken::new());
            assert!(timeout(IDLE_TIMEOUT * 3, connection).await.is_ok(), "{sent:?}");
        }
    }

    /// A served port; each call opens a connection to it.
    struct Port {
        address: SocketAddr,
        _stop: tokio_util::sync::DropGuard,
    }

    impl Port {
        fn serving(endpoints: Endpoints) -> Self {
            let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
            let address = listener.local_addr().unwrap();
            let stop = CancellationToken::new();
            tokio::spawn(serve(listener, endpoints, stop.clone()));
            Self {
                address,
                _stop: stop.drop_guard(),
            }
        }

        async fn send(&self, text: &str) -> TcpStream {
            let mut socket = TcpStream::connect(self.address).await.unwrap();
            socket.write_all(text.as_bytes()).await.unwrap();
            socket
        }

        /// The first line of the answer, as a probe of the kubelet reads it.
        async fn probe(&self, path: &str) -> String {
            let asked = async {
                let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                let mut socket = self.send(&request).await;
                let mut answer = String::new();
                socket.read_to_string(&mut answer).await.map(|_| answer)
            };
            let heard = timeout(Duration::from_secs(5), asked).await;
            let heard = heard.map_or_else(
                |late| late.to_string(),
                |answer| answer.unwrap_or_else(|e| e.to_string()),
            );
            heard.lines().next().unwrap_or_default().to_owned()
        }
    }

    #[tokio::test]
    async fn connections_that_are_only_held_do_not_keep_the_kubelet_out() {
        for held in [
            "",
            "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Never-Ends: ",
            "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        ] {
            let port = Port::serving(healthy(Registry::default()));
            let mut all = Vec::new();
            for _ in 0..192 {
                all.push(port.send(held).await);
            }
            for _ in 0..6 {
                assert_eq!(
                    port.probe("/healthz").await,
                    "HTTP/1.1 200 OK",
                    "beside 192 times {held:?}"
                );
            }
        }
    }

    /// A metric that cannot be read until the test allows it.
    #[derive(Debug)]
    struct Slow(Mutex<mpsc::Receiver<()>>);

    impl Collector for Slow {
        fn encode(&self, _: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
            let _ = self.0.lock().recv();
            Ok(())
        }
    }

    #[tokio::test]
    async fn health_does_not_wait_for_metrics() {
        let (held, until) = mpsc::channel();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Slow(Mutex::new(until))));
        let port = Port::serving(healthy(registry));
        let mut scrapes = Vec::new();
        for _ in 0..192 {
            scrapes.push(port.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await);
        }
        assert_eq!(port.probe("/healthz").await, "HTTP/1.1 200 OK");
        assert_eq!(port.probe("/readyz").await, "HTTP/1.1 200 OK");
        assert_eq!(port.probe("/metrics").await, "HTTP/1.1 503 Service Unavailable");
        drop(held);
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_flag() {
        let taken = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let error = bind(taken.local_addr().unwrap()).unwrap_err();
        assert!(error.to_string().contains("--metrics-bind-address"), "{error}");
    }
}
