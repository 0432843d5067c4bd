//! Errors as `metav1.Status` objects. The HPA copies the message into its condition and event. So each
//! message says which resource and metric it is about, and what is wrong.

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
    },
    response::Response,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusDetails};

/// Seconds until the client should try again, where a limit was reached.
const RETRY_AFTER_SECONDS: u16 = 1;

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StatusError {
    status: StatusCode,
    reason: &'static str,
    message: String,
    retry_after: Option<u16>,
}

impl StatusError {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 400: the request is not valid.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 401: the presented credentials are not valid.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    /// 403: the user has no right to this read.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// 404: there is no such metric, object or path.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// 405: the method is not GET.
    pub fn method_not_allowed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    /// 429: the client has too many requests under way. `Retry-After` says when to try again.
    pub fn too_many_requests(message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(RETRY_AFTER_SECONDS),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message)
        }
    }

    /// 500: the API server refused a review.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }

    /// 503: the metric exists, but has no usable value now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
    }

    /// 504: a review got no answer in time.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message)
    }

    /// The HTTP status.
    pub(super) fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// The HTTP response with the `Status` as its body.
    pub fn into_response(self) -> Response {
        let status = Status {
            status: Some("Failure".to_owned()),
            code: Some(i32::from(self.status.as_u16())),
            reason: Some(self.reason.to_owned()),
            message: Some(self.message),
            details: self.retry_after.map(|seconds| StatusDetails {
                retry_after_seconds: Some(seconds.into()),
                ..StatusDetails::default()
            }),
            ..Status::default()
        };
        // A Status that holds only strings and numbers always serializes.
        let body = serde_json::to_vec(&status).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
