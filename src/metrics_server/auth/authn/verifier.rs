//! Whether a CA issued a certificate chain, asked once a second for the chain that asks most.
//!
//! Checking signatures costs more than all the rest of a read together, and the API server sends thousands of reads
//! over connections with one certificate. Validity has a resolution of a second, so within one second the same chain
//! gets the same answer; with the next second, and with other trust, it is checked again.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::{
    Error,
    pki_types::{CertificateDer, UnixTime},
    server::danger::ClientCertVerifier,
};

/// The CAs of one purpose.
#[derive(Debug)]
pub(super) struct Verifier {
    cas: Arc<dyn ClientCertVerifier>,
    held: Mutex<Option<Held>>,
}

/// A chain that held, and in which second.
#[derive(Debug)]
struct Held {
    chain: Vec<CertificateDer<'static>>,
    second: u64,
}

impl Verifier {
    /// Verifies against these CAs.
    pub(super) fn new(cas: Arc<dyn ClientCertVerifier>) -> Self {
        Self {
            cas,
            held: Mutex::default(),
        }
    }

    /// Whether these CAs issued a certificate, by way of the intermediates that came with it.
    ///
    /// # Errors
    /// When they did not, or it does not hold at this time.
    pub(super) fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let chain = || std::iter::once(certificate).chain(intermediates);
        let second = now.as_secs();
        let known = |held: &Held| held.second == second && held.chain.iter().eq(chain());
        if self.held.lock().as_ref().is_some_and(known) {
            return Ok(());
        }
        self.cas.verify_client_cert(certificate, intermediates, now)?;
        let chain = chain()
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        *self.held.lock() = Some(Held { chain, second });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
