//! How an attempt at a job ended.

use thiserror::Error;

use crate::{database::DatabaseError, queue::Completed};

/// Why an attempt failed.
#[derive(Debug, Error)]
pub(super) enum JobError {
    /// The database failed: it may work the next time.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// It took longer than the claim holds.
    #[error("it was not done in {0} s")]
    TooSlow(u64),
    /// This version does not know such work.
    #[error("no such work: kind {0}")]
    Unknown(String),
}

impl JobError {
    /// Whether no further attempt can help.
    pub(super) fn is_hopeless(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// The attempt came to an end of its own.
pub(super) type Outcome = Result<Completed, JobError>;
