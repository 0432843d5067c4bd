//! Connections made by hand, for requests that no client library sends.

use std::{sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    super::access::{HOST, shared_ca},
    Target,
};

/// Long enough for any limit of the server to end a connection.
const PATIENCE: Duration = Duration::from_secs(90);

pub(super) async fn tcp(target: &Target) -> TcpStream {
    TcpStream::connect(("127.0.0.1", target.port))
        .await
        .expect("a connection")
}

/// A TLS configuration that trusts the shared CA; with the certificate of a component of the cluster, if any.
pub(super) fn tls_config(target: &Target, protocol: &str, component: Option<&str>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let ca = shared_ca(target.stack.cluster);
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("PEM"))
        .expect("a CA");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match component {
        Some(component) => {
            let pki = target.stack.cluster.dir().join("pki");
            let chain = CertificateDer::from_pem_file(pki.join(format!("{component}.crt"))).expect("PEM");
            let key = PrivateKeyDer::from_pem_file(pki.join(format!("{component}.key"))).expect("PEM");
            builder
                .with_client_auth_cert(vec![chain], key)
                .expect("a key that fits")
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

pub(super) async fn tls(target: &Target, config: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let name = ServerName::try_from(HOST).expect("a name");
    TlsConnector::from(config.clone())
        .connect(name, tcp(target).await)
        .await
        .expect("a handshake")
}

/// Reads until the other side ends the connection, which it must do. A reset ends it too.
pub(super) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let reading = async {
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            all.extend_from_slice(&buffer[..read]);
        }
    };
    timeout(PATIENCE, reading)
        .await
        .expect("the server ends the connection");
    all
}

/// Sends one HTTP/1.1 request of the administrator unchanged. Returns status and body of the answer.
pub(super) async fn raw(
    target: &Target,
    config: &Arc<ClientConfig>,
    method: &str,
    path: &str,
) -> (u16, String) {
    let mut stream = tls(target, config).await;
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    // The server may answer and close the connection before it has read the whole request.
    let _ = stream.write_all(request.as_bytes()).await;
    let answer = until_closed(&mut stream).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_default(), body.to_owned())
}

pub(super) const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// A frame of HTTP/2.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a short payload")
        .to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The header block of a GET, without indexing. A value may be up to 127 bytes long.
pub(super) fn get_block(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x87];
    for (name, value) in [(1, HOST), (4, path)] {
        block.push(name);
        block.push(u8::try_from(value.len()).expect("a short value"));
        block.extend(value.as_bytes());
    }
    block
}

/// The kinds of the frames in what a server sent.
pub(super) fn frame_kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, ..] = bytes {
        kinds.push(*kind);
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        bytes = bytes.get(9 + length..).unwrap_or_default();
    }
    kinds
}
