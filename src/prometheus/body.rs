//! Reads the body of an answer up to a limit. The limit counts decompressed bytes, so that a small answer
//! cannot decompress to more memory than there is.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use reqwest::{Response, header::CONTENT_ENCODING};

/// Largest answer with one series, in bytes: its labels fit.
const ONE_SERIES: usize = 64 << 10;

/// The largest body, and the advice for a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    bytes: usize,
    remedy: &'static str,
}

impl Limit {
    /// The configured limit.
    pub(super) fn general(bytes: usize) -> Self {
        Self {
            bytes,
            remedy: "raise --prometheus-max-response-size (maxResponseSize in a configuration file) or narrow the metrics",
        }
    }

    /// The limit for an answer that must hold one series.
    pub(super) fn one_series(general: usize) -> Self {
        Self {
            bytes: general.min(ONE_SERIES),
            remedy: "the query must return one series; aggregate it, for example with sum(...) or max(...)",
        }
    }
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the answer is larger than {} bytes; {}", .0.bytes, .0.remedy)]
    TooLarge(Limit),
    #[error("the answer has the unknown content encoding {0:?}")]
    Encoding(String),
    #[error("the answer is not valid gzip")]
    Gzip,
    #[error("the connection broke within the answer")]
    Connection,
}

/// Reads the whole body and decompresses it.
pub(super) async fn read(mut response: Response, limit: Limit) -> Result<Vec<u8>, BodyError> {
    let encoding = response
        .headers()
        .get(CONTENT_ENCODING)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::Connection)? {
        // The compressed bytes are limited as well, because they are held in memory first.
        if body.len() + chunk.len() > limit.bytes {
            return Err(BodyError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    match encoding.as_deref() {
        None | Some("identity") => Ok(body),
        Some("gzip") => decompress(&body, limit),
        Some(other) => Err(BodyError::Encoding(other.chars().take(40).collect())),
    }
}

fn decompress(compressed: &[u8], limit: Limit) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    // One byte more than the limit is read, which tells an answer of exactly the limit from a larger one.
    let one_more = u64::try_from(limit.bytes).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(compressed)
        .take(one_more)
        .read_to_end(&mut body)
        .map_err(|_| BodyError::Gzip)?;
    if body.len() > limit.bytes {
        Err(BodyError::TooLarge(limit))
    } else {
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_limit_counts_decompressed_bytes() {
        let bomb = gzip(&vec![b' '; 1 << 20]);
        assert!(bomb.len() < 2000);
        assert!(matches!(
            decompress(&bomb, Limit::general(1 << 19)),
            Err(BodyError::TooLarge(_))
        ));
        assert_eq!(decompress(&bomb, Limit::general(1 << 20)).unwrap().len(), 1 << 20);
    }

    #[test]
    fn a_cut_off_stream_is_an_error() {
        let whole = gzip(b"{\"status\":\"success\"}");
        assert!(matches!(
            decompress(&whole[..whole.len() - 4], Limit::general(1000)),
            Err(BodyError::Gzip)
        ));
    }
}
