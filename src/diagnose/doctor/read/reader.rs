//! One read: with a time limit, and with its failure as data.

use std::time::Duration;

use kube::Client;
use serde_json::Value;
use vas_cluster::read::{ReadError, Reader, bounded};
use vas_core::k8s::read::{Read, Unread};

/// Longest wait for one answer.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What reads by path.
pub(crate) fn reader(client: &Client) -> Reader {
    Reader::new(client.clone(), TIME_LIMIT)
}

/// Waits for a read.
pub(crate) async fn read<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Read<T> {
    bounded(TIME_LIMIT, request).await.map_err(unread)
}

/// GETs a path of the API server as JSON.
pub(crate) async fn get(client: &Client, path: &str) -> Read<Value> {
    reader(client).get(path).await.map_err(unread)
}

/// A failure as the checks want it.
pub(crate) fn unread(error: ReadError) -> Unread {
    match error {
        ReadError::Late(limit) => late(limit),
        ReadError::Server(status) => match status.code {
            404 => Unread::NotFound,
            403 => Unread::Forbidden(status.message),
            code => Unread::Failed(format!("{code}: {}", status.message)),
        },
        ReadError::Client(other) => Unread::Failed(innermost(&other)),
        ReadError::Unidentified(error) => Unread::Failed(error.to_string()),
    }
}

/// There was no answer in time.
pub(crate) fn late(limit: Duration) -> Unread {
    Unread::Failed(format!("no answer within {}s", limit.as_secs()))
}

/// The cause at the bottom, without wrappers.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
