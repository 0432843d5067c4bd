//! Answers over HTTP/1.1 and HTTP/2, each as some real server sends it.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode, Version,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_ENCODING, HOST, HeaderName, HeaderValue, LOCATION},
};

/// The body of `/gzip`.
const BODY: &[u8] = br#"{"ok":true}"#;
/// The same JSON with 300 times `a` as its `pad`, encoded by `node:zlib`.
const BROTLI: [u8; 41] = [
    0x1b, 0x3f, 0x01, 0xf8, 0x1d, 0x09, 0x76, 0xec, 0x84, 0x1b, 0xc7, 0xe0, 0x88, 0xbc, 0x16, 0x21, 0x5b,
    0xdb, 0x9b, 0x61, 0x6f, 0x70, 0xa5, 0xd3, 0xd7, 0x92, 0x80, 0x32, 0xcb, 0x64, 0x32, 0x00, 0x07, 0x76,
    0xc9, 0x35, 0x16, 0x2d, 0x97, 0x09, 0x01,
];
/// The same JSON, encoded by `zstd -19`.
const ZSTD: [u8; 42] = [
    0x28, 0xb5, 0x2f, 0xfd, 0x64, 0x40, 0x00, 0xe5, 0x00, 0x00, 0xa8, 0x7b, 0x22, 0x6f, 0x6b, 0x22, 0x3a,
    0x74, 0x72, 0x75, 0x65, 0x2c, 0x22, 0x70, 0x61, 0x64, 0x22, 0x3a, 0x22, 0x61, 0x22, 0x7d, 0x01, 0x00,
    0x51, 0x54, 0x10, 0x06, 0x23, 0xe2, 0x26, 0xe4,
];

/// Answers a request by its path; a request that is not as expected gets 400.
pub(crate) fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Some(left) = path.strip_prefix("/redirects/") {
        return match left.parse::<u32>().unwrap() {
            0 => status(StatusCode::OK),
            left => redirect(&(left - 1).to_string()),
        };
    }
    if let Some(url) = path.strip_prefix("/away?") {
        return redirect(url);
    }
    match path {
        "/long" => Response::new(Full::from(format!(
            r#"{{"large":"{}","small":"{}"}}"#,
            "x".repeat(262_145),
            "y".repeat(262_144)
        ))),
        "/exact/?a=b" => status(StatusCode::OK),
        path if path.starts_with("/exact") => status(StatusCode::NOT_FOUND),
        "/anonymous" => status(if request.headers().contains_key(AUTHORIZATION) {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        }),
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
        "/gzip" => encoded("gzip", gzip(BODY)),
        "/br" => encoded("br", BROTLI.to_vec()),
        "/zstd" => encoded("zstd", ZSTD.to_vec()),
        "/large" => encoded("gzip", gzip(&large())),
        "/refused" => status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => status(StatusCode::OK),
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn redirect(location: &str) -> Response<Full<Bytes>> {
    let mut response = status(StatusCode::FOUND);
    let location = HeaderValue::try_from(location).unwrap();
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Over HTTP/2 the host is the authority, and there is no Host header.
fn host_is(request: &Request<Incoming>, host: &str) -> bool {
    let header = request.headers().get(HOST);
    if request.version() == Version::HTTP_2 {
        request.uri().host() == Some(host) && header.is_none()
    } else {
        header.is_some_and(|value| value == host)
    }
}

/// 200 headers that have 256 KiB together.
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

/// A megabyte of `a`, and one `z`.
fn large() -> Vec<u8> {
    let mut body = vec![b'a'; 1 << 20];
    body.push(b'z');
    body
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
