//! What one process used until it ended, as counted by the kernel.

use std::{fs, process::Stdio, time::Duration};

use tokio::{process::Command, time::Instant};

/// Clock ticks per second of `/proc/PID/stat`: `USER_HZ`, 100 on every architecture that Linux runs on here.
const TICKS: u64 = 100;

/// Time between two reads of the memory.
const LOOK: Duration = Duration::from_millis(20);

/// What a process used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// User and system time of all its threads, its start included.
    pub cpu: Duration,
    /// The most memory that was ever resident, in KiB.
    pub peak: u64,
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started, fails, or takes longer than `limit`; it is killed then.
pub(crate) async fn run(mut command: Command, limit: Duration) -> Result<Cost, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    let pid = child.id().ok_or("it has no process id")?;
    let mut said = child.stderr.take();
    // Standard error is read while the process runs, because a full pipe would stop it.
    let listener = tokio::spawn(async move {
        let mut text = Vec::new();
        if let Some(said) = &mut said {
            let _ = tokio::io::AsyncReadExt::read_to_end(said, &mut text).await;
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let end = Instant::now() + limit;
    let mut cost = Cost::default();
    loop {
        // The memory figures vanish when the process ends; its CPU time stays until it is waited for.
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        cost.peak = cost.peak.max(peak_of(&status).unwrap_or(0));
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let (state, cpu) = state_and_cpu(&stat).ok_or("its CPU time cannot be read")?;
        cost.cpu = cpu;
        if state == "Z" {
            break;
        }
        if Instant::now() > end {
            return Err(format!("not done within {} s", limit.as_secs()));
        }
        tokio::time::sleep(LOOK).await;
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    let said = listener.await.unwrap_or_default();
    if status.success() {
        Ok(cost)
    } else {
        let last = said.lines().last().unwrap_or("it says nothing").to_owned();
        Err(format!("{status}: {last}"))
    }
}

/// Reads state and CPU time from `/proc/PID/stat`. The command's name may contain anything, so fields are
/// counted after its last parenthesis.
fn state_and_cpu(stat: &str) -> Option<(&str, Duration)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let mut fields = fields.skip(10);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((state, Duration::from_millis((user + system) * 1000 / TICKS)))
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_time_are_counted_behind_a_name_that_looks_like_fields() {
        let stat = "7 (a) 1 2 (b)) Z 1 7 7 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 9 0 5 1 2";
        assert_eq!(state_and_cpu(stat), Some(("Z", Duration::from_millis(1680))));
        assert_eq!(state_and_cpu(""), None);
        assert_eq!(peak_of("Name:\tvas\nVmHWM:\t   40960 kB\n"), Some(40960));
    }

    #[tokio::test]
    async fn what_a_process_burnt_is_counted_and_a_failure_is_told() {
        let mut burn = Command::new("sh");
        burn.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
        let cost = run(burn, Duration::from_secs(60)).await.unwrap();
        assert!(
            cost.cpu >= Duration::from_millis(10) && cost.peak > 100,
            "{cost:?}"
        );
        let mut fail = Command::new("sh");
        fail.args(["-c", "echo no >&2; exit 3"]);
        let error = run(fail, Duration::from_secs(60)).await.unwrap_err();
        assert!(error.contains('3') && error.ends_with("no"), "{error}");
    }
}
