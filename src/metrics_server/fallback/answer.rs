//! Judges the answer of an adapter: what is passed on, and in which words.
//!
//! A list of metrics is passed on byte by byte, once it is complete JSON of the right kind. An error is passed
//! on in the adapter's own words, bounded, behind the adapter's address. What an adapter cannot mean for the
//! client (its refusal of our account, a redirect, a page of a proxy) becomes 503.

use axum::{body::Bytes, http::StatusCode};
use serde::{Deserialize, de::IgnoredAny};

use super::address::AdapterAddress;
use crate::status_error::StatusError;
use vas_core::{metrics::registration::MetricsApi, wording::words};

/// The part of a list that is looked at. The items are parsed, so that a list that was cut off is an error,
/// and not kept.
#[derive(Deserialize)]
struct List {
    kind: String,
    #[expect(dead_code, reason = "a list without items is no list")]
    items: Vec<IgnoredAny>,
}

/// The part of a `metav1.Status` that is looked at.
#[derive(Deserialize)]
struct Status {
    kind: String,
    #[serde(default)]
    message: String,
}

/// Who answered, for messages.
pub(super) struct Adapter<'a> {
    /// The API group that was read.
    pub(super) api: MetricsApi,
    /// Its address.
    pub(super) address: &'a AdapterAddress,
    /// The user as whom the read was sent: `system:serviceaccount:NAMESPACE:NAME`.
    pub(super) account: &'a str,
}

impl Adapter<'_> {
    /// The body to pass on.
    ///
    /// # Errors
    /// 400, 404 and 429 of the adapter with its words; 503 for everything else that is no list of metrics.
    pub(super) fn judge(&self, status: StatusCode, body: Bytes) -> Result<Bytes, StatusError> {
        let kind = match self.api {
            MetricsApi::Custom => "MetricValueList",
            MetricsApi::External => "ExternalMetricValueList",
        };
        if status == StatusCode::OK {
            return match serde_json::from_slice::<List>(&body) {
                Ok(list) if list.kind == kind => Ok(body),
                Ok(list) => {
                    Err(self.failed(&format!("it answered with a {}, not a {kind}", words(&list.kind))))
                }
                Err(error) => {
                    Err(self.failed(&format!("its answer is no {kind}: {}", words(&error.to_string()))))
                }
            };
        }
        let said = serde_json::from_slice::<Status>(&body)
            .ok()
            .filter(|said| said.kind == "Status")
            .map(|said| words(&said.message));
        let address = self.address;
        match (status, said) {
            (StatusCode::NOT_FOUND, Some(said)) => Err(StatusError::not_found(format!(
                "no VoiceAssistScaling describes this metric, and {address} answers: {said}"
            ))),
            (StatusCode::BAD_REQUEST, Some(said)) => {
                Err(StatusError::bad_request(format!("{address} answers: {said}")))
            }
            (StatusCode::TOO_MANY_REQUESTS, Some(said)) => Err(StatusError::too_many_requests(format!(
                "{address} answers: {said}"
            ))),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, said) => Err(self.failed(&format!(
                "it refuses {} (HTTP {}): {}",
                self.account,
                status.as_u16(),
                said.unwrap_or_default()
            ))),
            (status, Some(said)) => Err(self.failed(&format!("HTTP {}: {said}", status.as_u16()))),
            (status, None) => Err(self.failed(&format!("HTTP {}, without a Status", status.as_u16()))),
        }
    }

    /// 503: the adapter gave no answer that the client can use.
    pub(super) fn failed(&self, why: &str) -> StatusError {
        StatusError::unavailable(format!(
            "no VoiceAssistScaling describes this metric, and {} ({}) has no answer: {why}",
            self.address,
            self.flag()
        ))
    }

    /// The flag that names the adapter.
    fn flag(&self) -> &'static str {
        match self.api {
            MetricsApi::Custom => "--fallback-custom",
            MetricsApi::External => "--fallback-external",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Result<Bytes, (u16, String)> {
        let address = "adapter.monitoring.svc".parse().unwrap();
        let adapter = Adapter {
            api: MetricsApi::Custom,
            address: &address,
            account: "system:serviceaccount:vas-system:vas-fallback",
        };
        let status = StatusCode::from_u16(status).unwrap();
        adapter
            .judge(status, Bytes::copy_from_slice(body.as_bytes()))
            .map_err(|error| (error.code(), error.to_string()))
    }

    #[test]
    fn a_list_is_passed_on_byte_by_byte() {
        let list = r#"{"kind":"MetricValueList", "apiVersion":"custom.metrics.k8s.io/v1beta1","items":[ {"value":"1"} ]}"#;
        assert_eq!(judged(200, list).unwrap(), list.as_bytes());
    }

    #[test]
    fn what_is_no_whole_list_is_no_value() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"kind":"MetricValueList"}"#,
            r#"{"kind":"MetricValueList","items":null}"#,
            r#"{"kind":"MetricValueList","items":[{"value":"1"}"#,
            r#"{"kind":"ExternalMetricValueList","items":[]}"#,
            r#"{"kind":"Status","items":[]}"#,
        ] {
            let (code, message) = judged(200, body).unwrap_err();
            assert_eq!(code, 503, "{body}");
            assert!(
                message.contains("adapter.monitoring.svc:443 (--fallback-custom)"),
                "{message}"
            );
        }
    }

    #[test]
    fn errors_of_the_adapter_keep_their_meaning_and_its_words() {
        let status =
            |code: u16| format!(r#"{{"kind":"Status","message":"no\nsuch \u0007metric","code":{code}}}"#);
        for (code, expected) in [
            (404, 404),
            (400, 400),
            (429, 429),
            (500, 503),
            (503, 503),
            (302, 503),
        ] {
            let (answered, message) = judged(code, &status(code)).unwrap_err();
            assert_eq!(answered, expected, "{code}");
            assert!(message.ends_with("no such metric"), "{message}");
        }
        assert_eq!(judged(404, "404 page not found").unwrap_err().0, 503);
    }

    #[test]
    fn a_refusal_of_our_account_is_not_told_to_the_client_as_its_own() {
        for code in [401, 403] {
            let (answered, message) =
                judged(code, r#"{"kind":"Status","message":"cannot get"}"#).unwrap_err();
            assert_eq!(answered, 503);
            assert!(
                message.contains("refuses system:serviceaccount:vas-system:vas-fallback"),
                "{message}"
            );
        }
    }

    #[test]
    fn the_words_of_an_adapter_are_bounded() {
        let long = format!(r#"{{"kind":"Status","message":"{}"}}"#, "x".repeat(100_000));
        assert!(judged(404, &long).unwrap_err().1.len() < 1000);
        let kind = format!(r#"{{"kind":"{}","items":[]}}"#, "y".repeat(100_000));
        assert!(judged(200, &kind).unwrap_err().1.len() < 1000);
    }
}
