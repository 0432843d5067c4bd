//! Certificate files that change like those of a Secret's volume.

use std::{os::unix::fs::symlink, path::Path, time::Duration};

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

use support::{
    Cluster,
    cluster::run_dir,
    eventually, install_tls_provider,
    process::{Process, free_port},
    vas,
};

const NAME: &str = "vas-metrics-server.files.svc";

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(vec![NAME.to_owned()]).expect("a certificate")
}

/// Changes the files as the kubelet does: a new directory, then one rename of the symlink that leads to it.
fn swap(volume: &Path, version: &str, certificate: &str, key: &str) {
    let folder = volume.join(format!("..{version}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("tls.crt"), certificate).expect("written");
    std::fs::write(folder.join("tls.key"), key).expect("written");
    let fresh = volume.join("..data_tmp");
    symlink(&folder, &fresh).expect("a symlink");
    std::fs::rename(fresh, volume.join("..data")).expect("renamed");
}

async fn is_served(certificate: &CertifiedKey<KeyPair>, port: u16) -> Result<(), String> {
    let ca = reqwest::Certificate::from_pem(certificate.cert.pem().as_bytes()).expect("PEM");
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .resolve(NAME, ([127, 0, 0, 1], port).into())
        .build()
        .expect("a client");
    let answer = client.get(format!("https://{NAME}:{port}/healthz")).send().await;
    answer.map(drop).map_err(|error| format!("{error:?}"))
}

fn start(volume: &Path, port: u16, metrics_port: u16) -> Process {
    let file = |name: &str| volume.join(name).display().to_string();
    let args = [
        "metrics-server".to_owned(),
        format!("--kubeconfig={}", Cluster::shared().kubeconfig().display()),
        format!("--prometheus-url=http://127.0.0.1:{}", free_port()),
        "--watch-namespace=default".to_owned(),
        "--service-namespace=files".to_owned(),
        "--leader-elect=false".to_owned(),
        format!("--tls-cert-file={}", file("tls.crt")),
        format!("--tls-private-key-file={}", file("tls.key")),
        format!("--secure-port={port}"),
        format!("--metrics-bind-address=127.0.0.1:{metrics_port}"),
    ];
    vas::start("certificate-files", &args, &[])
}

#[tokio::test]
async fn certificate_files_are_read_again_when_a_secret_volume_swaps_and_a_bad_pair_keeps_the_old_one() {
    install_tls_provider();
    let volume = run_dir().join("certificate-files");
    std::fs::create_dir_all(&volume).unwrap();
    for name in ["tls.crt", "tls.key"] {
        symlink(Path::new("..data").join(name), volume.join(name)).unwrap();
    }
    let (first, second) = (certificate(), certificate());
    swap(
        &volume,
        "1",
        &first.cert.pem(),
        &first.signing_key.serialize_pem(),
    );
    let (port, metrics_port) = (free_port(), free_port());
    let server = start(&volume, port, metrics_port);
    eventually(Duration::from_secs(60), "the first certificate is served", || {
        is_served(&first, port)
    })
    .await;

    // The certificate of one pair, and the key of the other.
    swap(
        &volume,
        "2",
        &second.cert.pem(),
        &first.signing_key.serialize_pem(),
    );
    let failure = "vas_metrics_server_certificate_reload_failures_total 1";
    eventually(Duration::from_secs(60), failure, || async {
        let url = format!("http://127.0.0.1:{metrics_port}/metrics");
        let metrics = reqwest::get(url).await.map_err(|error| error.to_string())?;
        let metrics = metrics.text().await.map_err(|error| error.to_string())?;
        if metrics.contains(failure) {
            Ok(())
        } else {
            Err(metrics)
        }
    })
    .await;
    assert!(
        server.log().contains("what was served before stays"),
        "{}",
        server.log()
    );
    is_served(&first, port).await.unwrap();

    swap(
        &volume,
        "3",
        &second.cert.pem(),
        &second.signing_key.serialize_pem(),
    );
    eventually(
        Duration::from_secs(60),
        "the second certificate is served",
        || is_served(&second, port),
    )
    .await;
    assert!(is_served(&first, port).await.is_err());
}
