//! Sends one review to the API server, and maps its failures to answers for the waiting requests. A failure
//! never means yes.

use std::{fmt::Debug, time::Duration};

use kube::{Api, api::PostParams};
use serde::{Serialize, de::DeserializeOwned};

use crate::status_error::StatusError;

/// Creates a review and returns it with its status. `what` names the review in messages.
///
/// # Errors
/// 504 if no answer comes within `time_limit`, 503 if the API server cannot be reached now, 500 if it refuses
/// the review itself, because rights are missing.
pub(super) async fn send<K>(
    what: &str,
    api: &Api<K>,
    review: &K,
    time_limit: Duration,
) -> Result<K, StatusError>
where
    K: Clone + Debug + Serialize + DeserializeOwned,
{
    let params = PostParams::default();
    let Ok(answer) = tokio::time::timeout(time_limit, api.create(&params, review)).await else {
        return Err(StatusError::timeout(format!(
            "the {what} had no answer within {}s",
            time_limit.as_secs()
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
pub(super) mod testing;
