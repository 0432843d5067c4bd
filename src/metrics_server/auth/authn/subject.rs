//! Whom a certificate names.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use x509_parser::{
    prelude::{FromDer, X509Certificate},
    x509::AttributeTypeAndValue,
};

use super::Untrusted;

/// The names in the subject of a certificate.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) common_name: String,
    pub(super) organizations: Vec<String>,
}

impl Subject {
    fn of(certificate: &CertificateDer<'_>) -> Result<Self, Untrusted> {
        let (_, parsed) =
            X509Certificate::from_der(certificate).map_err(|_| Untrusted("it does not parse".to_owned()))?;
        let subject = parsed.subject();
        Ok(Self {
            // The last one, as in Go's crypto/x509/pkix: the API server and this server name a client alike.
            common_name: texts(subject.iter_common_name())?
                .pop()
                .filter(|name| !name.is_empty())
                .ok_or_else(|| Untrusted("it has no common name".to_owned()))?,
            organizations: texts(subject.iter_organization())?,
        })
    }
}

/// What attributes say. One that cannot be read is not passed over: another would then count in its place.
fn texts<'a>(
    attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
) -> Result<Vec<String>, Untrusted> {
    attributes
        .map(|attribute| attribute.as_str().map(str::to_owned))
        .collect::<Result<_, _>>()
        .map_err(|_| Untrusted("its subject holds a name that cannot be read".to_owned()))
}

/// Reads subjects, and keeps the latest: the API server sends all its reads with one certificate, and to parse it is a
/// good part of a read.
#[derive(Debug, Default)]
pub(super) struct Subjects(Mutex<Option<(CertificateDer<'static>, Arc<Subject>)>>);

impl Subjects {
    /// The subject of a certificate.
    ///
    /// # Errors
    /// When it does not parse, or names nobody.
    pub(super) fn of(&self, certificate: &CertificateDer<'_>) -> Result<Arc<Subject>, Untrusted> {
        if let Some((known, subject)) = &*self.0.lock()
            && known == certificate
        {
            return Ok(subject.clone());
        }
        let subject = Arc::new(Subject::of(certificate)?);
        *self.0.lock() = Some((certificate.clone().into_owned(), subject.clone()));
        Ok(subject)
    }
}
