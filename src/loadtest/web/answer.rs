//! Answers of the server, each with the headers that keep browsers from doing more than the page needs.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
        REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

use super::guard::Refusal;

/// An answer; the body may be a stream.
pub(super) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// The live page may run its own script, use its own style sheet, and connect to its own server. Charts place their
/// labels by style attributes.
const LIVE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
                    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The report has its styles in itself, and no script.
const REPORT: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// An answer with this body.
pub(super) fn full(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    with_policy(status, content_type, LIVE, Full::new(body.into()).boxed_unsync())
}

/// The report of the run.
pub(super) fn report(page: Bytes) -> Answer {
    let body = Full::new(page).boxed_unsync();
    with_policy(StatusCode::OK, "text/html; charset=utf-8", REPORT, body)
}

/// A stream of events.
pub(super) fn events(body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    with_policy(StatusCode::OK, "text/event-stream", LIVE, body)
}

/// A line of plain text.
pub(super) fn text(status: StatusCode, words: impl std::fmt::Display) -> Answer {
    full(status, "text/plain; charset=utf-8", format!("{words}\n"))
}

/// The answer to a request that is refused.
pub(super) fn refused(refusal: Refusal) -> Answer {
    let mut answer = text(refusal.status(), refusal);
    if let Refusal::Method(method) = refusal {
        answer
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(method));
    }
    answer
}

fn with_policy(
    status: StatusCode,
    content_type: &'static str,
    policy: &'static str,
    body: UnsyncBoxBody<Bytes, Infallible>,
) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
