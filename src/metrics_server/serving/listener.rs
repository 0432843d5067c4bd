//! The secure port: TLS, HTTP/1.1 and HTTP/2, bounds on what a client can hold open, and a stop that lets requests in
//! flight end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::response::Response;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustls::{ServerConfig, pki_types::CertificateDer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::cluster::listening::{
    self,
    places::{self, Places, Seat},
};

/// Longest TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time from the handshake to the first request: clients connect in order to ask. Without it one that
/// never speaks would hold its place for ever, for HTTP/2 knows no limit before its preface.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for the head of a request on HTTP/1.1, idle time included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time without a request, also of an HTTP/2 client that answers our probes. The API server asks several
/// times a minute, and connects again where it did not.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest wait for a connection that was told that it ends.
const GOODBYE: Duration = Duration::from_secs(2);
/// Requests at once on one HTTP/2 connection: the API server multiplexes all of its own over few.
const MAX_STREAMS: u32 = 500;
/// Idle HTTP/2 connections are probed this often, and closed when nobody answers.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Longest head of a request, in bytes.
const MAX_HEADERS: u32 = 64 << 10;
/// Longest wait for requests in flight when stopping.
const DRAIN: Duration = Duration::from_secs(10);

/// The other end of a connection.
pub struct Peer {
    chain: Vec<CertificateDer<'static>>,
    seat: Arc<Seat>,
}

impl Peer {
    /// The client's certificate, unverified; empty if it showed none.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// It said who it is, and was believed: it keeps its place before strangers do.
    pub fn identified(&self) {
        self.seat.identified();
    }
}

/// Answers requests.
pub trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn serve(&self, request: Request<Incoming>, peer: &Peer) -> impl Future<Output = Response> + Send;
}

/// Why the port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (--bind-address, --secure-port): {source}")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// Opens the port.
///
/// # Errors
/// When the address is taken or not ours.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    listening::bind(address).map_err(|source| BindError { address, source })
}

/// Serves until `stop`, then lets requests in flight end.
pub async fn serve<S: Service>(
    listener: TcpListener,
    tls: ServerConfig,
    service: Arc<S>,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let places = Places::new(places::most());
    let connection = |stream, seat| connection(stream, acceptor.clone(), service.clone(), seat, stop.clone());
    let connections = listening::accept(listener, places, &stop, connection).await;
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!("requests were still in flight when the port closed");
    }
}

/// One connection to its end. Its errors are the client's business: probes are dropped in flight by design.
async fn connection<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    acceptor: TlsAcceptor,
    service: Arc<S>,
    seat: Arc<Seat>,
    stop: CancellationToken,
) {
    let handshake = tokio::select! {
        handshake = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)) => handshake,
        () = seat.must_leave() => return,
    };
    let Ok(Ok(stream)) = handshake else { return };
    let tls = stream.get_ref().1;
    let speaks_http2 = tls.alpn_protocol() == Some(b"h2");
    let peer = Arc::new(Peer {
        chain: tls.peer_certificates().unwrap_or_default().to_vec(),
        seat: seat.clone(),
    });
    let asked = seat.clone();
    let service = service_fn(move |request| {
        let (service, peer, in_flight) = (service.clone(), peer.clone(), asked.ask());
        async move {
            let response = service.serve(request, &peer).await;
            drop(in_flight);
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADERS as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .keep_alive_interval(KEEP_ALIVE);
    // What the handshake agreed on is spoken; guessing from the first bytes would wait for them without a limit.
    let builder = if speaks_http2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = enough(&seat) => {
            if !seat.is_known() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            match timeout(GOODBYE, connection).await {
                Ok(served) => served,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(error, "a connection ended with an error");
    }
}

/// Ends when a connection has been idle for too long, or its place is needed.
async fn enough(seat: &Seat) {
    tokio::select! {
        () = seat.idle_for(FIRST_REQUEST_TIMEOUT, IDLE_TIMEOUT) => {}
        () = seat.must_leave() => {}
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{ServerName, pem::PemObject},
    };
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::{
        cluster::clock::{Clock, SystemClock},
        metrics_server::{
            certificate::issue::issue,
            serving::tls::{ServingCertificate, server_config},
        },
    };

    struct Nothing;

    impl Service for Nothing {
        async fn serve(&self, _: Request<Incoming>, _: &Peer) -> Response {
            Response::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_nothing_loses_its_place_whatever_it_speaks() {
        let bundle = issue(
            &["localhost".to_owned()],
            SystemClock::new().now(),
            Duration::from_hours(1),
        )
        .unwrap();
        let certificate = Arc::new(ServingCertificate::default());
        certificate
            .set(bundle.certificate.as_bytes(), bundle.key.as_bytes())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(server_config(certificate).unwrap()));
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(bundle.ca.as_bytes()).unwrap())
            .unwrap();
        for protocol in ["h2", "http/1.1"] {
            let place = Places::new(1).take([127, 0, 0, 1].into()).await.unwrap();
            let (client, server) = tokio::io::duplex(1 << 16);
            let connection = connection(
                server,
                acceptor.clone(),
                Arc::new(Nothing),
                place.seat(),
                CancellationToken::new(),
            );
            let serving = tokio::spawn(connection);
            let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            let name = ServerName::try_from("localhost").unwrap();
            let _silent = TlsConnector::from(Arc::new(config))
                .connect(name, client)
                .await
                .unwrap();
            let ended = timeout(FIRST_REQUEST_TIMEOUT * 2, serving).await;
            assert!(ended.is_ok(), "{protocol} is still connected");
        }
    }
}
