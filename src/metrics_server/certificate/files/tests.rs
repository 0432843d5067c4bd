use std::{fs, time::Duration};

use prometheus_client::registry::Registry;

use super::*;
use crate::certificate::issue::{Issued, issue};

fn issued() -> Issued {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    issue(&["localhost".to_owned()], now, Duration::from_hours(1)).unwrap()
}

fn content(chain: &Issued, key: &Issued) -> Content {
    Content {
        chain: chain.certificate.clone().into_bytes(),
        key: key.key.clone().into_bytes(),
    }
}

struct Loaded {
    registry: Registry,
    reloading: Reloading,
}

impl Loaded {
    fn new() -> Self {
        let mut registry = Registry::default();
        let reloading = Reloading {
            certificate: Arc::default(),
            telemetry: Arc::new(Telemetry::new(&mut registry)),
            seen: None,
        };
        Self { registry, reloading }
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }

    fn failures(&self) -> String {
        let metrics = self.metrics();
        let name = "vas_metrics_server_certificate_reload_failures_total ";
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or("none").to_owned()
    }
}

#[test]
fn a_pair_that_does_not_fit_keeps_the_one_before_and_is_counted_once() {
    let (before, after) = (issued(), issued());
    let mut loaded = Loaded::new();
    let expiry = "vas_metrics_server_certificate_expiry_timestamp_seconds{} ";
    assert!(!loaded.metrics().contains(expiry));
    loaded.reloading.take(Ok(content(&before, &before)));
    assert!(
        loaded.metrics().contains(&format!("{expiry}1795438800.0")),
        "{}",
        loaded.metrics()
    );
    let served = loaded.reloading.certificate.valid_until();
    assert!(served.is_some());
    for _ in 0..3 {
        loaded.reloading.take(Ok(content(&after, &before)));
    }
    assert_eq!(loaded.failures(), "1");
    let gone = || FilesError::Read {
        path: "/gone".into(),
        source: std::io::ErrorKind::NotFound.into(),
    };
    for _ in 0..3 {
        loaded.reloading.take(Err(gone()));
    }
    assert_eq!(loaded.failures(), "2");
    assert_eq!(loaded.reloading.certificate.valid_until(), served);
    loaded.reloading.take(Ok(content(&after, &after)));
    assert_eq!(loaded.failures(), "2");
    assert_eq!(loaded.reloading.seen, Some(Ok(content(&after, &after))));
}

#[test]
fn a_start_needs_files_that_can_be_served() {
    let folder = std::env::temp_dir().join(format!("vas-certificate-files-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (chain, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let missing = CertificateFiles::open(&chain, &key).unwrap_err().to_string();
    let (one, other) = (issued(), issued());
    fs::write(&chain, &one.certificate).unwrap();
    fs::write(&key, &other.key).unwrap();
    let mismatch = CertificateFiles::open(&chain, &key).unwrap_err().to_string();
    fs::write(&key, &one.key).unwrap();
    let opened = CertificateFiles::open(&chain, &key).is_ok();
    fs::remove_dir_all(&folder).unwrap();
    assert!(missing.contains("tls.crt"), "{missing}");
    assert!(
        mismatch.starts_with("--tls-cert-file, --tls-private-key-file:"),
        "{mismatch}"
    );
    assert!(opened);
}
