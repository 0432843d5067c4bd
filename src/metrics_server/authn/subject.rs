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
        let texts = |attributes: Vec<&AttributeTypeAndValue<'_>>| -> Vec<String> {
            attributes
                .iter()
                .filter_map(|attribute| attribute.as_str().ok().map(str::to_owned))
                .collect()
        };
        let common_name = texts(subject.iter_common_name().collect()).into_iter().next();
        Ok(Self {
            common_name: common_name.ok_or_else(|| Untrusted("it has no common name".to_owned()))?,
            organizations: texts(subject.iter_organization().collect()),
        })
    }
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
