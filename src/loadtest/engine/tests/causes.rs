//! Servers that fail in one way again and again, each time with other details. One cause is reported, and it
//! is named.

use std::{sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::{
    begin, get, rate,
    raw::{Server, frames, go_away, reset, say},
    scenario, target,
};
use crate::{http::Protocol, model::measured::Measured};

/// Long enough that messages which contain seconds differ.
const LENGTH: Duration = Duration::from_millis(2500);
const REQUESTS: u64 = 25;

/// Requests on new connections, and how they failed.
async fn failing(url: &str, protocol: Protocol, ca: Option<&str>) -> Measured {
    let mut target = target(url, protocol, ca);
    target.fresh_connections = true;
    let load = scenario(rate(10.0, LENGTH), vec![get("/")]);
    let measured = begin(load, &target).finish().await.unwrap();
    assert_eq!((measured.total.answered, measured.total.failed()), (0, REQUESTS));
    measured
}

fn causes(measured: &Measured) -> Vec<&str> {
    measured.total.failures.keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_reset_is_told_with_the_reason_of_http2() {
    for (reason, words) in [
        (7, "HTTP/2: RST_STREAM REFUSED_STREAM"),
        (11, "HTTP/2: RST_STREAM ENHANCE_YOUR_CALM"),
        (2, "HTTP/2: RST_STREAM INTERNAL_ERROR"),
        (4711, "HTTP/2: RST_STREAM with an unknown reason"),
    ] {
        let server = Server::start(move |stream, _| frames(stream, move |id| reset(id, reason))).await;
        let url = format!("http://127.0.0.1:{}", server.port);
        let measured = failing(&url, Protocol::Http2, None).await;
        assert_eq!(causes(&measured), [words]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_sent_away_is_told_with_its_reason_and_without_what_the_server_wrote() {
    let server = Server::start(|stream, number| {
        frames(stream, move |_| {
            go_away(11, &format!("too_many_pings of client {number}"))
        })
    })
    .await;
    let url = format!("http://127.0.0.1:{}", server.port);
    let measured = failing(&url, Protocol::Http2, None).await;
    assert_eq!(causes(&measured), ["HTTP/2: GOAWAY ENHANCE_YOUR_CALM"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_is_one_cause_however_long_ago_it_expired() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let (ca, der) = (certificate.pem(), certificate.der().clone());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![der], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.map(drop) }
    })
    .await;
    let url = format!("https://localhost:{}", server.port);
    let measured = failing(&url, Protocol::Http1, Some(&ca)).await;
    assert_eq!(causes(&measured), ["TLS: the certificate has expired"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_behind_https_is_told_as_such() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start(|mut stream, number| async move {
        stream.read_exact(&mut [0; 5]).await?;
        let answer = format!("HTTP/1.1 400 Bad Request\r\nx-request: {number}\r\n\r\n");
        stream.write_all(answer.as_bytes()).await?;
        tokio::time::sleep(LENGTH).await;
        Ok(())
    })
    .await;
    let url = format!("https://localhost:{}", server.port);
    let mut trusting = target(&url, Protocol::Http1, None);
    trusting.fresh_connections = true;
    let load = scenario(rate(10.0, LENGTH), vec![get("/")]);
    let measured = begin(load, &trusting).finish().await.unwrap();
    assert_eq!(causes(&measured), ["TLS: the server does not speak TLS"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_not_http_and_ones_that_are_cut_off_are_a_cause_each() {
    let server = Server::start(|stream, number| {
        let answer = if number % 2 == 0 {
            format!("SSH-2.0-OpenSSH_{number}\r\n\r\n")
        } else {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nhal", 5 + number)
        };
        say(stream, answer)
    })
    .await;
    let url = format!("http://127.0.0.1:{}", server.port);
    let measured = failing(&url, Protocol::Http1, None).await;
    assert_eq!(
        causes(&measured),
        [
            "connection: closed before the answer was complete",
            "connection: the answer is not HTTP",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_without_an_address_is_no_refused_connection() {
    let measured = failing(
        &format!("http://{}.invalid:8080", "a".repeat(70)),
        Protocol::Http1,
        None,
    )
    .await;
    assert_eq!(causes(&measured), ["cannot resolve the name of the target"]);
}

/// The reason phrase and the status are the server's choice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_invents_statuses_fills_no_report_with_them() {
    let server = Server::start(|stream, number| {
        let status = 400 + number % 600;
        let answer = format!("HTTP/1.1 {status} Never {number}\r\ncontent-length: 0\r\n\r\n");
        say(stream, answer)
    })
    .await;
    let mut target = target(
        &format!("http://127.0.0.1:{}", server.port),
        Protocol::Http1,
        None,
    );
    target.fresh_connections = true;
    let load = scenario(rate(100.0, 2 * Duration::from_secs(1)), vec![get("/")]);
    let measured = begin(load, &target).finish().await.unwrap();
    let failures = &measured.total.failures;
    assert_eq!(measured.total.failed(), 200, "{failures:?}");
    assert!(failures.len() <= 51, "{} causes: {failures:?}", failures.len());
    assert!(failures.get("other") > Some(&0), "{failures:?}");
}
