//! GET, with a time limit and the server's own words when it fails.

use std::time::Duration;

use kube::Client;
use serde::de::DeserializeOwned;

/// Longest wait for one answer. An aggregated API that is away answers late, through the API server.
const TIME_LIMIT: Duration = Duration::from_secs(15);

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The server says no. Worded as kubectl does.
    #[error("Error from server ({reason}): {message}")]
    Server {
        /// Its reason, for example `NotFound`.
        reason: String,
        /// HTTP status.
        code: u16,
        /// Its words.
        message: String,
    },
    /// There is no answer.
    #[error("no answer from the API server within {} s", TIME_LIMIT.as_secs())]
    Late,
    /// The server cannot be reached, or its answer is not understood.
    #[error("cannot read from the API server: {0}")]
    Client(#[source] kube::Error),
}

impl ReadError {
    /// Whether the server says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Server { code: 404, .. })
    }

    /// Whether the reader has no right to it.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Server { code: 401 | 403, .. })
    }

    /// The server's words without kubectl's prefix, for values that are missing.
    pub fn words(&self) -> String {
        match self {
            Self::Server { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }
}

/// A list of which only the items are read.
#[derive(Debug, serde::Deserialize)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
}

/// Reads objects by path.
pub(super) struct Reader {
    client: Client,
}

impl Reader {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ReadError> {
        let request = hyper::Request::get(path).body(Vec::new());
        let request = request.map_err(|error| ReadError::Client(kube::Error::HttpError(error)))?;
        match tokio::time::timeout(TIME_LIMIT, self.client.request::<T>(request)).await {
            Ok(Ok(object)) => Ok(object),
            Ok(Err(kube::Error::Api(status))) => Err(ReadError::Server {
                reason: if status.reason.is_empty() {
                    "Unknown".to_owned()
                } else {
                    status.reason.clone()
                },
                code: status.code,
                message: status.message.clone(),
            }),
            Ok(Err(error)) => Err(ReadError::Client(error)),
            Err(_) => Err(ReadError::Late),
        }
    }

    pub(super) async fn get_opt<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ReadError> {
        match self.get(path).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Percent-encodes all that is not unreserved, for one segment of a path or one value of a query.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_survives_the_way_into_a_query() {
        assert_eq!(
            encode("app in (a,b),é=x/y"),
            "app%20in%20%28a%2Cb%29%2C%C3%A9%3Dx%2Fy"
        );
    }
}
