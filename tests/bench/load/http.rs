//! Requests over HTTP/2 and TLS.

use std::sync::Arc;

use http_body_util::{BodyExt, Empty};
use hyper::{
    HeaderMap, Request, Uri,
    body::{Bytes, Incoming},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_rustls::TlsConnector;

use super::Outcome;

/// The client that the server sees.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// TLS: the trusted server certificates, and the client's own certificate.
    pub tls: Arc<ClientConfig>,
    /// Headers of every request, such as `Authorization` or `X-Remote-User`.
    pub headers: HeaderMap,
    /// The name in the server's certificate.
    pub server_name: &'static str,
}

/// Open connections to a server. Requests go over them in turn.
#[derive(Debug)]
pub(crate) struct Http {
    connections: Vec<(SendRequest<Empty<Bytes>>, JoinHandle<()>)>,
    headers: HeaderMap,
    uris: Vec<Uri>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Http {
    /// Connects `connections` times to a port of this machine; requests ask for `paths` in turn.
    ///
    /// # Errors
    /// When the server cannot be reached or does not speak HTTP/2 over TLS.
    pub(crate) async fn connect(
        port: u16,
        caller: &Caller,
        connections: usize,
        paths: &[String],
    ) -> Result<Self, BoxError> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(connect(port, caller).await?);
        }
        let uris = paths
            .iter()
            .map(|path| format!("https://{}:{port}{path}", caller.server_name).parse())
            .collect::<Result<_, _>>()?;
        Ok(Self {
            connections: open,
            headers: caller.headers.clone(),
            uris,
        })
    }

    /// Sends one request and reads its whole answer.
    pub(crate) fn get(&self, number: u64) -> impl Future<Output = Outcome> + Send + use<> {
        let answer = self.ask(number);
        async move {
            match answer.await {
                Ok((200, _)) => Outcome::Answered,
                Ok((status, _)) => Outcome::Failed(format!("status {status}")),
                Err(error) => Outcome::Failed(error.to_string()),
            }
        }
    }

    /// Sends one request: its status and body.
    pub(crate) fn ask(
        &self,
        number: u64,
    ) -> impl Future<Output = Result<(u16, Bytes), BoxError>> + Send + use<> {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let mut sender = self.connections[index % self.connections.len()].0.clone();
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uris[index % self.uris.len()].clone();
        *request.headers_mut() = self.headers.clone();
        async move {
            sender.ready().await?;
            let response: hyper::Response<Incoming> = sender.send_request(request).await?;
            let status = response.status().as_u16();
            Ok((status, response.into_body().collect().await?.to_bytes()))
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        for (_, connection) in &self.connections {
            connection.abort();
        }
    }
}

async fn connect(
    port: u16,
    caller: &Caller,
) -> Result<(SendRequest<Empty<Bytes>>, JoinHandle<()>), BoxError> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(caller.server_name)?;
    let stream = TlsConnector::from(caller.tls.clone())
        .connect(name, stream)
        .await?;
    if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err("the server does not speak HTTP/2".into());
    }
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let connection = tokio::spawn(async move {
        // The requests in flight report what went wrong.
        let _ = connection.await;
    });
    Ok((sender, connection))
}
