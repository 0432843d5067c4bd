//! The user and groups that a client certificate names in its subject.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use x509_parser::{
    prelude::{FromDer, X509Certificate},
    x509::AttributeTypeAndValue,
};

use super::Untrusted;

/// The names in the subject of a certificate: the common name is the user, the organizations are the groups.
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
            // The last common name counts, as in Go's crypto/x509/pkix, so that kube-apiserver and this
            // server see the same user.
            common_name: texts(subject.iter_common_name())?
                .pop()
                .filter(|name| !name.is_empty())
                .ok_or_else(|| Untrusted("it has no common name".to_owned()))?,
            organizations: texts(subject.iter_organization())?,
        })
    }
}

/// The values of attributes as text. One unreadable value is an error; skipping it would let another one
/// count instead.
fn texts<'a>(
    attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
) -> Result<Vec<String>, Untrusted> {
    attributes
        .map(|attribute| attribute.as_str().map(str::to_owned))
        .collect::<Result<_, _>>()
        .map_err(|_| Untrusted("its subject holds a name that cannot be read".to_owned()))
}

/// Parses subjects, and keeps the latest one. The API server sends all its reads with one certificate, and
/// parsing it is a large part of the cost of a read.
#[derive(Debug, Default)]
pub(super) struct Subjects(Mutex<Option<(CertificateDer<'static>, Arc<Subject>)>>);

impl Subjects {
    /// The subject of a certificate.
    ///
    /// # Errors
    /// When the certificate does not parse, or its subject names no user.
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
