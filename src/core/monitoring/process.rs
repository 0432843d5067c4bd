//! What the kernel tells of a process, from the texts in `/proc`.
//!
//! Must not: read a file. What a text does not tell is `None`, never zero.

/// Ticks of a second in `/proc`, which is part of the kernel's interface to programs.
const TICKS: f64 = 100.0;
/// Number of the field in `/proc/self/stat` that has the ticks in user mode, counted from 1.
const USER: usize = 14;
/// Number of the field that has the ticks in the kernel.
const SYSTEM: usize = 15;
/// Number of the field that has the ticks from the start of the machine to that of the process.
const STARTED: usize = 22;

/// Processor time in seconds, from the text of `/proc/self/stat`.
pub fn cpu(stat: &str) -> Option<f64> {
    Some((field(stat, USER)? + field(stat, SYSTEM)?) / TICKS)
}

/// When the process started, in seconds since 1970, from the texts of `/proc/self/stat` and `/proc/stat`.
pub fn started(stat: &str, machine: &str) -> Option<f64> {
    let booted = machine.lines().find_map(|line| line.strip_prefix("btime "))?;
    let booted: f64 = booted.trim().parse().ok()?;
    Some(booted + field(stat, STARTED)? / TICKS)
}

/// A size in bytes, from the text of `/proc/self/status`; `name` is `VmRSS` or `VmSize`.
pub fn size(status: &str, name: &str) -> Option<u64> {
    let (_, value) = status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| *key == name)?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The soft limit of open files, from the text of `/proc/self/limits`; `None` without a limit.
pub fn max_files(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A field of `/proc/self/stat`. The second one is the name in parentheses, which may have any character.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "7 (a) b 1) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 3 0 4200 10485760 500 18446744073709551615";

    #[test]
    fn times_are_seconds_whatever_the_name_of_the_program() {
        assert_eq!(cpu(STAT), Some(2.0));
        assert_eq!(
            started(STAT, "cpu 1 2\nbtime 1700000000\n"),
            Some(1_700_000_042.0)
        );
        assert_eq!(started(STAT, "cpu 1 2\n"), None);
        assert_eq!(cpu("7 (a) S 1"), None);
    }

    #[test]
    fn sizes_are_bytes_and_no_limit_is_none() {
        let status = "VmSize:\t   10240 kB\nVmRSS:\t    2000 kB\n";
        assert_eq!(size(status, "VmRSS"), Some(2_048_000));
        assert_eq!(size(status, "VmSwap"), None);
        let limits = |limit: &str| max_files(&format!("Max open files   {limit}   4096   files\n"));
        assert_eq!((limits("1024"), limits("unlimited")), (Some(1024), None));
    }
}
