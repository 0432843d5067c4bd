//! Why a reconcile failed, and what follows.

use std::time::Duration;

use crate::{cluster::leader::FenceError, core::reconcile::child::ChildRef};

/// Longest time one reconcile may take.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// After this time of a reconcile no write of a child goes on: what remains of [`TIME_LIMIT`] is for the
/// status, which must be able to tell.
pub(super) const APPLY_TIME_LIMIT: Duration = Duration::from_secs(18);

/// Longest wait for one answer to a read.
pub(super) const READ_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Longest wait for a resource to be judged.
pub(super) const JUDGE_TIME_LIMIT: Duration = Duration::from_secs(10);

/// How often in a row a transient failure stays out of the status: most are gone the next time, and
/// conditions that come and go tell nobody anything.
pub(super) const QUIET_FAILURES: u32 = 2;

/// Why a reconcile failed. It is tried again, later each time.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReconcileError {
    /// A read failed.
    #[error("could not read {what}: {source}")]
    Observe {
        what: String,
        #[source]
        source: kube::Error,
    },
    /// A read was not answered.
    #[error("could not read {what} within {READ_TIME_LIMIT:?}")]
    Unanswered { what: String },
    /// At least one child could not be written; this is the first.
    #[error("could not write {child}: {source}")]
    Apply {
        child: ChildRef,
        #[source]
        source: WriteError,
    },
    /// The status could not be written.
    #[error("could not write the status: {0}")]
    Status(#[source] WriteError),
    /// It took too long.
    #[error("not done within {TIME_LIMIT:?}")]
    Timeout,
    /// Others' resources are judged before it. What its status says stays as it is.
    #[error(
        "not judged within {JUDGE_TIME_LIMIT:?}: the resources of other namespaces, or others of its own, come first"
    )]
    NotJudged,
    /// A bug; the other resources go on.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// Why a write failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The API server refused it or could not be reached.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// This process may not write.
    #[error(transparent)]
    Fenced(#[from] FenceError),
    /// The API server did not answer in time.
    #[error("the API server did not answer within {0:?}")]
    Timeout(Duration),
    /// It was written, but the API server did not take these fields.
    #[error(
        "the API server dropped {}: this Kubernetes does not know the field, or has its feature gate off; leave it out, or \
         turn the gate on",
        .0.join(", ")
    )]
    Dropped(Vec<String>),
    /// The writes before it took all the time there is.
    #[error("not attempted: out of time")]
    OutOfTime,
}

/// What a failed write means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The object changed since it was read: look again.
    Conflict,
    /// The API server refuses it as it is: tell the user.
    Refused,
    /// May work next time.
    Transient,
    /// This process must not write at all.
    Fenced,
}

impl WriteError {
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Fenced(_) => Class::Fenced,
            Self::Api(kube::Error::Api(status)) => match status.code {
                409 => Class::Conflict,
                429 => Class::Transient,
                400..500 => Class::Refused,
                _ => Class::Transient,
            },
            Self::Dropped(_) => Class::Refused,
            Self::Api(_) | Self::Timeout(_) | Self::OutOfTime => Class::Transient,
        }
    }

    /// What a user reads: the API server's own words where it has some.
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
    /// Label of the reconcile metric.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Observe { .. } | Self::Unanswered { .. } | Self::Apply { .. } | Self::Status(_) => "error",
            Self::Timeout | Self::NotJudged => "timeout",
            Self::Panicked(_) => "panic",
        }
    }

    /// What the server asks to wait.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::Observe { source, .. } => retry_after(source),
            Self::Apply { source, .. } | Self::Status(source) => source.retry_after(),
            Self::Unanswered { .. } | Self::Timeout | Self::NotJudged | Self::Panicked(_) => Duration::ZERO,
        }
    }
}

/// `Retry-After` of an answer; an overloaded server that names no time gets a second.
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
