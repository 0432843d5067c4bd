//! Housekeeping: dead letters of jobs whose workers died, jobs done long ago, expired tokens. Any number of workers may do it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    database::{Database, DatabaseError, Statement},
    queue,
};

pub(super) static EXPIRED_TOKENS: Statement = Statement::new(
    "refresh_tokens.delete_expired",
    "delete from refresh_tokens where digest in
     (select digest from refresh_tokens where expires_at < now() order by expires_at limit 1000)",
);

/// How long a job that is done, and its result, can be looked up.
const KEPT: Duration = Duration::from_hours(24);

/// Keeps house once a second until `stop`, in steps of bounded size.
pub async fn keep_house(database: &Database, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = once(database).await {
            tracing::warn!(%error, "housekeeping failed");
        }
    }
}

async fn once(database: &Database) -> Result<(), DatabaseError> {
    let buried = queue::bury(database).await?;
    if buried > 0 {
        tracing::warn!(
            jobs = buried,
            "jobs are dead letters: no worker came to the end of them"
        );
    }
    queue::delete_done(database, KEPT).await?;
    database.ask(&EXPIRED_TOKENS).run().await?;
    Ok(())
}
