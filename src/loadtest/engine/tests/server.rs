//! A server with TLS, HTTP/1.1, HTTP/2 and WebSockets.

use std::{
    convert::Infallible,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONNECTION, COOKIE, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SET_COOKIE, UPGRADE},
    service::service_fn,
    upgrade::Upgraded,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use rcgen::generate_simple_self_signed;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Barrier,
    task::JoinHandle,
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, frame::coding::CloseCode},
    },
};

use super::pages;

/// Listens until it is dropped.
pub(crate) struct Server {
    /// URL of the server.
    pub(crate) url: String,
    /// Certificate of the server, which is its own CA.
    pub(crate) ca: String,
    task: JoinHandle<()>,
}

impl Server {
    /// A server without TLS.
    pub(crate) async fn plain() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        let ca = String::new();
        Self { url, ca, task }
    }

    /// A server with TLS, whose handshake begins after `delay`.
    pub(crate) async fn tls(delay: Duration) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certified = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream).await;
                    }
                });
            }
        });
        let ca = certified.cert.pem();
        Self { url, ca, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
    let _ = Builder::new(TokioExecutor::new())
        .serve_connection_with_upgrades(TokioIo::new(stream), service_fn(answer))
        .await;
}

/// When the last request of the line is answered.
static LINE: Mutex<Option<Instant>> = Mutex::new(None);

/// Takes the next place in a line of ten requests per second. Returns the moment of the answer. Moments follow from
/// moments, so a busy machine makes one answer late, and not all behind it.
fn next_in_line() -> Instant {
    let mut last = LINE.lock().unwrap();
    let turn = last.unwrap_or_else(Instant::now).max(Instant::now());
    *last.insert(turn + Duration::from_millis(100))
}

/// Where three requests wait for each other.
static MEETING: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(3));

/// `/meet` answers three requests when all of them are there; `/late` answers after 1.5 s, `/after/N` after N milliseconds, `/line` ten requests a second, one after the
/// other; `/echo` echoes until the other side ends it, `/short` ends it after the first message, `/silent`
/// reads and sends nothing, `/deaf` does not even read, `/gone` ends the connection after the first message,
/// `/close/CODE` closes with a code at once, `/leave/CODE` does so and does not read; `/reply/N` sends the
/// first message back after N milliseconds and nothing more, `/voice/N` sends N frames after the first
/// message and closes with 1000; `/private` echoes to clients that have the header `x-user`, `/ticketed` to
/// those that have the cookie which `/ticket` sets.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let talk = match path.as_str() {
        "/late" => {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            None
        }
        "/meet" => {
            MEETING.wait().await;
            None
        }
        "/line" => {
            tokio::time::sleep_until(next_in_line()).await;
            None
        }
        "/echo" => Some(Talk::Echo(usize::MAX)),
        "/short" => Some(Talk::Echo(1)),
        "/silent" => Some(Talk::Silent),
        "/deaf" => Some(Talk::Deaf),
        "/gone" => Some(Talk::Gone),
        "/private" if request.headers().contains_key("x-user") => Some(Talk::Echo(usize::MAX)),
        "/ticket" => {
            let mut response = upgraded(request, Talk::Echo(usize::MAX));
            let ticket = HeaderValue::from_static("ticket=1; Path=/");
            response.headers_mut().insert(SET_COOKIE, ticket);
            return Ok(response);
        }
        "/ticketed"
            if request
                .headers()
                .get(COOKIE)
                .is_some_and(|cookie| cookie == "ticket=1") =>
        {
            Some(Talk::Echo(usize::MAX))
        }
        "/private" | "/ticketed" => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            return Ok(response);
        }
        path => match path.rsplit_once('/').map(|(does, number)| (does, number.parse())) {
            Some(("/after", Ok(milliseconds))) => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                None
            }
            Some(("/close", Ok(code))) => u16::try_from(code).ok().map(Talk::Close),
            Some(("/leave", Ok(code))) => u16::try_from(code).ok().map(Talk::Leave),
            Some(("/reply", Ok(milliseconds))) => Some(Talk::Reply(Duration::from_millis(milliseconds))),
            Some(("/voice", Ok(frames))) => Some(Talk::Voice(frames)),
            _ => None,
        },
    };
    Ok(match talk {
        Some(talk) => upgraded(request, talk),
        None => pages::answer(&request),
    })
}

/// What the server does on a WebSocket.
#[derive(Clone, Copy)]
enum Talk {
    /// Sends this many messages back.
    Echo(usize),
    /// Reads and sends nothing.
    Silent,
    /// Does not read.
    Deaf,
    /// Reads one message, and ends the connection without a close frame.
    Gone,
    /// Closes with this code.
    Close(u16),
    /// Closes with this code, and does not read.
    Leave(u16),
    /// Sends the first message back after this time, and nothing more.
    Reply(Duration),
    /// Sends this many frames after the first message, and closes with 1000.
    Voice(u64),
}

fn upgraded(mut request: Request<Incoming>, talk: Talk) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes())).unwrap();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    tokio::spawn(async move {
        let stream = TokioIo::new(hyper::upgrade::on(&mut request).await.unwrap());
        speak(
            WebSocketStream::from_raw_socket(stream, Role::Server, None).await,
            talk,
        )
        .await;
    });
    response
}

async fn speak(mut socket: WebSocketStream<TokioIo<Upgraded>>, talk: Talk) {
    match talk {
        Talk::Echo(messages) => {
            for _ in 0..messages {
                let Some(Ok(message)) = socket.next().await else {
                    return;
                };
                let data = message.is_text() || message.is_binary();
                if data && socket.send(message).await.is_err() {
                    return;
                }
            }
            let _ = socket.close(None).await;
        }
        Talk::Silent => while let Some(Ok(_)) = socket.next().await {},
        Talk::Deaf => std::future::pending().await,
        Talk::Gone => drop(socket.next().await),
        Talk::Close(code) => {
            close(&mut socket, code).await;
            while let Some(Ok(_)) = socket.next().await {}
        }
        Talk::Leave(code) => {
            close(&mut socket, code).await;
            std::future::pending::<()>().await;
        }
        Talk::Reply(after) => {
            if let Some(Ok(message)) = socket.next().await {
                tokio::time::sleep(after).await;
                let _ = socket.send(message).await;
            }
            while let Some(Ok(_)) = socket.next().await {}
        }
        Talk::Voice(frames) => {
            let _ = socket.next().await;
            for _ in 0..frames {
                let _ = socket.send(Message::binary(b"voice".to_vec())).await;
            }
            close(&mut socket, 1000).await;
            while let Some(Ok(_)) = socket.next().await {}
        }
    }
}

async fn close(socket: &mut WebSocketStream<TokioIo<Upgraded>>, code: u16) {
    let code = CloseCode::from(code);
    let reason = "a reason with 12 figures".into();
    let _ = socket.close(Some(CloseFrame { code, reason })).await;
}
