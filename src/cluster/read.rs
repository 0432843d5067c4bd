//! One read of the API server: with a time limit, and with the server's own words when it fails.

use std::time::Duration;

use hyper::{Request, header::ACCEPT};
use kube::{Client, core::Status};
use serde::de::DeserializeOwned;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The server says no. Worded as kubectl does.
    #[error("Error from server ({}): {}", reason(.0), .0.message)]
    Server(Box<Status>),
    /// There is no answer within this time.
    #[error("no answer from the API server within {} s", .0.as_secs())]
    Late(Duration),
    /// The server cannot be reached, or its answer is not understood.
    #[error("cannot read from the API server: {0}")]
    Client(#[source] kube::Error),
}

fn reason(status: &Status) -> &str {
    if status.reason.is_empty() {
        "Unknown"
    } else {
        &status.reason
    }
}

impl From<kube::Error> for ReadError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Server(status),
            other => Self::Client(other),
        }
    }
}

impl ReadError {
    /// Whether the server says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Server(status) if status.code == 404)
    }

    /// Whether the reader has no right to it.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Server(status) if matches!(status.code, 401 | 403))
    }

    /// The failure as the client tells it; `None` where it came to no answer in time.
    pub fn into_client_error(self) -> Option<kube::Error> {
        match self {
            Self::Server(status) => Some(kube::Error::Api(status)),
            Self::Client(error) => Some(error),
            Self::Late(_) => None,
        }
    }

    /// The server's words without kubectl's prefix, for values that are missing.
    pub fn words(&self) -> String {
        match self {
            Self::Server(status) => status.message.clone(),
            other => other.to_string(),
        }
    }
}

/// Waits for the answer to a request, no longer than `limit`.
///
/// # Errors
/// See [`ReadError`].
pub async fn bounded<T>(
    limit: Duration,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ReadError> {
    match tokio::time::timeout(limit, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(ReadError::Late(limit)),
    }
}

/// What was read; `None` where the server says that there is no such thing.
///
/// # Errors
/// Those of the read, but for not found.
pub fn found<T>(read: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match read {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A list of which only the items are read.
#[derive(Debug, serde::Deserialize)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
}

/// Reads by path.
#[derive(Clone)]
pub struct Reader {
    client: Client,
    limit: Duration,
}

impl Reader {
    /// A reader that waits so long for one answer.
    pub fn new(client: Client, limit: Duration) -> Self {
        Self { client, limit }
    }

    /// GETs a path as JSON.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ReadError> {
        self.send(Request::get(path)).await
    }

    /// GETs a path in the first of the forms in `accept` that the server has.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn get_as<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, ReadError> {
        self.send(Request::get(path).header(ACCEPT, accept)).await
    }

    /// GETs a path as JSON; `None` where the server says that there is no such thing.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn get_opt<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ReadError> {
        found(self.get(path).await)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: hyper::http::request::Builder,
    ) -> Result<T, ReadError> {
        let request = request.body(Vec::new());
        let request = request.map_err(|error| ReadError::Client(kube::Error::HttpError(error)))?;
        bounded(self.limit, self.client.request(request)).await
    }
}
