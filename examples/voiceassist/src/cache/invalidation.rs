//! Invalidations of other processes, by publish and subscribe. A message that is lost costs staleness up to the time in L1.

use std::time::Duration;

use futures::StreamExt as _;
use redis::RedisError;
use tokio_util::sync::CancellationToken;

use super::{
    local::Local,
    remote::{CHANNEL, Remote},
};

/// Pause between two attempts to subscribe.
const PAUSE: Duration = Duration::from_secs(1);

/// Forgets what others invalidate, until `stop`. With each new subscription everything: nobody knows what was missed.
pub(super) async fn follow(local: &Local, remote: &Remote, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            ended = subscribed(local, remote) => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "invalidations of other processes do not come");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn subscribed(local: &Local, remote: &Remote) -> Result<(), RedisError> {
    let mut subscription = remote.client().get_async_pubsub().await?;
    subscription.subscribe(CHANNEL).await?;
    local.clear();
    let mut messages = subscription.on_message();
    while let Some(message) = messages.next().await {
        local.remove(&message.get_payload::<String>()?).await;
    }
    Ok(())
}
