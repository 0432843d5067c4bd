//! What goes wrong with a cluster, and answers that have to come in time.

use std::time::Duration;

use super::hold_patch::HoldError;
use crate::core::reconcile::suspend::SuspensionError;

/// Longest wait for one answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// From one look at what is waited for to the next.
const POLL: Duration = Duration::from_millis(250);

/// Why replicas cannot be held or given back.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// See [`HoldError`].
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The workload cannot be named in an annotation.
    #[error("the workload cannot be suspended: {0}")]
    Suspension(#[from] SuspensionError),
    /// The API server refuses, or does not answer.
    #[error("cannot {what}: {source}")]
    Api {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: kube::Error,
    },
    /// No answer.
    #[error("cannot {what}: no answer from the API server within {} s", TIME_LIMIT.as_secs())]
    Late {
        /// What was tried.
        what: String,
    },
    /// Others write all the time.
    #[error("cannot change {0}: it changes all the time")]
    Busy(String),
    /// A precondition of the test does not hold.
    #[error("{0}")]
    Precondition(String),
    /// Somebody took the hold away while the test ran.
    #[error(
        "the hold on {0} is gone: somebody put it back while the test ran (vas test restore?), or it could not be renewed in time"
    )]
    Lost(String),
}

impl ClusterError {
    /// Whether the API server says that there is no such object.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api { source, .. } if not_found(source))
    }

    /// Whether the test was not begun because it could not be trusted, or what it is about is not there.
    pub fn is_precondition(&self) -> bool {
        match self {
            Self::Precondition(_) | Self::Hold(HoldError::Taken { .. } | HoldError::Suspended { .. }) => true,
            Self::Api { source, .. } => not_found(source),
            _ => false,
        }
    }
}

/// The answer of the API server to a request; `what` says what it was for.
///
/// # Errors
/// When it refuses, or does not answer in time.
pub(crate) async fn answer<T>(
    what: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ClusterError> {
    match tokio::time::timeout(TIME_LIMIT, request).await {
        Ok(answer) => answer.map_err(|source| ClusterError::Api {
            what: what.to_owned(),
            source,
        }),
        Err(_) => Err(ClusterError::Late {
            what: what.to_owned(),
        }),
    }
}

/// Looks again and again; whether it came true within the limit.
pub(crate) async fn wait(
    limit: Duration,
    look: impl AsyncFn() -> Result<bool, ClusterError>,
) -> Result<bool, ClusterError> {
    let waiting = async {
        loop {
            if look().await? {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    };
    match tokio::time::timeout(limit, waiting).await {
        Ok(looked) => looked.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// Whether there is no such object.
pub(crate) fn not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
