//! TLS of the secure port: the serving certificate, which can be replaced while running, and the client's
//! certificate.
//!
//! The handshake accepts any client certificate, as long as the client proves that it holds the key. Which CA
//! issued the certificate is checked for each request ([`crate::auth::authn`]). So probes
//! work without a certificate, and a change of the trusted CAs breaks no connection.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::{
        ClientHello, ResolvesServerCert,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};

use crate::certificate::{
    issue,
    key_pair::{KeyPairError, certified_key},
};

/// The certificate that is served; handshakes fail until there is one.
#[derive(Debug, Default)]
pub struct ServingCertificate(ArcSwapOption<CertifiedKey>);

impl ServingCertificate {
    /// Serves with this certificate chain and its key, both PEM, from now on.
    ///
    /// # Errors
    /// See [`KeyPairError`]; the certificate before then stays.
    pub fn set(&self, chain: &[u8], key: &[u8]) -> Result<(), KeyPairError> {
        self.0.store(Some(Arc::new(certified_key(chain, key)?)));
        Ok(())
    }

    /// Whether there is a certificate.
    pub fn is_set(&self) -> bool {
        self.0.load().is_some()
    }

    /// The end of the validity of the served certificate; `None` without one, or if it cannot be parsed.
    pub fn valid_until(&self) -> Option<jiff::Timestamp> {
        let pair = self.0.load();
        issue::valid_until(pair.as_ref()?.cert.first()?)
    }
}

impl ResolvesServerCert for ServingCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

/// The TLS configuration of the secure port.
///
/// # Errors
/// When the TLS library refuses its own default versions.
pub(crate) fn server_config(certificate: Arc<ServingCertificate>) -> Result<ServerConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(LookAtAnyCertificate { provider }))
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts every client certificate. The signature checks below still prove that the client holds its key.
#[derive(Debug)]
struct LookAtAnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for LookAtAnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
