//! `traceparent` (W3C Trace Context): the trace goes on, with a span of our own. Nothing is exported; the log has the ids.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue};

/// Name of the header.
pub const HEADER: &str = "traceparent";

/// The trace that a request belongs to, and our span in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// 32 hex digits, not all zero.
    pub trace: String,
    span: String,
    sampled: bool,
}

impl TraceContext {
    /// The trace that the caller named, or a new one where it named none.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let parsed = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .and_then(parse);
        let (trace, sampled) = parsed.unwrap_or_else(|| (random(16), false));
        Self {
            trace,
            span: random(8),
            sampled,
        }
    }

    /// The header that says where the trace went on.
    pub fn header(&self) -> Option<HeaderValue> {
        let flags = u8::from(self.sampled);
        HeaderValue::try_from(format!("00-{}-{}-{flags:02x}", self.trace, self.span)).ok()
    }
}

/// Trace and whether it is sampled; nothing unless all of it is right.
fn parse(text: &str) -> Option<(String, bool)> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let set = |part: &str| part.bytes().any(|byte| byte != b'0');
    let right = hex(version, 2)
        && version != "ff"
        && (version != "00" || parts.next().is_none())
        && (hex(trace, 32) && set(trace))
        && (hex(span, 16) && set(span))
        && hex(flags, 2);
    right.then(|| {
        (
            trace.to_owned(),
            u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1),
        )
    })
}

fn random(bytes: usize) -> String {
    (0..bytes).fold(String::with_capacity(bytes * 2), |mut text, _| {
        let _ = write!(text, "{:02x}", fastrand::u8(1..));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn the_trace_goes_on_with_a_span_of_our_own() {
        let mut headers = HeaderMap::new();
        let text = format!("00-{TRACE}-00f067aa0ba902b7-01");
        headers.insert(HEADER, HeaderValue::try_from(&text).unwrap());
        let context = TraceContext::from_headers(&headers);
        assert_eq!(context.trace, TRACE);
        let out = context.header().unwrap();
        assert!(
            out.to_str().unwrap().starts_with(&format!("00-{TRACE}-")),
            "{out:?}"
        );
        assert_ne!(out.to_str().unwrap(), text);
    }

    #[test]
    fn a_wrong_header_begins_a_trace() {
        for wrong in [
            "",
            "00",
            &format!("00-{TRACE}-00f067aa0ba902b7"),
            &format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            &format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(TraceContext::from_headers(&HeaderMap::new()).trace.len(), 32);
    }
}
