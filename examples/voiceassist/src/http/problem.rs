//! Errors as JSON problems (RFC 9457).

use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::database::{DatabaseError, Kind};

/// Why a request has no answer of its own. The detail is for the caller; what only we should know is logged.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    /// A problem with this status; the detail says what to do.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }

    /// 400: the request is wrong whatever the state.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401: nobody known asks.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// 403: who asks may not.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "only administrators may do this")
    }

    /// 404: there is no such thing, or it is somebody else's.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    /// 503 with Retry-After: the same request may work soon.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        Self::of(&error)
    }
}

/// The error of a load that many waited for.
impl From<Arc<DatabaseError>> for Problem {
    fn from(error: Arc<DatabaseError>) -> Self {
        Self::of(&error)
    }
}

impl Problem {
    fn of(error: &DatabaseError) -> Self {
        match error.kind() {
            Kind::Unavailable => {
                tracing::warn!(%error, "the database is not available");
                Self::unavailable("the database is not available")
            }
            Kind::Conflict => Self::new(StatusCode::CONFLICT, "there is one already"),
            Kind::Gone => Self::new(StatusCode::CONFLICT, "what this refers to is gone"),
            Kind::Invalid => Self::invalid("a value cannot be stored"),
            Kind::Fault => {
                tracing::error!(%error, "a query failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of the service")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Problem"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}
