//! The text of `/metrics`: the registry of the process, and the series about objects.
//!
//! Series about objects are made anew for each scrape, so that what was deleted is gone at the next one. They are
//! handed on in parts: with many objects they are megabytes, which are never held twice.

use std::{convert::Infallible, io::Write as _, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use futures::stream;
use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    registry::Registry,
};

/// Content type of the OpenMetrics text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Makes the series about objects, in the format of OpenMetrics: whole families, none of which the registry has.
pub type Objects = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// The sources of the text at `/metrics`: counts of the process, and series that are made at each scrape.
#[derive(Clone)]
pub struct Exposed {
    /// The metrics of this process.
    pub registry: Arc<Registry>,
    /// The series about objects.
    pub objects: Objects,
}

impl Exposed {
    /// The metrics of a process that exports nothing about objects.
    pub fn process(registry: Registry) -> Self {
        Self {
            registry: Arc::new(registry),
            objects: Arc::new(Vec::new),
        }
    }

    /// The answer to a scrape, compressed where its `Accept-Encoding` has gzip. Encoding takes a while where there are
    /// many objects.
    pub fn answer(&self, scrape: &HeaderMap) -> Response {
        let answer = self.parts().and_then(|parts| {
            Ok(if takes_gzip(scrape) {
                let encoding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                ([encoding], gzipped(parts)?).into_response()
            } else {
                let parts = parts
                    .into_iter()
                    .map(|part| Ok::<_, Infallible>(Bytes::from(part)));
                Body::from_stream(stream::iter(parts)).into_response()
            })
        });
        match answer {
            Ok(mut answer) => {
                let kind = HeaderValue::from_static(OPEN_METRICS);
                answer.headers_mut().insert(header::CONTENT_TYPE, kind);
                answer
            }
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }

    fn parts(&self) -> Result<Vec<String>, EncodeError> {
        let (mut process, mut end) = (String::new(), String::new());
        encode_registry(&mut process, &self.registry)?;
        encode_eof(&mut end)?;
        let mut parts = vec![process];
        parts.extend((self.objects)());
        parts.push(end);
        Ok(parts)
    }
}

/// Why a scrape has no answer.
#[derive(Debug, thiserror::Error)]
enum EncodeError {
    #[error("cannot encode the metrics: {0}")]
    Text(#[from] std::fmt::Error),
    #[error("cannot compress the metrics: {0}")]
    Gzip(#[from] std::io::Error),
}

fn gzipped(parts: Vec<String>) -> Result<Vec<u8>, EncodeError> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for part in parts {
        gzip.write_all(part.as_bytes())?;
    }
    Ok(gzip.finish()?)
}

/// Whether one of the encodings is gzip, and not with the weight zero.
fn takes_gzip(scrape: &HeaderMap) -> bool {
    let accepted = scrape.get_all(header::ACCEPT_ENCODING).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|encoding| {
            let (name, weight) = encoding.split_once(';').unwrap_or((encoding, "q=1"));
            let is_zero = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0));
            name.trim().eq_ignore_ascii_case("gzip") && !is_zero
        })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::body::to_bytes;
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    fn exposed() -> Exposed {
        let mut registry = Registry::default();
        registry.register("things", "Things counted", Counter::<u64>::default());
        Exposed {
            objects: Arc::new(|| vec!["# TYPE a gauge\n".to_owned(), "a{of=\"x\"} 1\n".to_owned()]),
            ..Exposed::process(registry)
        }
    }

    fn scrape(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())])
    }

    #[tokio::test]
    async fn objects_come_before_the_end_and_a_compressed_answer_says_the_same() {
        let plain = exposed().answer(&HeaderMap::new());
        assert_eq!(plain.headers()[header::CONTENT_TYPE], OPEN_METRICS);
        let plain = to_bytes(plain.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(plain.to_vec()).unwrap();
        assert!(
            text.contains("things_total 0\n# TYPE a gauge\na{of=\"x\"} 1\n# EOF\n"),
            "{text}"
        );
        let packed = exposed().answer(&scrape("zstd, gzip;q=0.5"));
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let packed = to_bytes(packed.into_body(), 1 << 20).await.unwrap();
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&*packed)
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, text);
    }

    #[test]
    fn gzip_is_sent_to_those_alone_who_take_it() {
        for (accept, takes) in [
            ("gzip", true),
            ("deflate,GZIP", true),
            ("gzip;q=0", false),
            ("identity", false),
        ] {
            assert_eq!(takes_gzip(&scrape(accept)), takes, "{accept}");
        }
    }
}
