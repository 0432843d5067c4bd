//! One request to the API server whose failure says in words what was tried.
//!
//! Must not: repeat a request, or judge what a failure means to its caller.

use std::time::Duration;

use crate::read::{ReadError, bounded};

/// Longest wait for one answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The API server refuses the request, or cannot be reached.
    #[error("cannot {what}: {source}")]
    Api {
        /// What was tried, in words.
        what: String,
        /// Why it failed.
        #[source]
        source: kube::Error,
    },
    /// The API server did not answer in time.
    #[error("cannot {what}: no answer from the API server within {} s", TIME_LIMIT.as_secs())]
    Late {
        /// What was tried, in words.
        what: String,
    },
}

impl RequestError {
    /// The error of a failed read. `what` names the request.
    pub fn read(what: &str, error: ReadError) -> Self {
        let what = what.to_owned();
        match error.into_client_error() {
            Some(source) => Self::Api { what, source },
            None => Self::Late { what },
        }
    }

    /// The error of an answer that is not understood. `what` names the request.
    pub fn unreadable(what: String, error: serde_json::Error) -> Self {
        Self::Api {
            what,
            source: kube::Error::SerdeError(error),
        }
    }

    /// The code of an answer that refuses the request; `None` for every other error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api {
                source: kube::Error::Api(status),
                ..
            } => Some(status.code),
            _ => None,
        }
    }
}

/// The answer of the API server to a request. `what` names the request in errors.
///
/// # Errors
/// When the API server refuses the request, or does not answer in time.
pub async fn answer<T>(
    what: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, RequestError> {
    bounded(TIME_LIMIT, request)
        .await
        .map_err(|error| RequestError::read(what, error))
}
