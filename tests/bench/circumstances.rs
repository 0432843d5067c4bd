//! Time, version and machine of a measurement, in one line for the report.

use std::process::Command;

use crate::procfs;

/// The circumstances now. Call it before anything is started, so that the load average is that of other work.
pub(crate) fn now() -> String {
    format!(
        "{}, vas at {}, {}, {} GiB, shared by all processes, load average before the run {}",
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        revision(),
        procfs::processors(),
        procfs::memory_of_machine(),
        procfs::load_average(),
    )
}

fn revision() -> String {
    let described = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    let words = described
        .ok()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    words
        .filter(|words| !words.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
