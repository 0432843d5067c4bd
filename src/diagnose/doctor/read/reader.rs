//! One read: with a time limit, and with its failure as data.

use std::time::Duration;

use hyper::Request;
use kube::Client;
use serde_json::Value;

use crate::diagnose::doctor::observed::{Read, Unread};

/// Longest wait for one answer.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Waits for a read.
pub(super) async fn read<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Read<T> {
    match tokio::time::timeout(TIME_LIMIT, request).await {
        Ok(answer) => answer.map_err(|error| unread(&error)),
        Err(_) => Err(Unread::Failed(format!(
            "no answer within {}s",
            TIME_LIMIT.as_secs()
        ))),
    }
}

/// GETs a path of the API server as JSON.
pub(super) async fn get(client: &Client, path: &str) -> Read<Value> {
    let request = Request::get(path).body(Vec::new());
    let request = request.map_err(|error| Unread::Failed(error.to_string()))?;
    read(client.request::<Value>(request)).await
}

fn unread(error: &kube::Error) -> Unread {
    match error {
        kube::Error::Api(status) => match status.code {
            404 => Unread::NotFound,
            403 => Unread::Forbidden(status.message.clone()),
            code => Unread::Failed(format!("{code}: {}", status.message)),
        },
        other => Unread::Failed(innermost(other)),
    }
}

/// The cause at the bottom, without wrappers.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
