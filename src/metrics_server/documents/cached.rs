//! Documents that do not change while the process lives. They are rendered once, with an entity tag, so that
//! a client that has the document gets a short 304 answer.

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY},
    },
    response::Response,
};
use serde_json::Value;

use crate::serving::negotiation::is_unchanged;

/// Content type of JSON.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One rendered document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    content_type: HeaderValue,
    body: Bytes,
    hash: String,
}

impl Document {
    /// Renders JSON. Keys are in a fixed order, so that every replica sends the same bytes.
    pub(crate) fn json(document: &Value) -> Self {
        Self::with_type(JSON, document)
    }

    /// Renders JSON under a more specific content type.
    pub(crate) fn with_type(content_type: HeaderValue, document: &Value) -> Self {
        let body = Bytes::from(document.to_string());
        let hash = format!("{:016x}", fnv1a(&body));
        Self {
            content_type,
            body,
            hash,
        }
    }

    /// The hash of the bytes; in quotes it is the entity tag.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// 200 with the document, or 304 for a client that has it already.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", self.hash);
        let unchanged = is_unchanged(request, &etag);
        let body = if unchanged {
            Bytes::new()
        } else {
            self.body.clone()
        };
        let mut response = Response::new(Body::from(body));
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, self.content_type.clone());
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        // A text of hexadecimal digits is always a valid header value.
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(ETAG, etag);
        }
        response
    }

    /// Like [`answer`](Self::answer). A client that requested these bytes by their hash may cache them for
    /// ever.
    pub(crate) fn answer_for_hash(&self, request: &HeaderMap, hash: Option<&str>) -> Response {
        let mut response = self.answer(request);
        if hash == Some(self.hash()) {
            let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
            response.headers_mut().insert(CACHE_CONTROL, forever);
        }
        response
    }

    #[cfg(test)]
    pub(crate) fn parsed<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// FNV-1a with 64 bits. The hash is the same in every build, so that replicas agree. It only distinguishes
/// our own documents and protects nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::header::IF_NONE_MATCH;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_is_the_published_function() {
        // Reference vectors of the authors of FNV.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[tokio::test]
    async fn whoever_has_the_document_gets_304_without_it() {
        let document = Document::json(&json!({"b": 1, "a": 2}));
        let first = document.answer(&HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[CONTENT_TYPE], "application/json");
        let etag = first.headers()[ETAG].clone();
        assert!(etag.to_str().unwrap().starts_with('"'), "{etag:?}");
        let again = document.answer(&HeaderMap::from_iter([(IF_NONE_MATCH, etag.clone())]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[ETAG], etag);
        let body = axum::body::to_bytes(again.into_body(), 100).await.unwrap();
        assert_eq!(body, "");
        let changed = Document::json(&json!({"b": 1, "a": 3}));
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, etag)]);
        assert_eq!(changed.answer(&headers).status(), StatusCode::OK);
    }

    #[test]
    fn only_what_was_asked_for_by_its_hash_is_kept_for_ever() {
        let document = Document::json(&json!({}));
        let headers = HeaderMap::new();
        let kept = |hash| {
            let response = document.answer_for_hash(&headers, hash);
            assert_eq!(response.status(), StatusCode::OK);
            response.headers().contains_key(CACHE_CONTROL)
        };
        assert!(kept(Some(document.hash())));
        assert!(!kept(Some("0000000000000000")));
        assert!(!kept(None));
    }
}
