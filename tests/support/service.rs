//! A server on this machine that answers at set moments, and records when requests came.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response, StatusCode, body::Bytes, body::Incoming, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

/// The token that a login returns.
const TOKEN: &str = "a-token";

/// The time in which all answers are held: its beginning and its end.
pub type Stall = Option<(Instant, Instant)>;

/// Listens until dropped.
pub struct Server {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct State {
    stall: Stall,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Server {
    /// Answers at once, except during the stall.
    pub async fn start(stall: Stall) -> Self {
        super::turn::wait_to_load();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::on(listener, stall)
    }

    /// The same on a listener that exists already.
    pub fn on(listener: TcpListener, stall: Stall) -> Self {
        let address = listener.local_addr().expect("an address");
        let asked = Arc::<Mutex<Vec<Instant>>>::default();
        let state = State {
            stall,
            asked: asked.clone(),
        };
        Self {
            address,
            asked,
            task: tokio::spawn(serve(listener, state)),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Moments at which requests came.
    pub fn asked(&self) -> Vec<Instant> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, state: State) {
    // Connections end when the server is dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = hyper::service::service_fn(move |request| answer(state.clone(), request));
        connections.spawn(async move {
            let _ = stream.set_nodelay(true);
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(state: State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let now = Instant::now();
    state
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(now);
    if let Some((from, to)) = state.stall
        && now >= from
        && now < to
    {
        tokio::time::sleep_until(to.into()).await;
    }
    Ok(routed(request).await)
}

/// The endpoints of VoiceAssist that the built-in scenarios need.
async fn routed(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    if path == "/ws" {
        return upgraded(request);
    }
    if path == "/hang" {
        std::future::pending::<()>().await;
    }
    let authorized = request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == &format!("Bearer {TOKEN}"));
    let method = request.method().clone();
    let body = request.into_body().collect().await;
    let said = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match (method, path.as_str()) {
        (Method::GET, "/" | "/health") => json(StatusCode::OK, r#"{"status":"ok"}"#),
        (Method::GET, "/broken") => json(StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        (Method::POST, "/api/auth/login") if said.starts_with(b"{\"email\"") => {
            json(StatusCode::OK, &format!(r#"{{"token":"{TOKEN}"}}"#))
        }
        (_, path) if path.starts_with("/api/") && !authorized => json(StatusCode::UNAUTHORIZED, "{}"),
        (Method::POST, path) if path.starts_with("/api/") => json(StatusCode::CREATED, r#"{"id":"42"}"#),
        (Method::GET | Method::DELETE, path) if path.starts_with("/api/") && !path.contains("{{") => {
            json(StatusCode::OK, r#"{"items":[]}"#)
        }
        _ => json(StatusCode::NOT_FOUND, "{}"),
    }
}

fn json(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_owned()));
    *response.status_mut() = status;
    response
}

/// Echoes texts, and sends voice frames on request.
fn upgraded(mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return json(StatusCode::BAD_REQUEST, "{}");
    };
    let accept = derive_accept_key(key.as_bytes());
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else {
            return;
        };
        talk(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await).await;
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, "Upgrade".parse().expect("a value"));
    headers.insert(header::UPGRADE, "websocket".parse().expect("a value"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.parse().expect("a value"));
    response
}

async fn talk(mut socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>) {
    use futures::{SinkExt as _, StreamExt as _};
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let request: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let frames = request.and_then(|request| request["frames"].as_u64());
        let Some(frames) = frames else {
            if socket.send(Message::Text(text)).await.is_err() {
                return;
            }
            continue;
        };
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..frames {
            ticks.tick().await;
            if socket.send(Message::Binary(vec![0; 640].into())).await.is_err() {
                return;
            }
        }
    }
}
