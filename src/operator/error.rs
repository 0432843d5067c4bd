//! Why a reconcile failed, when it is tried again, and whether the status reports it.

use std::time::Duration;

use vas_cluster::leader::FenceError;
use vas_core::{k8s::resource_ref::Unidentified, reconcile::child::ChildRef};

/// Longest time one reconcile may take.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Time after the start of a reconcile at which the writes of children end. The rest of [`TIME_LIMIT`] is for
/// the write of the status, which tells the user that children are missing.
pub(super) const APPLY_TIME_LIMIT: Duration = Duration::from_secs(18);

/// Longest wait for the answer to one read.
pub(super) const READ_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Longest wait for the validation of a resource.
pub(super) const JUDGE_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Number of transient failures in a row that the status does not report. Most are gone at the next try, and
/// a condition that changes back at once only confuses its readers.
pub(super) const QUIET_FAILURES: u32 = 2;

/// Why a reconcile failed. Every failed reconcile is tried again, with backoff.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReconcileError {
    /// A read failed.
    #[error("could not read {what}: {source}")]
    Observe {
        what: String,
        #[source]
        source: kube::Error,
    },
    /// The API server did not answer a read in time.
    #[error("could not read {what} within {READ_TIME_LIMIT:?}")]
    Unanswered { what: String },
    /// At least one child could not be written; `child` is the first of them.
    #[error("could not write {child}: {source}")]
    Apply {
        child: ChildRef,
        #[source]
        source: WriteError,
    },
    /// The status could not be written.
    #[error("could not write the status: {0}")]
    Status(#[source] WriteError),
    /// The stored object does not say which object it is.
    #[error(transparent)]
    Unidentified(#[from] Unidentified),
    /// The reconcile took longer than [`TIME_LIMIT`].
    #[error("not done within {TIME_LIMIT:?}")]
    Timeout,
    /// The validation did not get its turn in time. The status stays as it is.
    #[error(
        "not judged within {JUDGE_TIME_LIMIT:?}: the resources of other namespaces, or others of its own, come first"
    )]
    NotJudged,
    /// The reconcile panicked, which is a bug. Other resources are not affected.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// Why a write failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The API server refused the write or could not be reached.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// This process does not hold the leader lease, or not for long enough.
    #[error(transparent)]
    Fenced(#[from] FenceError),
    /// The API server did not answer within this time.
    #[error("the API server did not answer within {0:?}")]
    Timeout(Duration),
    /// The API server accepted the write, but stored the object without these fields.
    #[error(
        "the API server dropped {}: this Kubernetes does not know the field, or has its feature gate off; leave it out, or \
         turn the gate on",
        .0.join(", ")
    )]
    Dropped(Vec<String>),
    /// The earlier writes of the reconcile used up its time, so this write was not sent.
    #[error("not attempted: out of time")]
    OutOfTime,
}

/// How the operator treats a failed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The object changed since it was read: reconcile again.
    Conflict,
    /// The API server refuses the object as it is: tell the user.
    Refused,
    /// The same write may succeed later.
    Transient,
    /// This process must not write anything.
    Fenced,
}

impl WriteError {
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Fenced(_) => Class::Fenced,
            Self::Api(kube::Error::Api(status)) => match status.code {
                409 => Class::Conflict,
                // 429 asks for a later try, so it is the only 4xx that does not refuse the object.
                429 => Class::Transient,
                400..500 => Class::Refused,
                _ => Class::Transient,
            },
            Self::Dropped(_) => Class::Refused,
            Self::Api(_) | Self::Timeout(_) | Self::OutOfTime => Class::Transient,
        }
    }

    /// The text that the user reads: the API server's message if it sent one.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Api(kube::Error::Api(status)) => status.message.clone(),
            other => other.to_string(),
        }
    }

    fn retry_after(&self) -> Duration {
        match self {
            Self::Api(error) => retry_after(error),
            Self::Fenced(_) | Self::Timeout(_) | Self::Dropped(_) | Self::OutOfTime => Duration::ZERO,
        }
    }
}

impl ReconcileError {
    /// Value of the label `outcome` of the reconcile metric.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Observe { .. }
            | Self::Unanswered { .. }
            | Self::Unidentified(_)
            | Self::Apply { .. }
            | Self::Status(_) => "error",
            Self::Timeout | Self::NotJudged => "timeout",
            Self::Panicked(_) => "panic",
        }
    }

    /// Shortest wait before the next try that the API server asks for; zero if it names none.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::Observe { source, .. } => retry_after(source),
            Self::Apply { source, .. } | Self::Status(source) => source.retry_after(),
            Self::Unanswered { .. }
            | Self::Unidentified(_)
            | Self::Timeout
            | Self::NotJudged
            | Self::Panicked(_) => Duration::ZERO,
        }
    }
}

/// `Retry-After` of an answer. A 429 without it waits one second.
fn retry_after(error: &kube::Error) -> Duration {
    let kube::Error::Api(status) = error else {
        return Duration::ZERO;
    };
    let details = status.details.as_ref();
    let asked = details.map_or(0, |details| details.retry_after_seconds);
    Duration::from_secs(u64::from(asked.max(u32::from(status.code == 429))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn api(code: u16, retry_after: u32) -> WriteError {
        let status = json!({"code": code, "details": {"retryAfterSeconds": retry_after}});
        WriteError::Api(kube::Error::Api(Box::new(
            serde_json::from_value(status).unwrap(),
        )))
    }

    #[test]
    fn answers_are_told_apart() {
        for (code, class) in [
            (409, Class::Conflict),
            (422, Class::Refused),
            (403, Class::Refused),
            (429, Class::Transient),
            (500, Class::Transient),
            (503, Class::Transient),
        ] {
            assert_eq!(api(code, 0).class(), class, "{code}");
        }
        assert_eq!(WriteError::Fenced(FenceError::NotLeading).class(), Class::Fenced);
    }

    #[test]
    fn the_server_decides_how_long_to_wait() {
        assert_eq!(
            ReconcileError::Status(api(503, 7)).retry_after(),
            Duration::from_secs(7)
        );
        assert_eq!(
            ReconcileError::Status(api(429, 0)).retry_after(),
            Duration::from_secs(1)
        );
        assert_eq!(ReconcileError::Timeout.retry_after(), Duration::ZERO);
    }
}
