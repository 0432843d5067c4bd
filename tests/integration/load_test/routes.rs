//! Ways to a server: a client certificate, another address than that of the name, and a Unix socket.

use std::{convert::Infallible, path::Path, sync::Arc};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
};
use tokio_rustls::TlsAcceptor;

use super::command::{file, valid_test, words};

/// Answers with 200 where the host is the expected one.
async fn serve(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, host: &'static str) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| async move {
        let named = request.headers().get("host").and_then(|host| host.to_str().ok());
        let mut response = Response::new(Full::<Bytes>::default());
        if named != Some(host) {
            *response.status_mut() = 421.try_into().expect("a status");
        }
        Ok::<_, Infallible>(response)
    });
    let connection = Builder::new(TokioExecutor::new());
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

/// A certificate of the authority for a name, with its key.
fn issued(authority: &CertifiedIssuer<'_, KeyPair>, name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_is_shown_and_the_name_stays_where_the_address_is_another() {
    support::turn::wait_to_load();
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let (server_certificate, server_key) = issued(&authority, "shop.example");
    let (client_certificate, client_key) = issued(&authority, "client");

    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).expect("a root");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
    let (certificate, key) = {
        use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
        (
            CertificateDer::from_pem_slice(server_certificate.as_bytes()).expect("PEM"),
            PrivateKeyDer::from_pem_slice(server_key.as_bytes()).expect("PEM"),
        )
    };
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier.expect("a verifier"))
        .with_single_cert(vec![certificate], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("a configuration")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let served = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // The server name is what the client asked for (SNI).
                if let Ok(stream) = acceptor.accept(stream).await
                    && stream.get_ref().1.server_name() == Some("shop.example")
                {
                    serve(stream, "shop.example").await;
                }
            });
        }
    });
    let written = |name: &str, pem: &str| {
        let path = file(name);
        std::fs::write(&path, pem).expect("a file");
        path.display().to_string()
    };
    let ca = written("route-ca.pem", &authority.pem());
    let cert = written("route-cert.pem", &client_certificate);
    let key = written("route-key.pem", &client_key);
    let run = [
        "run",
        "https://shop.example/",
        "--connect-to",
        &address,
        "--cacert",
        &ca,
    ];
    let load = ["--rate", "20", "--requests", "5"];
    let shown = ["--cert", &cert, "--key", &key];
    let ended = valid_test(&[&run[..], &shown, &load].concat()).await;
    assert_eq!(ended.status.code(), Some(0), "{:?}", words(&ended));
    // Without it the server refuses.
    let refused = valid_test(&[&run[..], &load].concat()).await;
    assert_eq!(refused.status.code(), Some(99), "{:?}", words(&refused));
    let (stdout, _) = words(&refused);
    assert!(
        stdout.contains("TLS: the server refuses the handshake"),
        "{stdout}"
    );
    served.abort();

    for (flags, words) in [
        (
            &["--cert", &cert, "--key", &cert][..],
            "--cert and --key: no key in PEM form",
        ),
        (&["--cert", "/none.pem", "--key", &key], "--cert /none.pem: "),
        (&["--cert", &cert], "--key <FILE>"),
    ] {
        let ended = valid_test(&[&run[..], flags, &load].concat()).await;
        let (_, stderr) = super::command::words(&ended);
        assert_eq!(ended.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unix_socket_is_asked_in_the_name_of_the_url() {
    support::turn::wait_to_load();
    // The path of a socket must be short.
    let folder = std::env::temp_dir().join(format!("vas-routes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let socket = folder.join("s");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let served = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, "docker"));
        }
    });
    let path = socket.display().to_string();
    let run = ["run", "http://docker/info", "--unix-socket", &path];
    let load = ["--rate", "20", "--requests", "5"];
    let ended = valid_test(&[&run[..], &load].concat()).await;
    assert_eq!(ended.status.code(), Some(0), "{:?}", words(&ended));
    served.abort();
    let _ = served.await;
    assert!(Path::new(&path).exists());
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let gone = valid_test(&[&run[..], &load].concat()).await;
    assert_eq!(gone.status.code(), Some(99), "{:?}", words(&gone));
    assert!(words(&gone).0.contains("cannot connect: "), "{:?}", words(&gone));
}
