//! What a worker writes into its log, line by line: that it is ready, each second of its load, and its report.
//!
//! The report is JSON, compressed, in lines that container runtimes do not split. A log that was cut off is noticed,
//! because the last line is missing or the checksum of the compressed data does not fit.
//!
//! Must not: trust a log. Whoever may write the pod's log chooses its text, so each size has a bound.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};

use crate::model::{latencies::Quantiles, measured::Second};

/// Bytes of the report in one line. Container runtimes split lines of more than 16 KiB.
const PIECE: usize = 8 << 10;
/// Longest line that is read.
pub(super) const LONGEST: usize = 16 << 10;
/// Most bytes of a report in lines.
const MOST_TEXT: usize = 32 << 20;
/// Most bytes of a report: as of a file with one.
const MOST_JSON: u64 = 64 << 20;

const READY: &str = "vas-worker ready";
const SECOND: &str = "vas-worker second ";
const REPORT: &str = "vas-worker report ";
const END: &str = "vas-worker report-end";

/// One line of a log.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// The worker is ready, and waits for the others.
    Ready,
    /// A second of its load is over.
    Second(Box<Second>),
    /// The next piece of its report.
    Piece(&'a str),
    /// The report is complete.
    End,
    /// Anything else: words for people.
    Words(&'a str),
}

/// What is told of a second while the load goes on. Durations are in microseconds.
#[derive(Debug, Serialize, Deserialize)]
struct SecondRow {
    at: u32,
    // The sums over all workers fit into 64 bits, whatever a log says.
    answered: u32,
    failed: u32,
    concurrency: u32,
    latency: Option<QuantileRow>,
}

#[derive(Debug, Serialize, Deserialize)]
struct QuantileRow {
    p50: u32,
    p95: u32,
    p99: u32,
}

/// Why the report in a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The report has more bytes than any report has.
    #[error("the report in its log is larger than {} MiB", MOST_JSON >> 20)]
    Large,
    /// The lines are damaged, or some are missing.
    #[error("the report in its log is damaged: {0}")]
    Damaged(String),
}

/// The line of a worker that is ready.
pub fn ready() -> &'static str {
    READY
}

/// The line about a second that is over.
pub fn second(second: &Second) -> String {
    let micros = |time: std::time::Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let row = SecondRow {
        at: second.at,
        answered: count(second.answered),
        failed: count(second.failed),
        concurrency: count(second.concurrency),
        latency: second.latency.map(|latency| QuantileRow {
            p50: micros(latency.p50),
            p95: micros(latency.p95),
            p99: micros(latency.p99),
        }),
    };
    // A row of numbers can always be written.
    format!("{SECOND}{}", serde_json::to_string(&row).unwrap_or_default())
}

/// The lines of a report.
///
/// # Errors
/// Memory can always be written.
pub fn report(json: &str) -> std::io::Result<Vec<String>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json.as_bytes())?;
    let text = STANDARD.encode(encoder.finish()?);
    let mut lines = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(PIECE));
        lines.push(format!("{REPORT}{piece}"));
        rest = after;
    }
    lines.push(END.to_owned());
    Ok(lines)
}

/// Reads a line of a log.
pub(super) fn parse(line: &str) -> Line<'_> {
    if line == READY {
        return Line::Ready;
    }
    if line == END {
        return Line::End;
    }
    if let Some(piece) = line.strip_prefix(REPORT) {
        return Line::Piece(piece);
    }
    let row = line.strip_prefix(SECOND).map(serde_json::from_str::<SecondRow>);
    match row {
        Some(Ok(row)) => Line::Second(Box::new(row.into())),
        _ => Line::Words(line),
    }
}

impl From<SecondRow> for Second {
    fn from(row: SecondRow) -> Self {
        let micros = |micros: u32| std::time::Duration::from_micros(micros.into());
        Self {
            at: row.at,
            answered: row.answered.into(),
            failed: row.failed.into(),
            concurrency: row.concurrency.into(),
            latency: row.latency.map(|row| Quantiles {
                p50: micros(row.p50),
                p95: micros(row.p95),
                p99: micros(row.p99),
                ..Quantiles::default()
            }),
            ..Self::default()
        }
    }
}

/// The report of a log, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Pieces(String);

impl Pieces {
    /// Adds the next piece.
    ///
    /// # Errors
    /// When the pieces are more than any report has.
    pub(super) fn add(&mut self, piece: &str) -> Result<(), LogError> {
        if self.0.len() + piece.len() > MOST_TEXT {
            return Err(LogError::Large);
        }
        self.0.push_str(piece);
        Ok(())
    }

    /// The report as JSON.
    ///
    /// # Errors
    /// When the pieces are damaged or incomplete.
    pub(super) fn json(&self) -> Result<String, LogError> {
        let damaged = |error: &dyn std::fmt::Display| LogError::Damaged(error.to_string());
        let bytes = STANDARD.decode(&self.0).map_err(|error| damaged(&error))?;
        let mut json = String::new();
        let mut decoder = GzDecoder::new(bytes.as_slice()).take(MOST_JSON + 1);
        decoder
            .read_to_string(&mut json)
            .map_err(|error| damaged(&error))?;
        if u64::try_from(json.len()).unwrap_or(u64::MAX) > MOST_JSON {
            return Err(LogError::Large);
        }
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn joined(lines: &[String]) -> Pieces {
        let mut pieces = Pieces::default();
        for line in lines {
            if let Line::Piece(piece) = parse(line) {
                pieces.add(piece).unwrap();
            }
        }
        pieces
    }

    #[test]
    fn a_report_comes_back_as_it_was_and_one_that_lacks_a_line_does_not() {
        // Without repetition, so that it takes many lines.
        let words: Vec<String> = (0..40_000_u64)
            .map(|number| format!("{:x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
            .collect();
        let json = words.concat();
        let lines = report(&json).unwrap();
        assert!(lines.len() > 10 && lines.iter().all(|line| line.len() < LONGEST));
        assert_eq!(parse(lines.last().unwrap()), Line::End);
        assert_eq!(joined(&lines).json().unwrap(), json);
        for lost in [0, lines.len() / 2, lines.len() - 2] {
            let mut lines = lines.clone();
            lines.remove(lost);
            assert!(joined(&lines).json().is_err(), "without line {lost}");
        }
    }

    #[test]
    fn a_report_without_an_end_is_refused() {
        let zeros = "0".repeat(usize::try_from(MOST_JSON).unwrap() + 1);
        let lines = report(&zeros).unwrap();
        assert!(matches!(joined(&lines).json(), Err(LogError::Large)));
        let mut pieces = Pieces::default();
        let piece = "A".repeat(MOST_TEXT);
        pieces.add(&piece).unwrap();
        assert!(matches!(pieces.add("A"), Err(LogError::Large)));
    }

    #[test]
    fn a_second_is_told_and_anything_else_is_words() {
        let told = Second {
            at: 7,
            answered: 9,
            failed: 1,
            concurrency: 3,
            latency: Some(Quantiles {
                p50: Duration::from_micros(1500),
                p95: Duration::from_millis(20),
                p99: Duration::from_secs(2),
                ..Quantiles::default()
            }),
            ..Second::default()
        };
        let line = second(&told);
        assert_eq!(parse(&line), Line::Second(Box::new(told)));
        assert_eq!(parse(ready()), Line::Ready);
        for words in ["", "vas-worker second {}", "vas-worker", "stopping"] {
            assert_eq!(parse(words), Line::Words(words));
        }
    }
}
