//! The token that adapters get: that of a ServiceAccount which may do nothing but read metrics.
//!
//! An adapter sees the token that is sent to it and could use it. So vas never sends its own. It asks the API
//! server for short-lived tokens of the second ServiceAccount, keeps them in memory only, and replaces them
//! before they end.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use axum::http::HeaderValue;
use jiff::Timestamp;
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, Client, api::PostParams};
use tokio::sync::Notify;

use vas_cluster::clock::Clock;
use vas_core::wording::words;

/// How long a token is asked to be valid, in seconds.
const VALIDITY_SECONDS: i64 = 3600;
/// Time from one request for a token to the next, at least.
const PERIOD: Duration = Duration::from_secs(10);
/// Longest wait for the answer to a request for a token.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The ServiceAccount as whom reads are handed on, and its token.
pub(crate) struct Account {
    namespace: String,
    name: String,
    /// The `Authorization` header, or why there is none.
    token: ArcSwap<Result<HeaderValue, Arc<str>>>,
    /// Notified when an adapter refused the token.
    refused: Notify,
}

/// One token, and when it must be replaced.
struct Issued {
    header: HeaderValue,
    replace_after: Duration,
}

impl Account {
    /// An account without a token yet.
    pub(crate) fn new(namespace: String, name: String) -> Self {
        Self {
            namespace,
            name,
            token: ArcSwap::from_pointee(Err("its first token is not issued yet".into())),
            refused: Notify::new(),
        }
    }

    /// The name of the account as a user.
    pub(super) fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    /// The value of the `Authorization` header.
    ///
    /// # Errors
    /// Why there is no token.
    pub(super) fn header(&self) -> Result<HeaderValue, Arc<str>> {
        (**self.token.load()).clone()
    }

    /// An adapter refused the token, for example because the ServiceAccount was made anew: a new one is asked
    /// for.
    pub(super) fn refused(&self) {
        self.refused.notify_one();
    }

    /// Keeps a valid token, for ever.
    pub(crate) async fn follow(&self, client: Client, clock: Arc<dyn Clock>) {
        let accounts: Api<ServiceAccount> = Api::namespaced(client, &self.namespace);
        loop {
            let asked = tokio::time::timeout(TIMEOUT, self.issue(&accounts, &*clock)).await;
            let replace_after = match asked.unwrap_or_else(|_| Err("no answer within 10 s".to_owned())) {
                Ok(issued) => {
                    self.token.store(Arc::new(Ok(issued.header)));
                    issued.replace_after
                }
                Err(problem) => {
                    tracing::warn!(
                        account = self.user(),
                        problem,
                        "there is no new token for reads that are handed on"
                    );
                    // A token from before goes on being used: it may still be valid, and is refused if not.
                    if self.token.load().is_err() {
                        let problem = format!("a token of {} was not issued: {problem}", self.user());
                        self.token.store(Arc::new(Err(problem.into())));
                    }
                    PERIOD
                }
            };
            tokio::time::sleep(PERIOD).await;
            let rest = replace_after.saturating_sub(PERIOD);
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = self.refused.notified() => {}
            }
        }
    }

    async fn issue(&self, accounts: &Api<ServiceAccount>, clock: &dyn Clock) -> Result<Issued, String> {
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(VALIDITY_SECONDS),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(&self.name, &PostParams::default(), &request)
            .await
            .map_err(|error| words(&error.to_string()))?;
        let status = answer.status.unwrap_or_default();
        let (Some(token), Some(ends)) = (status.token, status.expiration_timestamp) else {
            return Err("the answer holds no token, or not its end".to_owned());
        };
        let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| "the token is no text for a header")?;
        header.set_sensitive(true);
        Ok(Issued {
            header,
            replace_after: replace_after(ends.0, clock.now()),
        })
    }
}

/// The time after which a token is replaced: four fifths of its validity. The API server may issue it for a
/// shorter time than was asked for.
fn replace_after(ends: Timestamp, now: Timestamp) -> Duration {
    let valid = Duration::try_from(ends.duration_since(now)).unwrap_or_default();
    (valid * 4 / 5).max(PERIOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_while_it_is_valid() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |seconds: i64| replace_after(now + Duration::from_secs(seconds.unsigned_abs()), now);
        assert_eq!(after(3600), Duration::from_secs(2880));
        assert_eq!(after(600), Duration::from_secs(480));
        assert_eq!(
            replace_after(now - Duration::from_secs(5), now),
            PERIOD,
            "never at once"
        );
    }
}
