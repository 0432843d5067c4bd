//! Finds out which user sent a request: by the front proxy's headers, a client certificate, or a bearer
//! token, in this order. A request without any of these is anonymous. Credentials that are not valid are
//! refused, and never count as anonymous.

use std::sync::Arc;

use axum::http::HeaderMap;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::{
    authn::{CurrentTrust, User, anonymous},
    token_review::{TokenReviewer, bearer_token},
};
use crate::status_error::StatusError;
use vas_cluster::clock::Clock;

/// Finds out which user a request comes from: by a client certificate, the front proxy's headers, or a token.
pub(crate) struct Authenticator {
    /// The CAs and the front proxy that are trusted now.
    pub trust: Arc<CurrentTrust>,
    /// Reviews bearer tokens.
    pub tokens: TokenReviewer,
    /// Gives the time at which certificates must be valid.
    pub clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// The user who sent a request with these headers over a connection with this certificate chain.
    ///
    /// # Errors
    /// 401 for a certificate or token that is not valid, 503 until the trust was read, and the error of a
    /// failed token review.
    pub(crate) async fn authenticate(
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
        // A bad certificate beside a valid token is no error: one valid credential is enough, as for
        // kube-apiserver.
        match shown.or(refused) {
            Some(why) => Err(StatusError::unauthorized(why)),
            None => Ok(Arc::new(anonymous())),
        }
    }
}

#[cfg(test)]
mod tests;
