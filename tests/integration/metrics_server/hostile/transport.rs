//! Attacks below HTTP: old TLS, no TLS, and slow clients.

use std::time::Duration;

use rustls::{ClientConfig, crypto::ring};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    target,
    wire::{
        END_HEADERS, HEADERS, HTTP2_PREFACE, SETTINGS, frame, frame_kinds, get_block, tcp, tls, tls_config,
        until_closed,
    },
};

/// A ClientHello whose newest version is TLS 1.1, with cipher suites of that time for RSA and ECDSA.
fn client_hello_of_tls_1_1() -> Vec<u8> {
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 6, 0xC0, 0x13, 0xC0, 0x09, 0, 0x2F, 1, 0]);
    // The length of the extensions, once it is known.
    hello.extend([0, 0]);
    // supported_groups: x25519 and secp256r1; ec_point_formats: uncompressed.
    hello.extend([0, 10, 0, 4 + 2, 0, 4, 0, 0x1D, 0, 0x17]);
    hello.extend([0, 11, 0, 2, 1, 0]);
    let extensions = u16::try_from(10 + 6).expect("short").to_be_bytes();
    let at = 2 + 32 + 11;
    hello[at] = extensions[0];
    hello[at + 1] = extensions[1];
    let length = u8::try_from(hello.len()).expect("short");
    let mut record = vec![0x16, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[tokio::test]
async fn tls_1_1_is_refused_and_tls_1_2_is_spoken() {
    let target = target().await;
    let mut stream = tcp(target).await;
    stream.write_all(&client_hello_of_tls_1_1()).await.unwrap();
    let answer = until_closed(&mut stream).await;
    // A fatal alert instead of a ServerHello.
    assert_eq!(answer.first(), Some(&0x15), "{answer:?}");
    assert_eq!(answer.get(5), Some(&2), "{answer:?}");
    assert_eq!(answer.len(), 7, "nothing but the alert: {answer:?}");

    let newer = tls_config(target, "http/1.1", None);
    let mut older = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    older
        .dangerous()
        .set_certificate_verifier(no_verification::verifier());
    drop(newer);
    let stream = tls(target, &older.into()).await;
    assert_eq!(
        stream.get_ref().1.protocol_version(),
        Some(rustls::ProtocolVersion::TLSv1_2)
    );
}

/// Verifies no certificate, for a handshake that is only about its TLS version.
mod no_verification {
    use std::sync::Arc;

    use rustls::{
        DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::ring,
        pki_types::{CertificateDer, ServerName, UnixTime},
    };

    #[derive(Debug)]
    struct Nothing;

    pub(super) fn verifier() -> Arc<dyn ServerCertVerifier> {
        Arc::new(Nothing)
    }

    impl ServerCertVerifier for Nothing {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            ring::default_provider()
                .signature_verification_algorithms
                .supported_schemes()
        }
    }
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_cut_off() {
    let target = target().await;
    let mut stream = tcp(target).await;
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = until_closed(&mut stream).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
}

#[tokio::test]
async fn who_sends_headers_slowly_is_cut_off() {
    let target = target().await;
    let old = target.front_proxy();
    let before = target.memory();
    let config = tls_config(target, "http/1.1", None);
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = tls(target, &config).await;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
            .await
            .unwrap();
        streams.push(tokio::io::split(stream));
    }
    target.assert_unharmed(before, &old).await;
    for (mut reader, mut writer) in streams {
        let dripping = async {
            // Ends with the connection.
            while writer.write_all(b"x-slow: 1\r\n").await.is_ok() && writer.flush().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = until_closed(&mut reader) => answer,
            () = dripping => unreachable!(),
        };
        assert!(
            !String::from_utf8_lossy(&answer).contains("200 OK"),
            "a request that never ended was answered"
        );
    }
    target.assert_unharmed(before, &old).await;
}

#[tokio::test]
async fn no_answer_waits_for_a_slow_body() {
    let target = target().await;
    let config = tls_config(target, "http/1.1", None);
    let mut stream = tls(target, &config).await;
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nslow")
        .await
        .unwrap();
    let answer = until_closed(&mut stream).await;
    assert!(
        String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200"),
        "{answer:?}"
    );

    let mut stream = tls(target, &tls_config(target, "h2", None)).await;
    let mut request = HTTP2_PREFACE.to_vec();
    request.extend(frame(SETTINGS, 0, 0, &[]));
    request.extend(frame(HEADERS, END_HEADERS, 1, &get_block("/healthz")));
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    let answered = async {
        let mut buffer = [0; 4096];
        while !frame_kinds(&answer).contains(&HEADERS) {
            let read = stream.read(&mut buffer).await.expect("the connection is open");
            assert_ne!(read, 0, "the connection is open");
            answer.extend_from_slice(&buffer[..read]);
        }
    };
    timeout(Duration::from_secs(30), answered)
        .await
        .expect("an answer");
}
