//! Who sent a request: by the front proxy's word, a client certificate, or a bearer token, in this order; else
//! anonymous. Credentials that do not hold are refused, never taken for none.

use std::sync::Arc;

use axum::http::HeaderMap;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::{
    authn::{CurrentTrust, User, anonymous},
    token_review::{TokenReviewer, bearer_token},
};
use crate::{cluster::clock::Clock, metrics_server::status_error::StatusError};

/// Tells who sends requests.
pub struct Authenticator {
    /// Whom to trust.
    pub trust: Arc<CurrentTrust>,
    /// Whose tokens are.
    pub tokens: TokenReviewer,
    /// Dates certificates.
    pub clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// Who sent a request with these headers over a connection with this certificate chain.
    ///
    /// # Errors
    /// 401 for a certificate or token that does not hold, 503 before the trust was read, and what a review of the
    /// token fails with.
    pub async fn authenticate(
        &self,
        chain: &[CertificateDer<'_>],
        headers: &HeaderMap,
    ) -> Result<Arc<User>, StatusError> {
        let trust = self
            .trust
            .get()
            .ok_or_else(|| StatusError::unavailable("whom to trust is not read yet"))?;
        let now = UnixTime::since_unix_epoch(self.clock.now().as_duration().unsigned_abs());
        let shown = match trust.authenticate(chain, headers, now) {
            Ok(Some(user)) => return Ok(Arc::new(user)),
            Ok(None) => None,
            Err(untrusted) => Some(untrusted.to_string()),
        };
        let refused = match bearer_token(headers) {
            Some(token) => match self.tokens.user(token).await? {
                Some(user) => return Ok(user),
                None => Some("the bearer token is not valid".to_owned()),
            },
            None => None,
        };
        match shown.or(refused) {
            Some(why) => Err(StatusError::unauthorized(why)),
            None => Ok(Arc::new(anonymous())),
        }
    }
}

#[cfg(test)]
mod tests;
