//! A connection through an HTTP proxy: `CONNECT HOST:PORT` (RFC 9110, section 9.3.6), also for plain HTTP.
//!
//! The proxy then only passes bytes on. So requests, TLS, HTTP/2 and WebSockets are the same as without it, and
//! no header for the proxy can reach the target, nor one for the target the proxy.

use http_body_util::Empty;
use hyper::{
    Method, Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{AUTHORIZATION, HOST, HeaderValue, PROXY_AUTHORIZATION},
};
use hyper_util::rt::TokioIo;

use super::{BoxedStream, Detail, Failure, Target};

/// Opens a tunnel to the target on a connection to the proxy.
///
/// # Errors
/// When the proxy refuses, or does not answer in HTTP.
pub(super) async fn open(
    stream: BoxedStream,
    proxy: &Target,
    target: &Target,
) -> Result<BoxedStream, Failure> {
    let place = if target.host.contains(':') {
        format!("[{}]:{}", target.host, target.port)
    } else {
        format!("{}:{}", target.host, target.port)
    };
    let request = request(&place, proxy).ok_or(Failure::Proxy(
        "cannot be asked for this host".to_owned(),
        Detail::NONE,
    ))?;
    let lost = |error: hyper::Error| failed(&Failure::connection(&error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    // The task ends with the upgrade, or when its sender is dropped.
    tokio::task::spawn_local(connection.with_upgrades());
    let answer = sender.send_request(request).await.map_err(lost)?;
    if !answer.status().is_success() {
        let refused = format!("status {} to CONNECT", answer.status().as_u16());
        return Err(Failure::Proxy(refused, Detail::NONE));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(lost)?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

/// The failure of the way to the proxy. What the load generator itself lacks stays its own fault.
pub(super) fn failed(failure: &Failure) -> Failure {
    match failure {
        Failure::Generator(_) => failure.clone(),
        other => {
            let detail = other.detail().map_or(Detail::NONE, Detail::of);
            Failure::Proxy(other.to_string(), detail)
        }
    }
}

fn request(place: &str, proxy: &Target) -> Option<Request<Empty<Bytes>>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = Uri::builder().authority(place).build().ok()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(place).ok()?);
    if let Some(credentials) = proxy.headers.get(AUTHORIZATION) {
        headers.insert(PROXY_AUTHORIZATION, credentials.clone());
    }
    Some(request)
}
