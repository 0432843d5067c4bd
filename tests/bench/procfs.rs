//! Cost of processes, as counted by the kernel.

use std::{collections::BTreeMap, fs, time::Duration};

/// Clock ticks per second of `/proc/PID/stat`: `USER_HZ`, 100 on every architecture that Linux runs on here.
const TICKS: u64 = 100;

/// Memory of processes, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Memory that is resident now.
    pub resident: u64,
    /// Most memory that was ever resident.
    pub peak: u64,
}

/// Processes by their names in the report.
pub(crate) type Pids = BTreeMap<&'static str, Vec<u32>>;

/// CPU time that processes have used, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cpu(BTreeMap<&'static str, Duration>);

impl Cpu {
    /// CPU time so far; zero for a process that is gone.
    pub(crate) fn of(pids: &Pids) -> Self {
        let used = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            cpu_of(&stat).unwrap_or_default()
        };
        let all = pids.iter();
        Self(
            all.map(|(name, pids)| (*name, pids.iter().map(used).sum()))
                .collect(),
        )
    }

    /// CPU time since an earlier measurement.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        self.minus(&earlier.0)
    }

    /// CPU time without what is used anyway. `idle` was used in `idle_for`, and `during` is the measured
    /// time.
    pub(crate) fn without(&self, idle: &Self, idle_for: Duration, during: Duration) -> Self {
        let part = during.as_secs_f64() / idle_for.as_secs_f64().max(0.001);
        let anyway = idle.0.iter().map(|(name, used)| (*name, used.mul_f64(part)));
        self.minus(&anyway.collect())
    }

    /// The sum of both.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut sum = self.0.clone();
        for (name, used) in &other.0 {
            *sum.entry(name).or_default() += *used;
        }
        Self(sum)
    }

    /// CPU time of one of them.
    pub(crate) fn used(&self, name: &str) -> Duration {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn minus(&self, other: &BTreeMap<&'static str, Duration>) -> Self {
        let rest = self.0.iter().map(|(name, used)| {
            let less = other.get(name).copied().unwrap_or_default();
            (*name, used.saturating_sub(less))
        });
        Self(rest.collect())
    }
}

/// Memory of processes together. Pages that they share, such as those of the program itself, count for each
/// process.
pub(crate) fn memory(pids: &[u32]) -> Memory {
    let each = pids
        .iter()
        .map(|pid| memory_of(&fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()));
    each.fold(Memory::default(), |sum, memory| Memory {
        resident: sum.resident + memory.resident,
        peak: sum.peak + memory.peak,
    })
}

/// The sum of `utime` and `stime`. The command's name may contain anything, so fields are counted after its
/// last parenthesis.
fn cpu_of(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS))
}

fn memory_of(status: &str) -> Memory {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or_default()
    };
    Memory {
        resident: field("VmRSS:"),
        peak: field("VmHWM:"),
    }
}

/// The model of this machine's processor and how many there are.
pub(crate) fn processors() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{count} x {model}")
}

/// Memory of this machine in GiB.
pub(crate) fn memory_of_machine() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: u64 = line
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_default();
    kib >> 20
}

/// Average number of processes that wanted to run in the last minute. It shows how busy the machine is.
pub(crate) fn load_average() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split_whitespace().next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_a_name_that_looks_like_fields() {
        let stat = "7 (a) 1 2 (b)) S 1 7 7 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 9 0 5 1 2";
        assert_eq!(cpu_of(stat), Some(Duration::from_millis(1680)));
        assert_eq!(cpu_of(""), None);
    }

    #[test]
    fn memory_is_read_from_the_lines_of_the_status() {
        let status = "Name:\tvas\nVmHWM:\t   40960 kB\nVmRSS:\t   20480 kB\n";
        let memory = memory_of(status);
        assert_eq!((memory.resident, memory.peak), (20480, 40960));
    }

    #[test]
    fn what_is_used_anyway_is_taken_off_by_the_time_that_passed() {
        let cpu = |millis| Cpu(BTreeMap::from([("prometheus", Duration::from_millis(millis))]));
        let second = Duration::from_secs(1);
        let rest = cpu(900).without(&cpu(100), second, 4 * second);
        assert_eq!(rest, cpu(500));
        assert_eq!(cpu(100).without(&cpu(100), second, 4 * second), cpu(0));
        assert_eq!(
            cpu(500).since(&cpu(200)).used("prometheus"),
            Duration::from_millis(300)
        );
    }
}
