//! The load generator as a process: its limits, its use of processors, and whether it was suspended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::clock::RunClock;

/// Open files that are no connections of the load: standard streams, the API server, reports, runtimes.
const OTHER_FILES: u64 = 128;

/// What this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Number of processors.
    pub(super) processors: u32,
    /// The greatest number of connections at once.
    pub(super) connections: u64,
    /// Whether `--max-connections` set this limit, and not the limit of open files.
    pub(super) limit_requested: bool,
}

impl Machine {
    /// Raises the limit of open files as far as allowed, and reads the limits.
    pub(super) fn of_this_process(max_connections: Option<u64>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let files = open_files_limit().saturating_sub(OTHER_FILES).max(1);
        Self {
            processors: u32::try_from(processors).unwrap_or(1),
            connections: max_connections.map_or(files, |most| most.clamp(1, files)),
            limit_requested: max_connections.is_some_and(|most| most <= files),
        }
    }
}

#[cfg(unix)]
fn open_files_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// The limit that is used where the system has none.
    const WITHOUT_LIMIT: u64 = 1 << 20;
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // If the limit cannot be raised, the run goes on with the limit that there is.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(WITHOUT_LIMIT)
}

#[cfg(not(unix))]
fn open_files_limit() -> u64 {
    16_384
}

/// Processor time of all threads of this process so far; `None` where the system does not tell.
pub(super) fn cpu_time() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = u64::try_from(time.tv_sec).ok()?;
        Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
    }
    #[cfg(not(unix))]
    None
}

/// Measures the share of the processors that this process uses. The share is taken of the time that really
/// passed, never of the planned time.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuMeter {
    processors: u32,
    /// Processor time and seconds of the run, when the measurement began.
    since: Option<(Duration, f64)>,
}

impl CpuMeter {
    /// Begins a measurement now.
    pub(super) fn start(machine: Machine, clock: RunClock) -> Self {
        Self {
            processors: machine.processors.max(1),
            since: cpu_time().map(|used| (used, clock.now())),
        }
    }

    /// Share (0 to 1) of all processors since the measurement began. `None` where processor time is unknown,
    /// or where too little time has passed for its resolution.
    pub(super) fn share(&self, clock: RunClock) -> Option<f64> {
        /// Shortest measurement, in seconds.
        const LEAST: f64 = 0.01;
        let ((before, began), now) = (self.since?, cpu_time()?);
        let seconds = clock.now() - began;
        (seconds >= LEAST).then(|| {
            let used = now.saturating_sub(before).as_secs_f64();
            used / (seconds * f64::from(self.processors))
        })
    }
}

/// Detects that this process did not run for a while, because it was suspended or starved of processors. A
/// thread sleeps for 20 ms again and again, and measures how much longer than that it slept.
#[derive(Debug)]
pub(super) struct PauseWatch {
    longest_micros: Arc<AtomicU64>,
    stop: CancellationToken,
}

impl PauseWatch {
    /// Begins to watch.
    pub(super) fn start(clock: RunClock) -> Self {
        const NAP: Duration = Duration::from_millis(20);
        let (longest, stop) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
        let (seen, stopped) = (longest.clone(), stop.clone());
        std::thread::spawn(move || {
            let mut before = clock.now();
            while !stopped.is_cancelled() {
                std::thread::sleep(NAP);
                let now = clock.now();
                // Pauses before the load begins do not matter.
                if now > 0.0 {
                    // A nap that began before the load counts from the begin of the load only.
                    let over = (now - before.max(0.0) - NAP.as_secs_f64()).max(0.0);
                    let micros = Duration::from_secs_f64(over).as_micros();
                    seen.fetch_max(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::Relaxed);
                }
                before = now;
            }
        });
        Self {
            longest_micros: longest,
            stop,
        }
    }

    /// The longest pause so far, beyond the planned sleep.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_micros(self.longest_micros.load(Ordering::Relaxed))
    }
}

impl Drop for PauseWatch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_processors_is_of_the_time_it_was_measured_over() {
        let machine = Machine::of_this_process(None);
        let clock = RunClock::begins_in(Duration::ZERO);
        let meter = CpuMeter::start(machine, clock);
        let until = clock.now() + 0.2;
        while clock.now() < until {
            std::hint::spin_loop();
        }
        // Other tests use processors too, but no process can use more than all of them for all of the time.
        let share = meter.share(clock).expect("some time has passed");
        assert!(share > 0.0 && share <= 1.02, "{share}");
        assert_eq!(CpuMeter::start(machine, clock).share(clock), None);
    }
}
