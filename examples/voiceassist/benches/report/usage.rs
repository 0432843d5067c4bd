//! The processor time of PostgreSQL, as the kernel counts it.

use std::fs;

use crate::support::Server;

/// Processor time that PostgreSQL has used, in seconds: of processes that are there, and of those that ended.
pub(crate) fn processor_seconds(postgres: &Server) -> f64 {
    let first = postgres
        .postmaster()
        .expect("PostgreSQL runs")
        .as_raw_nonzero()
        .get();
    let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap_or_default();
    let all = ticks(&first.to_string()) + children.split_whitespace().map(ticks).sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "hundredths of seconds")]
    let seconds = all as f64 / 100.0;
    seconds
}

/// Hundredths of a second that a process and its children that ended have used.
fn ticks(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    // utime, stime, cutime and cstime
    let times = fields.split_whitespace().skip(11).take(4);
    times.filter_map(|time| time.parse::<u64>().ok()).sum()
}
