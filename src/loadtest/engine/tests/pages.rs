//! Answers over HTTP/1.1 and HTTP/2 of which each is what some real server sends.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode, Version,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_ENCODING, HOST, HeaderName, HeaderValue},
};

/// The body of `/gzip`, `/br` and `/zstd`, before it is encoded.
const BODY: &str = r#"{"ok":true,"pad":""#;

/// Answers a request by its path; what is not as it should be gets 400.
pub fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/auth" => status(
            if request
                .headers()
                .get(AUTHORIZATION)
                .is_some_and(|value| value == "Basic dXNlcjpwQHNz")
            {
                StatusCode::OK
            } else {
                StatusCode::UNAUTHORIZED
            },
        ),
        "/host" => status(if host_is(request, "other.example") {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        }),
        "/headers" => many_headers(),
        "/gzip" => encoded("gzip", gzip(body().as_bytes())),
        _ => status(StatusCode::OK),
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Over HTTP/2 the host is the authority, and no header besides.
fn host_is(request: &Request<Incoming>, host: &str) -> bool {
    let header = request.headers().get(HOST);
    if request.version() == Version::HTTP_2 {
        request.uri().host() == Some(host) && header.is_none()
    } else {
        header.is_some_and(|value| value == host)
    }
}

/// 200 headers of together 256 KiB.
fn many_headers() -> Response<Full<Bytes>> {
    let mut response = status(StatusCode::OK);
    for number in 0..200 {
        let name = HeaderName::try_from(format!("x-part-{number:03}")).unwrap();
        let value = "v".repeat(256 * 1024 / 200 - name.as_str().len());
        response
            .headers_mut()
            .insert(name, HeaderValue::try_from(value).unwrap());
    }
    response
}

fn body() -> String {
    format!("{BODY}{}\"}}", "a".repeat(300))
}

fn encoded(encoding: &'static str, bytes: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(bytes));
    response
        .headers_mut()
        .insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    response
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
