//! Issues the CA and the serving certificate that the replicas share.
//!
//! The CA signs exactly one certificate and its key is thrown away: whoever reads the Secret can serve in our
//! name, but not issue. Valid for ten years; renewed when little of that is left, or when the names changed.

use std::{sync::Arc, time::Duration};

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

use super::tls;

/// Validity from now.
const VALIDITY_DAYS: i64 = 3650;
/// Clocks differ: certificates are valid a little before they were made.
const BACKDATED_DAYS: i64 = 1;
/// A certificate with less than this left is replaced when a replica starts.
const RENEW_BEFORE_DAYS: u64 = 90;

/// A serving certificate and its CA, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What clients must trust.
    pub ca: String,
    /// The serving certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("issuing the serving certificate failed: {0}")]
pub struct IssueError(#[from] rcgen::Error);

/// Names under which a Service is reached; the first is what the API server verifies.
pub fn names(service: &str, namespace: &str) -> Vec<String> {
    vec![
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.cluster.local"),
        format!("{service}.{namespace}"),
        service.to_owned(),
    ]
}

/// Issues a new CA and a serving certificate for the names, valid from `now`.
///
/// # Errors
/// When the names cannot stand in a certificate.
pub fn issue(names: &[String], now: jiff::Timestamp) -> Result<Bundle, IssueError> {
    let mut ca = params(Vec::new(), "vas-metrics-server-ca", now)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut serving = params(names.to_vec(), "vas-metrics-server", now)?;
    serving.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    serving.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = serving.signed_by(&key, &ca)?;
    Ok(Bundle {
        ca: ca.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

fn params(
    names: Vec<String>,
    common_name: &str,
    now: jiff::Timestamp,
) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let (year, month, day) = date(now, -BACKDATED_DAYS);
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now, VALIDITY_DAYS);
    params.not_after = date_time_ymd(year, month, day);
    Ok(params)
}

/// Year, month and day in UTC, so many days after `now`.
fn date(now: jiff::Timestamp, days: i64) -> (i32, u8, u8) {
    let date = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let date = date.saturating_add(jiff::Span::new().days(days));
    // Months and days of a calendar date are small and positive.
    let part = |value: i8| u8::try_from(value).unwrap_or(1);
    (i32::from(date.year()), part(date.month()), part(date.day()))
}

impl Bundle {
    /// Whether clients that trust the CA accept the certificate for `name`, for a good while from `now`, and the
    /// key belongs to it.
    pub fn serves(&self, name: &str, now: jiff::Timestamp) -> bool {
        let pair = tls::certified_key(self.certificate.as_bytes(), self.key.as_bytes());
        let (Ok(pair), Ok(name)) = (pair, ServerName::try_from(name)) else {
            return false;
        };
        let Some((certificate, intermediates)) = pair.cert.split_first() else {
            return false;
        };
        let Some(clients) = self.verifier() else {
            return false;
        };
        let now = now.as_duration().unsigned_abs();
        let renew_before = Duration::from_hours(24 * RENEW_BEFORE_DAYS);
        [now, now.saturating_add(renew_before)].into_iter().all(|time| {
            let time = UnixTime::since_unix_epoch(time);
            clients
                .verify_server_cert(certificate, intermediates, &name, &[], time)
                .is_ok()
        })
    }

    /// What clients that trust the CA check.
    fn verifier(&self) -> Option<Arc<WebPkiServerVerifier>> {
        let mut roots = RootCertStore::empty();
        for ca in CertificateDer::pem_slice_iter(self.ca.as_bytes()) {
            roots.add(ca.ok()?).ok()?;
        }
        let provider = Arc::new(ring::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics_server::tls::ServingCertificate;

    fn now() -> jiff::Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn bundle() -> Bundle {
        issue(&names("vas-metrics-server", "vas-system"), now()).unwrap()
    }

    #[test]
    fn the_ca_vouches_for_the_name_of_the_service() {
        let bundle = bundle();
        let verifier = bundle.verifier().unwrap();
        let certificate = CertificateDer::from_pem_slice(bundle.certificate.as_bytes()).unwrap();
        let verify = |name: &'static str| {
            let name = ServerName::try_from(name).unwrap();
            let time = UnixTime::since_unix_epoch(now().as_duration().unsigned_abs());
            verifier
                .verify_server_cert(&certificate, &[], &name, &[], time)
                .is_ok()
        };
        assert!(verify("vas-metrics-server.vas-system.svc"));
        assert!(!verify("other.vas-system.svc"));
    }

    #[test]
    fn certificate_and_key_can_be_served() {
        let bundle = bundle();
        let serving = ServingCertificate::default();
        serving
            .set(bundle.certificate.as_bytes(), bundle.key.as_bytes())
            .unwrap();
        assert!(serving.is_set());
    }

    #[test]
    fn it_is_renewed_in_time_and_when_the_name_changed() {
        let bundle = bundle();
        let name = "vas-metrics-server.vas-system.svc";
        let days = |days: i64| now() + jiff::SignedDuration::from_hours(24 * days);
        assert!(bundle.serves(name, days(3550)));
        assert!(!bundle.serves(name, days(3565)));
        assert!(!bundle.serves("vas-metrics-server.elsewhere.svc", now()));
        assert!(
            !Bundle {
                certificate: String::new(),
                ..bundle
            }
            .serves(name, now())
        );
    }

    #[test]
    fn a_key_or_a_ca_of_another_certificate_does_not_serve() {
        let name = "vas-metrics-server.vas-system.svc";
        let other = bundle();
        let bundle = bundle();
        assert!(bundle.serves(name, now()));
        let with = |change: &dyn Fn(&mut Bundle)| {
            let mut changed = bundle.clone();
            change(&mut changed);
            changed.serves(name, now())
        };
        assert!(!with(&|changed| changed.key.clone_from(&other.key)));
        assert!(!with(&|changed| changed.ca.clone_from(&other.ca)));
        assert!(!with(&|changed| changed.ca.clear()));
        assert!(!with(&|changed| changed.key = "damaged".to_owned()));
    }
}
