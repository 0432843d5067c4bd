//! Connections that are held open, and streams that are reset.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    Target, target,
    wire::{
        END_HEADERS, END_STREAM, GOAWAY, HEADERS, HTTP2_PREFACE, RST_STREAM, SETTINGS, frame, frame_kinds,
        get_block, tcp, tls, tls_config, until_closed,
    },
};

/// Connections of each kind. Together they are more than the server holds.
const EACH: usize = 420;

/// An HTTP/2 connection over which one request was answered.
async fn asked_once(
    target: &Target,
    config: &std::sync::Arc<rustls::ClientConfig>,
) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    let mut stream = tls(target, config).await;
    let mut request = HTTP2_PREFACE.to_vec();
    request.extend(frame(SETTINGS, 0, 0, &[]));
    request.extend(frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &get_block("/healthz"),
    ));
    stream.write_all(&request).await.unwrap();
    let mut buffer = [0; 4096];
    let mut answer = Vec::new();
    while !frame_kinds(&answer).contains(&HEADERS) {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => answer.extend_from_slice(&buffer[..read]),
            // Another connection was accepted instead.
            _ => break,
        }
    }
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_thousand_idle_connections_shut_nobody_out() {
    let target = target().await;
    let old = target.front_proxy();
    assert_eq!(target.read_by_hpa(&old).await, Ok(()));
    let before = target.memory();
    let (mut silent, mut after_handshake, mut after_request) = (Vec::new(), Vec::new(), Vec::new());
    let (http1, http2) = (
        tls_config(target, "http/1.1", None),
        tls_config(target, "h2", None),
    );
    for number in 0..EACH {
        silent.push(tcp(target).await);
        after_handshake.push(tls(target, &http1).await);
        after_request.push(asked_once(target, &http2).await);
        if number % 60 == 0 {
            target.assert_unharmed(before, &old).await;
        }
    }
    assert!(silent.len() + after_handshake.len() + after_request.len() > 1200);
    for _ in 0..10 {
        target.assert_unharmed(before, &old).await;
    }
}

#[tokio::test]
async fn http_2_streams_that_are_reset_at_once_end_the_connection_and_harm_nobody() {
    let target = target().await;
    let old = target.front_proxy();
    let before = target.memory();
    let config = tls_config(target, "h2", None);
    for _ in 0..5 {
        let stream = tls(target, &config).await;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut attack = HTTP2_PREFACE.to_vec();
        attack.extend(frame(SETTINGS, 0, 0, &[]));
        let block = get_block("/apis/custom.metrics.k8s.io/v1beta2");
        for number in 0..20_000 {
            let stream = 2 * number + 1;
            attack.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &block));
            // CANCEL
            attack.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        }
        // Writing fails once the server has closed the connection.
        let writing = async {
            let _ = writer.write_all(&attack).await;
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = until_closed(&mut reader) => answer,
            () = writing => unreachable!(),
        };
        assert!(
            frame_kinds(&answer).contains(&GOAWAY),
            "told why: {:?}",
            frame_kinds(&answer)
        );
    }
    tokio::time::timeout(Duration::from_secs(30), target.assert_unharmed(before, &old))
        .await
        .expect("others are answered");
}
