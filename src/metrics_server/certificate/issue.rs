//! Issues CAs with one serving certificate each, and verifies certificates.
//!
//! A CA signs exactly one certificate, and its private key is thrown away. So a reader of the Secret can
//! serve in our name, but cannot issue. When a certificate is issued and served is decided in
//! [`super::rotation`].

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::key_pair::certified_key;

/// Time before the moment of issue from which a certificate is valid, because clocks differ.
const BACKDATED: Duration = Duration::from_hours(24);

/// A serving certificate and its CA, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    /// The CA certificate, which clients must trust.
    pub ca: String,
    /// The serving certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// Why no certificate could be issued.
#[derive(Debug, thiserror::Error)]
#[error("issuing the serving certificate failed: {0}")]
pub(crate) struct IssueError(#[from] rcgen::Error);

/// The DNS names of a Service. The API server verifies the first one.
pub(crate) fn names(service: &str, namespace: &str) -> Vec<String> {
    vec![
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.cluster.local"),
        format!("{service}.{namespace}"),
        service.to_owned(),
    ]
}

/// Issues a new CA and a serving certificate for the names, valid for `validity` from `now` on.
///
/// # Errors
/// When a name is not valid in a certificate, or key generation fails.
pub(crate) fn issue(names: &[String], now: Timestamp, validity: Duration) -> Result<Issued, IssueError> {
    // Each CA has a distinct name, because a bundle holds several and people read it.
    let ca_name = format!("vas-metrics-server-ca@{}", now.as_second());
    let mut ca = params(Vec::new(), &ca_name, now, validity)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut serving = params(names.to_vec(), "vas-metrics-server", now, validity)?;
    serving.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    serving.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = serving.signed_by(&key, &ca)?;
    Ok(Issued {
        ca: ca.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

fn params(
    names: Vec<String>,
    common_name: &str,
    now: Timestamp,
    validity: Duration,
) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = now.as_duration().unsigned_abs();
    params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(BACKDATED);
    params.not_after = date_time_ymd(1970, 1, 1) + now.saturating_add(validity);
    Ok(params)
}

/// Whether clients that trust any of the CAs accept the certificate for `name` at the time `at`, and `key` is
/// its private key.
pub(crate) fn is_trusted(cas: &str, certificate: &str, key: &str, name: &str, at: Timestamp) -> bool {
    let pair = certified_key(certificate.as_bytes(), key.as_bytes());
    let (Ok(pair), Ok(name), Some(clients)) = (pair, ServerName::try_from(name), verifier(cas)) else {
        return false;
    };
    let Some((certificate, intermediates)) = pair.cert.split_first() else {
        return false;
    };
    let time = UnixTime::since_unix_epoch(at.as_duration().unsigned_abs());
    clients
        .verify_server_cert(certificate, intermediates, &name, &[], time)
        .is_ok()
}

/// The verification of a client that trusts these CAs; `None` if the PEM holds none or a bad one.
fn verifier(cas: &str) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    for ca in CertificateDer::pem_slice_iter(cas.as_bytes()) {
        roots.add(ca.ok()?).ok()?;
    }
    let provider = Arc::new(ring::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .ok()
}

/// The end of the validity of a certificate (`notAfter`).
pub(crate) fn valid_until(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::tls::ServingCertificate;

    const NAME: &str = "vas-metrics-server.vas-system.svc";
    const YEAR: Duration = Duration::from_hours(24 * 365);

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn issued() -> Issued {
        issue(&names("vas-metrics-server", "vas-system"), now(), YEAR).unwrap()
    }

    fn trusted(issued: &Issued, name: &str, at: Timestamp) -> bool {
        is_trusted(&issued.ca, &issued.certificate, &issued.key, name, at)
    }

    #[test]
    fn the_ca_vouches_for_the_name_of_the_service() {
        let issued = issued();
        assert!(trusted(&issued, NAME, now()));
        assert!(!trusted(&issued, "other.vas-system.svc", now()));
    }

    #[test]
    fn certificate_and_key_can_be_served() {
        let issued = issued();
        let serving = ServingCertificate::default();
        serving
            .set(issued.certificate.as_bytes(), issued.key.as_bytes())
            .unwrap();
        assert!(serving.is_set());
    }

    #[test]
    fn it_is_valid_from_the_day_before_to_the_second_that_was_asked_for() {
        let issued = issued();
        let second = Duration::from_secs(1);
        assert!(trusted(&issued, NAME, now() + YEAR - second));
        assert!(!trusted(&issued, NAME, now() + YEAR + second));
        assert!(trusted(&issued, NAME, now() - Duration::from_hours(23)));
        assert!(!trusted(&issued, NAME, now() - Duration::from_hours(25)));
        let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        assert_eq!(valid_until(&certificate), Some(now() + YEAR));
    }

    #[test]
    fn a_key_or_a_ca_of_another_certificate_does_not_serve() {
        let (issued, other) = (issued(), issued());
        let with = |change: &dyn Fn(&mut Issued)| {
            let mut changed = issued.clone();
            change(&mut changed);
            trusted(&changed, NAME, now())
        };
        assert!(with(&|changed| changed.ca += &other.ca));
        assert!(!with(&|changed| changed.key.clone_from(&other.key)));
        assert!(!with(&|changed| changed.ca.clone_from(&other.ca)));
        assert!(!with(&|changed| changed.ca.clear()));
        assert!(!with(&|changed| changed.certificate.clear()));
        assert!(!with(&|changed| changed.key = "damaged".to_owned()));
    }
}
