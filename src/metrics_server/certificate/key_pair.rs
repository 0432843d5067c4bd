//! A certificate chain with its private key, read from PEM.

use rustls::{
    Error,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

/// Why a certificate and key are not usable.
#[derive(Debug, thiserror::Error)]
pub enum KeyPairError {
    /// One of them is not PEM of the right kind.
    #[error("{what} is not usable PEM: {problem}")]
    Pem {
        /// The certificate or the key.
        what: &'static str,
        /// The error of the PEM parser.
        problem: String,
    },
    /// Certificate and key do not belong together, or the type of key is not supported.
    #[error("certificate and key do not fit: {0}")]
    Mismatch(#[from] Error),
}

/// Reads a certificate chain and its key, both PEM.
///
/// # Errors
/// See [`KeyPairError`].
pub(crate) fn certified_key(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, KeyPairError> {
    let pem = |what, problem: &dyn std::fmt::Display| KeyPairError::Pem {
        what,
        problem: problem.to_string(),
    };
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|problem| pem("the certificate", &problem))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|problem| pem("the key", &problem))?;
    Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
}
