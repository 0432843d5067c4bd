//! Why TLS with a server failed.

use rustls::{CertificateError, Error, InvalidMessage};

/// Why TLS with a server failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The server's certificate is no longer valid.
    #[error("the certificate has expired")]
    Expired,
    /// The server's certificate is not valid yet; one of the clocks may be wrong.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The server's certificate is for other names.
    #[error("the certificate is for another name")]
    OtherName,
    /// No trusted CA has signed the server's certificate.
    #[error("the certificate is signed by nobody who is trusted")]
    UnknownIssuer,
    /// The server's certificate was revoked.
    #[error("the certificate is revoked")]
    Revoked,
    /// Something else is wrong with the server's certificate.
    #[error("the certificate is not accepted")]
    Certificate,
    /// The server refused this client with an alert.
    #[error("the server refuses the handshake")]
    Alert,
    /// There is no version, cipher or protocol that both sides speak.
    #[error("no version or cipher that both sides speak")]
    NothingInCommon,
    /// The server does not speak HTTP/2 over TLS.
    #[error("the server does not speak HTTP/2")]
    NoHttp2,
    /// The server's bytes are not TLS.
    #[error("the server does not speak TLS")]
    NotTls,
    /// The server closed the connection during the handshake.
    #[error("closed during the handshake")]
    Closed,
    /// The server broke the protocol.
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
