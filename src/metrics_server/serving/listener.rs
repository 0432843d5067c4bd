//! The secure port: TLS, HTTP/1.1 and HTTP/2, limits on what a client can hold open, and a graceful stop that
//! lets requests in flight end.

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

use vas_cluster::listening::{
    self,
    slots::{self, ConnectionSlots, Slot},
};

/// Longest time for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time from the handshake to the first request. Without this limit a silent client would hold its
/// slot for ever, because hyper's HTTP/2 server has no timeout for the connection preface.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for the head of a request on HTTP/1.1, idle time included.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time without a request, also for an HTTP/2 client that answers pings. The API server sends several
/// requests a minute; if it did not, it connects again.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest wait for a connection to close after its graceful shutdown began (GOAWAY).
const GOODBYE: Duration = Duration::from_secs(2);
/// Concurrent requests on one HTTP/2 connection. The API server multiplexes all its requests over few
/// connections.
const MAX_STREAMS: u32 = 500;
/// Interval of HTTP/2 pings on an idle connection; it is closed when a ping gets no answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Longest head of a request, in bytes.
const MAX_HEADERS: u32 = 64 << 10;
/// Longest wait for requests in flight when stopping.
const DRAIN: Duration = Duration::from_secs(10);

/// The client at the other end of a connection.
pub(crate) struct Peer {
    chain: Vec<CertificateDer<'static>>,
    slot: Arc<Slot>,
}

impl Peer {
    /// The client's certificate chain, unverified; empty if it sent none.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Records that the client has authenticated: its slot is evicted after those of unknown clients.
    pub(crate) fn mark_authenticated(&self) {
        self.slot.mark_authenticated();
    }
}

/// Answers the requests of the secure port.
pub(crate) trait Service: Send + Sync + 'static {
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
/// When the address is taken or does not belong to this machine.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    listening::bind(address).map_err(|source| BindError { address, source })
}

/// Serves until `stop` is cancelled, then waits for requests in flight to end.
pub(crate) async fn serve<S: Service>(
    listener: TcpListener,
    tls: ServerConfig,
    service: Arc<S>,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let slots = ConnectionSlots::new(slots::limit());
    let connection = |stream, slot| connection(stream, acceptor.clone(), service.clone(), slot, stop.clone());
    let connections = listening::accept(listener, slots, &stop, connection).await;
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!("requests were still in flight when the port closed");
    }
}

/// Serves one connection to its end. Errors are only logged at debug level: probes break off connections by
/// design.
async fn connection<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    acceptor: TlsAcceptor,
    service: Arc<S>,
    slot: Arc<Slot>,
    stop: CancellationToken,
) {
    let handshake = tokio::select! {
        handshake = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)) => handshake,
        () = slot.evicted() => return,
    };
    let Ok(Ok(stream)) = handshake else { return };
    let tls = stream.get_ref().1;
    let speaks_http2 = tls.alpn_protocol() == Some(b"h2");
    let peer = Arc::new(Peer {
        chain: tls.peer_certificates().unwrap_or_default().to_vec(),
        slot: slot.clone(),
    });
    let in_use = slot.clone();
    let service = service_fn(move |request| {
        let (service, peer, in_flight) = (service.clone(), peer.clone(), in_use.begin_request());
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
    // The protocol is the one that ALPN selected. hyper's detection from the first bytes would wait for them
    // without a limit.
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
        () = enough(&slot) => {
            // A client that never authenticated may be hostile, so it gets no time for a graceful end.
            if !slot.is_authenticated() {
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

/// Completes when the connection has been idle for too long, or its slot was evicted.
async fn enough(slot: &Slot) {
    tokio::select! {
        () = slot.idle_for(FIRST_REQUEST_TIMEOUT, IDLE_TIMEOUT) => {}
        () = slot.evicted() => {}
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
        certificate::issue::issue,
        serving::tls::{ServingCertificate, server_config},
    };
    use vas_cluster::clock::{Clock, SystemClock};

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
            let held = ConnectionSlots::new(1)
                .acquire([127, 0, 0, 1].into())
                .await
                .unwrap();
            let (client, server) = tokio::io::duplex(1 << 16);
            let connection = connection(
                server,
                acceptor.clone(),
                Arc::new(Nothing),
                held.slot(),
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
