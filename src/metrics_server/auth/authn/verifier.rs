//! Verifies certificate chains against CAs, at most once a second for the same chain.
//!
//! To check signatures costs more than all the rest of a read, and the API server sends thousands of reads
//! over connections with one certificate. Validity has a resolution of one second, so within one second the
//! same chain gets the same answer. In the next second, or with other CAs, the chain is verified again.

use std::sync::Arc;

use parking_lot::Mutex;
use rustls::{
    Error,
    pki_types::{CertificateDer, UnixTime},
    server::danger::ClientCertVerifier,
};

/// The CAs for one purpose, with the chain that they verified last.
#[derive(Debug)]
pub(super) struct Verifier {
    cas: Arc<dyn ClientCertVerifier>,
    held: Mutex<Option<Held>>,
}

/// A chain that was valid, and the second (Unix time) in which it was.
#[derive(Debug)]
struct Held {
    chain: Vec<CertificateDer<'static>>,
    second: u64,
}

impl Verifier {
    /// A verifier against these CAs.
    pub(super) fn new(cas: Arc<dyn ClientCertVerifier>) -> Self {
        Self {
            cas,
            held: Mutex::default(),
        }
    }

    /// Verifies that these CAs issued a certificate, by way of the intermediates that the client sent.
    ///
    /// # Errors
    /// When they did not issue it, or it is not valid at the time `now`.
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
        // Only a valid chain is remembered: one that is not valid is verified each time.
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
