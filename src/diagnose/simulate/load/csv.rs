//! CSV: the header `time,value`, then one line for each value.

use std::io::BufRead;

use vas_core::replay::{Builder, Load, Value};

use super::{LoadFileError, lines::Lines, time, wrong};

/// What the column of times may be called.
const TIMES: [&str; 3] = ["time", "timestamp", "ts"];

/// Whether a line is the header.
pub(super) fn is_header(line: &str) -> bool {
    let mut names = line.split(',').map(|name| name.trim().to_ascii_lowercase());
    let time = names.next().is_some_and(|name| TIMES.contains(&name.as_str()));
    time && names.next().is_some_and(|name| name == "value") && names.next().is_none()
}

/// Reads the values. An empty one is missing.
pub(super) fn read(file: impl BufRead) -> Result<Load, LoadFileError> {
    let mut lines = Lines::of(file);
    // The header.
    lines.next()?;
    let mut builder = Builder::default();
    while let Some((number, line)) = lines.next()? {
        let Some((at, value)) = line.split_once(',') else {
            return Err(wrong(number, "it must have a time, a comma and a value"));
        };
        let value = value.trim();
        let rate = if value.is_empty() {
            None
        } else {
            let parsed = value.parse();
            Some(parsed.map_err(|_| wrong(number, &format!("the value {:?} is no number", cut(value))))?)
        };
        let at = time::read(at).map_err(|why| wrong(number, &why))?;
        builder
            .add(Value { at, rate })
            .map_err(|why| wrong(number, &why))?;
    }
    Ok(builder.finish()?)
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}
