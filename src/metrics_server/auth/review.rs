//! One review asked of the API server, and what its failures mean to whoever waits for it: never a yes.

use std::{fmt::Debug, time::Duration};

use kube::{Api, api::PostParams};
use serde::{Serialize, de::DeserializeOwned};

use crate::metrics_server::status_error::StatusError;

/// Sends a review and returns it answered. `what` names it in messages.
///
/// # Errors
/// 504 if no answer comes in time, 503 if the API server cannot be asked now, 500 if it refuses the review itself:
/// the rights for it are missing.
pub async fn send<K>(what: &str, api: &Api<K>, review: &K, within: Duration) -> Result<K, StatusError>
where
    K: Clone + Debug + Serialize + DeserializeOwned,
{
    let params = PostParams::default();
    let Ok(answer) = tokio::time::timeout(within, api.create(&params, review)).await else {
        return Err(StatusError::timeout(format!(
            "the {what} had no answer within {}s",
            within.as_secs()
        )));
    };
    answer.map_err(|error| {
        let message = format!("the {what} failed: {error}");
        match error {
            kube::Error::Api(status) if status.code < 500 && status.code != 429 => {
                StatusError::internal(message)
            }
            _ => StatusError::unavailable(message),
        }
    })
}

#[cfg(test)]
pub mod testing;
