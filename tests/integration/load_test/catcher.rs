//! A server that keeps what arrives, and answers as a test says.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, Response, body::Bytes, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) method: String,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// The body, with what is not UTF-8 in it replaced.
    pub(super) body: String,
    /// The body as it came.
    pub(super) bytes: Bytes,
}

impl Arrived {
    /// The value of a header; empty without one.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// The fields of the query, decoded.
    pub(super) fn query(&self) -> BTreeMap<String, String> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        fields(query)
    }

    /// The path without the query.
    pub(super) fn place(&self) -> &str {
        self.path
            .split_once('?')
            .map_or(self.path.as_str(), |(path, _)| path)
    }
}

/// Fields of a query, or of a form, decoded.
pub(super) fn fields(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// An answer with a status and a body.
pub(super) fn answer(status: u16, body: impl Into<String>) -> Answer {
    let mut response = Response::new(Full::from(body.into()));
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// Keeps what arrives. `/hang` is never answered.
pub(super) struct Catcher {
    pub(super) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    task: JoinHandle<()>,
}

impl Catcher {
    /// Answers every request with one status.
    pub(super) async fn start(status: u16) -> Self {
        Self::answering(move |_| answer(status, "")).await
    }

    /// Answers as the function says. A request that it refuses, because something in it is wrong, fails at the
    /// client too.
    pub(super) async fn answering(say: impl Fn(&Arrived) -> Answer + Send + Sync + 'static) -> Self {
        support::turn::wait_to_load();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let (kept, say) = (arrived.clone(), Arc::new(say));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, say) = (kept.clone(), say.clone());
                let service = hyper::service::service_fn(move |request| {
                    let (kept, say) = (kept.clone(), say.clone());
                    async move { answered(&kept, say.as_ref(), request).await }
                });
                connections.spawn(async move {
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, arrived, task }
    }

    /// What has arrived since the last call.
    pub(super) fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut self.arrived.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answered(
    kept: &Mutex<Vec<Arrived>>,
    say: &(impl Fn(&Arrived) -> Answer + Sync),
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    let bytes = body.unwrap_or_default();
    let arrived = Arrived {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
    };
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(arrived.clone());
    if arrived.path == "/hang" {
        std::future::pending::<()>().await;
    }
    Ok(say(&arrived))
}
