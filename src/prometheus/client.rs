//! A client for one Prometheus server: `prometheus-http-query` sends the query, [`super::body`] and
//! [`super::response`] read the answer.

use std::{error::Error as _, time::Duration};

use prometheus_http_query::{Client as Api, Error as ApiError};
use reqwest::{
    StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue},
};

use crate::{
    body::{self, BodyError, Limit},
    response::{self, InstantAnswer, ResponseError},
    settings::{BuildError, ClientSettings, Limits},
};
use vas_core::{
    metrics::promql::{Track, Vector},
    wording::{innermost, words},
};

/// A client for one Prometheus server.
#[derive(Clone)]
pub struct Client {
    api: Api,
    limits: Limits,
}

/// The moments of a range query, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first moment.
    pub start: i64,
    /// The last moment, if a whole number of steps leads to it.
    pub end: i64,
    /// Seconds from one moment to the next, at least 1.
    pub step: u32,
}

/// The encoding that answers may have.
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Why a query brought no data.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// There was no connection, or it broke before the answer began.
    #[error("{0}")]
    Connection(String),
    /// No complete answer came in time.
    #[error("no answer within {}s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The HTTP status is not a success, and the body is not the JSON of the API.
    #[error("HTTP {status}{}", if .words.is_empty() { String::new() } else { format!(": {}", .words) })]
    Http {
        /// Status of the answer.
        status: StatusCode,
        /// The beginning of a plain-text body.
        words: String,
    },
    /// The answer is larger than the limit.
    #[error("{0}")]
    TooLarge(String),
    /// The body has a bad encoding, or the connection broke within it.
    #[error("{0}")]
    Body(String),
    /// The answer is complete but cannot be used.
    #[error(transparent)]
    Response(#[from] ResponseError),
}

impl QueryError {
    const TIMEOUT: &str = "timeout";
    /// Every word of [`slug`](Self::slug).
    pub const SLUGS: [&str; 7] = [
        Self::TIMEOUT,
        "unreachable",
        "http-status",
        "too-large",
        "malformed",
        "refused",
        "warned",
    ];

    /// The kind of error as one word, for labels.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            // Also where Prometheus' own time limit ended the query.
            _ if self.is_timeout() => Self::TIMEOUT,
            Self::Timeout(_) => Self::TIMEOUT,
            Self::Connection(_) => "unreachable",
            Self::Http { .. } => "http-status",
            Self::TooLarge(_) => "too-large",
            Self::Body(_) | Self::Response(ResponseError::Malformed(_)) => "malformed",
            Self::Response(ResponseError::Refused { .. }) => "refused",
            Self::Response(ResponseError::Warned(_)) => "warned",
        }
    }

    /// Whether the series of one namespace may have caused the error. Otherwise the cause is Prometheus or
    /// the connection to it.
    #[must_use]
    pub fn may_be_of_some_series(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Response(error) => error.may_be_of_some_series(),
            Self::Connection(_) | Self::Http { .. } | Self::TooLarge(_) | Self::Body(_) => false,
        }
    }

    /// Whether the query ran into the time limit, here or in Prometheus.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Response(error) => error.is_timeout(),
            Self::Connection(_) | Self::Http { .. } | Self::TooLarge(_) | Self::Body(_) => false,
        }
    }
}

impl Client {
    /// A client for the server at `url`.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn new(url: &str, limits: Limits) -> Result<Self, BuildError> {
        Self::build(&ClientSettings::plain(url, limits))
    }

    /// A client for a server that needs more settings than its URL, such as TLS or credentials.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(settings: &ClientSettings) -> Result<Self, BuildError> {
        let (http, url) = settings.http()?;
        let api = Api::from(http, url).map_err(|error| BuildError::Url {
            url: url.to_owned(),
            problem: innermost(&error),
        })?;
        Ok(Self {
            api,
            limits: settings.limits,
        })
    }

    /// The limits of each query.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Runs an instant query that returns numbers only.
    ///
    /// # Errors
    /// See [`QueryError`]; the texts do not contain the URL.
    pub async fn query(&self, promql: &str) -> Result<Vector, QueryError> {
        let answer = self.ask(promql).await?;
        Ok(answer.numbers()?.vector)
    }

    /// Runs an instant query, and returns Prometheus' annotations and the series with histograms as well.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn ask(&self, promql: &str) -> Result<InstantAnswer, QueryError> {
        self.bounded(promql, Limit::general(self.limits.response_size))
            .await
    }

    /// Runs an instant query that must return a single series. An author wrote it, so its answer gets little
    /// memory, however large the general limit is.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn ask_one(&self, promql: &str) -> Result<InstantAnswer, QueryError> {
        let limit = Limit::one_series(self.limits.response_size);
        Ok(self.bounded(promql, limit).await?.numbers()?)
    }

    /// Runs an instant query whose result has several points in time for each series: a subquery.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn tracks(&self, promql: &str) -> Result<Vec<Track>, QueryError> {
        let limit = Limit::general(self.limits.response_size);
        let sent = self.send(promql, limit, response::parse_tracks);
        self.in_time(sent).await
    }

    /// Runs a range query, and returns the points of each series.
    ///
    /// # Errors
    /// See [`Client::query`].
    pub async fn range(&self, promql: &str, range: Range) -> Result<Vec<Track>, QueryError> {
        let limit = Limit::general(self.limits.response_size);
        let query = self
            .api
            .query_range(promql, range.start, range.end, f64::from(range.step))
            .timeout(self.timeout())
            .header(ACCEPT_ENCODING, GZIP);
        self.in_time(self.read(query.post_raw(), limit, response::parse_tracks))
            .await
    }

    async fn bounded(&self, promql: &str, limit: Limit) -> Result<InstantAnswer, QueryError> {
        self.in_time(self.send(promql, limit, response::parse)).await
    }

    async fn in_time<T>(&self, sent: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
        tokio::time::timeout(self.limits.timeout, sent)
            .await
            .unwrap_or(Err(QueryError::Timeout(self.limits.timeout)))
    }

    async fn send<T>(
        &self,
        promql: &str,
        limit: Limit,
        parse: fn(&[u8]) -> Result<T, ResponseError>,
    ) -> Result<T, QueryError> {
        let query = self
            .api
            .query(promql)
            .timeout(self.timeout())
            .header(ACCEPT_ENCODING, GZIP);
        self.read(query.post_raw(), limit, parse).await
    }

    /// The time limit in milliseconds. Prometheus gets it too, so that it does not go on evaluating a query for which
    /// nobody waits.
    fn timeout(&self) -> i64 {
        i64::try_from(self.limits.timeout.as_millis()).unwrap_or(i64::MAX)
    }

    async fn read<T>(
        &self,
        sent: impl Future<Output = Result<reqwest::Response, ApiError>>,
        limit: Limit,
        parse: fn(&[u8]) -> Result<T, ResponseError>,
    ) -> Result<T, QueryError> {
        let response = sent.await.map_err(|error| self.connection(&error))?;
        // A proxy in front of Prometheus answers errors in HTML, and login pages with status 200. So the
        // content type is looked at before the body is parsed.
        let status = response.status();
        let json = is_json(response.headers().get(CONTENT_TYPE));
        let body = body::read(response, limit).await.map_err(|error| match error {
            BodyError::TooLarge(_) => QueryError::TooLarge(error.to_string()),
            _ => QueryError::Body(error.to_string()),
        })?;
        if json {
            let parsed = parse(&body);
            // Prometheus sends the JSON of a refused query with status 400, 422 or 503: its own words are
            // better than the status.
            if status.is_success() || matches!(parsed, Err(ResponseError::Refused { .. })) {
                return Ok(parsed?);
            }
        } else if status.is_success() {
            return Err(
                ResponseError::Malformed("the answer is not JSON; is the URL that of a Prometheus?").into(),
            );
        }
        let text = body.get(..1024).unwrap_or(&body);
        let words = if json {
            String::new()
        } else {
            words(&String::from_utf8_lossy(text))
        };
        Err(QueryError::Http { status, words })
    }

    fn connection(&self, error: &ApiError) -> QueryError {
        // The HTTP client has the same time limit, and may be the first to notice it.
        let timed_out = matches!(error, ApiError::Client(client)
            if client.source().and_then(|source| source.downcast_ref::<reqwest::Error>())
                .is_some_and(reqwest::Error::is_timeout));
        if timed_out {
            QueryError::Timeout(self.limits.timeout)
        } else {
            QueryError::Connection(innermost(error))
        }
    }
}

fn is_json(content_type: Option<&HeaderValue>) -> bool {
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests;
