//! Errors of the cluster, and bounded waits for its answers.

use std::time::Duration;

use super::hold_patch::HoldError;
use vas_cluster::{
    read::ReadError,
    request::{self, RequestError},
};
use vas_core::{hpa::metric_reads::NoPath, reconcile::suspend::SuspensionError};

/// Interval at which [`wait`] checks its condition.
const POLL: Duration = Duration::from_millis(250);

/// Why replicas cannot be held or given back.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The workload cannot be held or given back.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The workload's name cannot be written in an annotation.
    #[error("the workload cannot be suspended: {0}")]
    Suspension(#[from] SuspensionError),
    /// The API server refuses the request, or does not answer it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The cluster serves no path at which a metric can be read.
    #[error("cannot {what}: {source}")]
    NoPath {
        /// What was tried, in words.
        what: String,
        /// Why there is no path.
        #[source]
        source: NoPath,
    },
    /// Each attempt conflicted with a write of somebody else.
    #[error("cannot change {0}: it changes all the time")]
    Busy(String),
    /// A precondition of the test does not hold.
    #[error("{0}")]
    Precondition(String),
    /// The hold was removed while the test ran.
    #[error(
        "the hold on {0} is gone: somebody put it back while the test ran (vas test restore?), or it could not be renewed in time"
    )]
    Lost(String),
}

impl ClusterError {
    /// The error of a failed read. `what` names the request.
    pub(super) fn read(what: &str, error: ReadError) -> Self {
        RequestError::read(what, error).into()
    }

    /// The code of an answer of the API server that refuses a request; `None` for every other error.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Request(error) => error.status(),
            _ => None,
        }
    }

    /// Whether the API server says that the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether the test did not begin, because its result could not be trusted or its objects do not exist.
    pub fn is_precondition(&self) -> bool {
        match self {
            Self::Precondition(_) | Self::Hold(HoldError::Taken { .. } | HoldError::Suspended { .. }) => true,
            Self::Request(_) => self.is_not_found(),
            Self::NoPath { source, .. } => matches!(source, NoPath::UnknownKind { .. }),
            _ => false,
        }
    }
}

/// The answer of the API server to a request. `what` names the request in errors.
///
/// # Errors
/// When the API server refuses the request, or does not answer in time.
pub(crate) async fn answer<T>(
    what: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ClusterError> {
    Ok(request::answer(what, request).await?)
}

/// Calls `look` again and again until it is true. The result is `false` if that took longer than `limit`.
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
