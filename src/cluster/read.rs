//! Reads of the API server, each with a time limit. A failure keeps the server's own message.

use std::{sync::Arc, time::Duration};

use hyper::{Request, header::ACCEPT};
use kube::{Client, core::Status};
use serde::de::DeserializeOwned;
use vas_core::k8s::resource_ref::Unidentified;

/// Why a read failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// The server answered with an error. The message is that of kubectl.
    #[error("Error from server ({}): {}", reason(.0), .0.message)]
    Server(Box<Status>),
    /// No answer came within this time.
    #[error("no answer from the API server within {} s", .0.as_secs())]
    Late(Duration),
    /// The object that was read does not say which object it is.
    #[error(transparent)]
    Unidentified(#[from] Unidentified),
    /// The server cannot be reached, or its answer is not understood.
    #[error("cannot read from the API server: {0}")]
    Client(#[source] Arc<kube::Error>),
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
            other => Self::Client(Arc::new(other)),
        }
    }
}

impl ReadError {
    /// Whether the server answered that the object does not exist (404).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Server(status) if status.code == 404)
    }

    /// Whether the server refused a write because the object has changed since it was read, or exists already (409).
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Server(status) if status.code == 409)
    }

    /// Whether the reader has no right to read the object (401 or 403).
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Server(status) if matches!(status.code, 401 | 403))
    }

    /// The failure as an error of the Kubernetes client; `None` if no answer came in time.
    pub fn into_client_error(self) -> Option<kube::Error> {
        match self {
            Self::Server(status) => Some(kube::Error::Api(status)),
            // It is shared where the failure was remembered for others.
            Self::Client(error) => {
                Some(Arc::try_unwrap(error).unwrap_or_else(|shared| kube::Error::Service(shared.into())))
            }
            Self::Late(_) | Self::Unidentified(_) => None,
        }
    }

    /// The server's message without kubectl's prefix, to be shown in place of a value that is missing.
    pub fn words(&self) -> String {
        match self {
            Self::Server(status) => status.message.clone(),
            other => other.to_string(),
        }
    }
}

/// Waits for the answer to a request for at most `limit`.
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

/// Makes `None` of a read whose object does not exist.
///
/// # Errors
/// Every other error of the read.
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
    /// The items of the list, or of one page of it.
    pub items: Vec<T>,
}

/// Reads by path.
#[derive(Clone)]
pub struct Reader {
    client: Client,
    limit: Duration,
}

impl Reader {
    /// A reader that waits for each answer for at most `limit`.
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

    /// GETs a path with this `Accept` header; the server answers in the first media type that it supports.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn get_as<T: DeserializeOwned>(&self, path: &str, accept: &str) -> Result<T, ReadError> {
        self.send(Request::get(path).header(ACCEPT, accept)).await
    }

    /// GETs a path as JSON; `None` if the object does not exist.
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
        let request = request.map_err(|error| ReadError::from(kube::Error::HttpError(error)))?;
        bounded(self.limit, self.client.request(request)).await
    }
}
