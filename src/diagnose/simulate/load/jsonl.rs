//! JSONL: one object for each value.

use std::io::BufRead;

use serde::Deserialize;
use vas_core::replay::{Builder, Load, Value};

use super::{LoadFileError, lines::Lines, time, wrong};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    time: Time,
    /// `null` is a missing value. The field itself must be there, which an optional field need not without this.
    #[serde(deserialize_with = "Option::deserialize")]
    value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Seconds(f64),
    Text(String),
}

/// Whether a line is a value.
pub(super) fn begins(line: &str) -> bool {
    serde_json::from_str::<Row>(line).is_ok()
}

/// Reads the values.
pub(super) fn read(file: impl BufRead) -> Result<Load, LoadFileError> {
    let mut lines = Lines::of(file);
    let mut builder = Builder::default();
    while let Some((number, line)) = lines.next()? {
        let row: Row = serde_json::from_str(line).map_err(|why| wrong(number, &why))?;
        let at = match row.time {
            Time::Text(text) => time::read(&text).map_err(|why| wrong(number, &why))?,
            Time::Seconds(seconds) => {
                let at = time::of_seconds(seconds);
                at.ok_or_else(|| wrong(number, &format!("the time {seconds} is none")))?
            }
        };
        let value = Value { at, rate: row.value };
        builder.add(value).map_err(|why| wrong(number, &why))?;
    }
    Ok(builder.finish()?)
}
