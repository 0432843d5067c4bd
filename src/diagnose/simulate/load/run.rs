//! The JSON report of a run of `vas test`: the requests that were due in each second.

use std::io::{BufRead, Read as _};

use jiff::SignedDuration;
use vas_core::replay::{Builder, Load, Value};
use vas_loadtest::report::json;

use super::LoadFileError;

/// Largest report, in bytes: 64 MiB, as for the other readers of reports.
const LARGEST: u64 = 64 << 20;

/// Reads the load of a report.
pub(super) fn read(file: impl BufRead) -> Result<Load, LoadFileError> {
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        return Err(LoadFileError::Run(format!(
            "it is larger than {} MiB",
            LARGEST >> 20
        )));
    }
    let run = json::read(&text).map_err(|error| LoadFileError::Run(error.to_string()))?;
    let measured = run.measured;
    let mut builder = Builder::default();
    for second in &measured.seconds {
        let at = measured.began + SignedDuration::from_secs(second.at.into());
        #[expect(clippy::cast_precision_loss, reason = "requests of one second")]
        let rate = second.due as f64;
        builder.add(Value { at, rate: Some(rate) })?;
    }
    Ok(builder.finish()?)
}
