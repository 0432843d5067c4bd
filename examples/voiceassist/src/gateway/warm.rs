//! What is loaded before the gateway is ready, so that the first requests after a rollout do not all ask PostgreSQL.

use std::time::Duration;

use super::{feature_flags, state::Gateway};

/// Readiness waits for at most so long. A gateway that starts cold is slower, one that does not start is none.
const LONGEST: Duration = Duration::from_secs(5);

/// Loads the flags; says in the log if that took too long or failed.
pub async fn warm(gateway: &Gateway) {
    match tokio::time::timeout(LONGEST, feature_flags::enabled_ones(gateway)).await {
        Ok(Ok(flags)) => tracing::info!(flags = flags.len(), "the cache is warm"),
        Ok(Err(error)) => tracing::warn!(%error, "the cache stays cold"),
        Err(_) => tracing::warn!("the cache stays cold: PostgreSQL took too long"),
    }
}
