//! Why there is no TLS with a server.

use rustls::{CertificateError, Error, InvalidMessage};

/// Why there is no TLS with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// Its certificate is no longer valid.
    #[error("the certificate has expired")]
    Expired,
    /// Its certificate is not valid yet; one of the clocks may be wrong.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// Its certificate is for other names.
    #[error("the certificate is for another name")]
    OtherName,
    /// Nobody who is trusted has signed its certificate.
    #[error("the certificate is signed by nobody who is trusted")]
    UnknownIssuer,
    /// Its certificate was revoked.
    #[error("the certificate is revoked")]
    Revoked,
    /// Something else is wrong with its certificate.
    #[error("the certificate is not accepted")]
    Certificate,
    /// It refused this side with an alert.
    #[error("the server refuses the handshake")]
    Alert,
    /// No version, cipher or protocol that both sides speak.
    #[error("no version or cipher that both sides speak")]
    NothingInCommon,
    /// It does not speak HTTP/2 over TLS.
    #[error("the server does not speak HTTP/2")]
    NoHttp2,
    /// What it says is no TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// It closed the connection before TLS was agreed on.
    #[error("closed during the handshake")]
    Closed,
    /// It broke the protocol.
    #[error("the server broke the protocol")]
    Broken,
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => of_certificate(error),
            Error::AlertReceived(_) => Self::Alert,
            Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Self::NothingInCommon,
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            Error::NoCertificatesPresented => Self::Certificate,
            _ => Self::Broken,
        }
    }
}

fn of_certificate(error: &CertificateError) -> Refusal {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Refusal::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Refusal::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Refusal::OtherName
        }
        CertificateError::UnknownIssuer => Refusal::UnknownIssuer,
        CertificateError::Revoked => Refusal::Revoked,
        _ => Refusal::Certificate,
    }
}
