//! Undoes the content encoding of bodies. Only bodies that checks and extracts look at are decoded.

use std::io::{self, Read};

use flate2::{
    bufread::GzDecoder,
    read::{DeflateDecoder, ZlibDecoder},
};
use hyper::{HeaderMap, body::Bytes, header::CONTENT_ENCODING};
use ruzstd::decoding::StreamingDecoder;

use super::Failure;

/// The greatest number of encodings of one body; no known server uses more than two.
const MOST_ENCODINGS: usize = 4;

/// The greatest number of gzip members or zstd frames in a body. Each costs time, even an empty one.
const MOST_MEMBERS: usize = 256;

/// The greatest window of zstd, in bytes; browsers allow the same (RFC 8878, section 3.1.1.1.2).
const LARGEST_WINDOW: u64 = 8 << 20;

/// A content encoding (RFC 9110, section 8.4.1; zstd is RFC 8878, br is RFC 7932).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The body of an answer without its encodings. The result has at most `largest` bytes. A body without
/// encoding is returned as it is.
///
/// # Errors
/// When an encoding is unknown, the body does not have that encoding, or the result would be larger.
pub fn decoded(headers: &HeaderMap, body: &Bytes, largest: usize) -> Result<Bytes, Failure> {
    let mut body = body.clone();
    if body.is_empty() {
        return Ok(body);
    }
    // Encodings are listed in the order in which they were applied, so they are undone from the last.
    for encoding in encodings(headers)?.into_iter().rev() {
        body = decode(encoding, &body, largest)?;
    }
    Ok(body)
}

fn encodings(headers: &HeaderMap) -> Result<Vec<Encoding>, Failure> {
    let mut encodings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        for name in value.split(',').map(str::trim) {
            encodings.push(match name {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Encoding::Gzip,
                "deflate" => Encoding::Deflate,
                "br" => Encoding::Brotli,
                "zstd" => Encoding::Zstd,
                _ => {
                    return Err(check(
                        "the body's Content-Encoding is none of gzip, deflate, br and zstd",
                    ));
                }
            });
        }
    }
    if encodings.len() > MOST_ENCODINGS {
        return Err(check("the body has more than 4 encodings"));
    }
    Ok(encodings)
}

fn decode(encoding: Encoding, body: &[u8], largest: usize) -> Result<Bytes, Failure> {
    let read = match encoding {
        Encoding::Gzip => members(body, largest, |rest, largest| read(GzDecoder::new(rest), largest)),
        Encoding::Deflate if is_zlib(body) => read(ZlibDecoder::new(body), largest),
        Encoding::Deflate => read(DeflateDecoder::new(body), largest),
        Encoding::Brotli => {
            let buffer = 4096;
            read(brotli_decompressor::Decompressor::new(body, buffer), largest)
        }
        Encoding::Zstd => members(body, largest, zstd),
    };
    let name = match encoding {
        Encoding::Gzip => "the body is not gzip, as its Content-Encoding says",
        Encoding::Deflate => "the body is not deflate, as its Content-Encoding says",
        Encoding::Brotli => "the body is not br, as its Content-Encoding says",
        Encoding::Zstd => "the body is not zstd, as its Content-Encoding says",
    };
    let bytes = read.map_err(|_| check(name))?;
    if bytes.len() > largest {
        return Err(Failure::TooLarge(largest));
    }
    Ok(bytes.into())
}

/// Reads at most one byte more than allowed: the caller sees by that byte that there is more.
fn read(from: impl Read, largest: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(largest).unwrap_or(u64::MAX).saturating_add(1);
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Decodes all members, or frames, one after another.
fn members(
    mut body: &[u8],
    largest: usize,
    one: impl Fn(&mut &[u8], usize) -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for _ in 0..MOST_MEMBERS {
        // Each member may use only what the members before have left of the limit.
        bytes.extend(one(&mut body, largest - bytes.len())?);
        if body.is_empty() || bytes.len() > largest {
            return Ok(bytes);
        }
    }
    Err(io::Error::other("too many members"))
}

/// A frame whose window is too large is refused before the window is allocated.
fn zstd(rest: &mut &[u8], largest: usize) -> io::Result<Vec<u8>> {
    let frame = StreamingDecoder::new_with_max_window_size(rest, LARGEST_WINDOW).map_err(io::Error::other)?;
    read(frame, largest)
}

/// Whether deflate comes with the zlib header, as it should. Some servers leave the header out.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8
        && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31))
}

fn check(words: &str) -> Failure {
    Failure::Check(words.to_owned(), super::Detail::NONE)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const LARGEST: usize = 1000;

    /// `{"ok":true,"pad":"aaa..."}` with 300 times `a`, encoded by `node:zlib` and `zstd -19`.
    const BROTLI: &str = "1b3f01f81d0976ec841bc7e088bc16215bdb9b616f70a5d3d7928032cb6432000776c935162d970901";
    const ZSTD: &str = "28b52ffd644000e50000a87b226f6b223a747275652c22706164223a2261227d01005154100623e226e4";

    fn plain() -> Vec<u8> {
        format!(r#"{{"ok":true,"pad":"{}"}}"#, "a".repeat(300)).into_bytes()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(encoding: &str, body: Vec<u8>) -> Result<Bytes, Failure> {
        let headers = [(CONTENT_ENCODING, encoding.parse().unwrap())]
            .into_iter()
            .collect();
        super::decoded(&headers, &body.into(), LARGEST)
    }

    #[test]
    fn every_encoding_gives_back_what_was_encoded() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&plain()).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&plain()).unwrap();
        for (encoding, body) in [
            ("gzip", gzip(&plain())),
            ("X-GZip", gzip(&plain())),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", bytes(BROTLI)),
            ("zstd", bytes(ZSTD)),
            ("br, gzip", gzip(&bytes(BROTLI))),
            ("identity", plain()),
        ] {
            assert_eq!(decoded(encoding, body).unwrap(), plain(), "{encoding}");
        }
        assert_eq!(decoded("gzip", Vec::new()).unwrap(), "");
        let twice = [bytes(ZSTD), bytes(ZSTD)].concat();
        assert_eq!(decoded("zstd", twice).unwrap(), plain().repeat(2));
    }

    #[test]
    fn a_small_body_that_becomes_a_large_one_is_given_up_at_the_bound() {
        let bomb = vec![0; 10_000_000];
        assert_eq!(decoded("gzip", gzip(&bomb)), Err(Failure::TooLarge(LARGEST)));
        let frames = bytes(ZSTD).repeat(1000);
        assert_eq!(decoded("zstd", frames), Err(Failure::TooLarge(LARGEST)));
        let empty = gzip(&[]).repeat(1000);
        assert!(matches!(decoded("gzip", empty), Err(Failure::Check(..))));
        // A frame that wants a window of 64 MiB: a magic number, no content size, 2^26 bytes.
        let window = [bytes("28b52ffd"), vec![0, 16 << 3], bytes("010000")].concat();
        assert!(matches!(decoded("zstd", window), Err(Failure::Check(..))));
    }

    #[test]
    fn what_cannot_be_decoded_is_told_without_what_the_server_sent() {
        for (encoding, body, words) in [
            ("gzip", b"text".to_vec(), "not gzip"),
            ("br", vec![0xff; 40], "not br"),
            ("zstd", b"text".to_vec(), "not zstd"),
            ("compress", plain(), "none of gzip"),
            ("br,br,br,br,br", plain(), "more than 4"),
        ] {
            let failure = decoded(encoding, body).unwrap_err().to_string();
            assert!(failure.contains(words), "{failure}");
        }
    }
}
