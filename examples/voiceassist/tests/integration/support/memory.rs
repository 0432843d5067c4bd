//! What processes use, as the kernel counts it.

use rustix::process::Pid;

/// Memory that a process has in RAM, in bytes.
pub(crate) fn memory(process: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero()))
        .expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("the kernel says how much memory it has") * 1024
}
