//! Records observations with their times, separately for the quiet time and for the attack.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// All observations so far, shared by the tasks that observe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Seen>>);

/// The observations of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Observations of the quiet time, then of the attack.
    pub phases: [Phase; 2],
    now: Option<usize>,
    /// Moment at which the innocent tenant's load was raised.
    pub raised: Option<Instant>,
    /// Moment at which its replicas had followed.
    pub followed: Option<Instant>,
}

/// Observations of one phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phase {
    /// Times of reads on the HPA's way, through the API server.
    pub reads: Vec<Duration>,
    /// Errors of reads that failed.
    pub failed_reads: Vec<String>,
    /// Times of answers that the API server gives by itself.
    pub own_answers: Vec<Duration>,
    /// Times of the servers' answers to probes.
    pub answered_probes: BTreeMap<&'static str, Vec<Duration>>,
    /// Moments of polls of the innocent tenant's metric.
    pub polls: Vec<Instant>,
    /// Failed probes in a row, by server and path.
    pub probes: BTreeMap<String, Row>,
    /// Greatest resident memory of each server, in KiB.
    pub memory: BTreeMap<&'static str, u64>,
    /// Fewest replicas that the innocent tenant had.
    pub fewest_replicas: Option<u32>,
}

/// Failures in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    now: u32,
    /// Longest row of failures.
    pub longest: u32,
    /// Number of all probes.
    pub all: u32,
}

impl Record {
    /// Begins the quiet time.
    pub(crate) fn begin(&self) {
        self.locked().now = Some(0);
    }

    /// Begins the attack.
    pub(crate) fn begin_attack(&self) {
        self.locked().now = Some(1);
    }

    /// Ends the attack.
    pub(crate) fn end(&self) {
        self.locked().now = None;
    }

    /// Records that the innocent tenant's load was raised.
    pub(crate) fn raised(&self) {
        self.locked().raised = Some(Instant::now());
    }

    /// Takes all observations.
    pub(crate) fn take(&self) -> Seen {
        self.locked().clone()
    }

    /// Records a probe of a server's path. `answered` is the time of a good answer; `None` is a failure.
    pub(crate) fn probed(&self, server: &'static str, path: &str, answered: Option<Duration>) {
        self.note(|phase| {
            let success = answered.is_some();
            phase.answered_probes.entry(server).or_default().extend(answered);
            let row = phase.probes.entry(format!("{server} /{path}")).or_default();
            row.all += 1;
            row.now = if success { 0 } else { row.now + 1 };
            row.longest = row.longest.max(row.now);
        });
    }

    /// Records a read of the innocent tenant's metric.
    pub(crate) fn read(&self, outcome: Result<Duration, String>) {
        self.note(|phase| match outcome {
            Ok(taken) => phase.reads.push(taken),
            Err(words) => phase.failed_reads.push(words),
        });
    }

    /// Records an answer that the API server gave by itself.
    pub(crate) fn own_answer(&self, taken: Duration) {
        self.note(|phase| phase.own_answers.push(taken));
    }

    /// Records that Prometheus was queried for the innocent tenant's metric.
    pub(crate) fn polled(&self) {
        self.note(|phase| phase.polls.push(Instant::now()));
    }

    /// Records resident memory of a server, in KiB.
    pub(crate) fn memory(&self, server: &'static str, resident: u64) {
        self.note(|phase| {
            let most = phase.memory.entry(server).or_default();
            *most = resident.max(*most);
        });
    }

    /// Records the replicas of the innocent tenant. `wanted` are those that it needs once its load was
    /// raised.
    pub(crate) fn replicas(&self, replicas: u32, wanted: u32) {
        self.note(|phase| {
            let fewest = phase.fewest_replicas.get_or_insert(replicas);
            *fewest = replicas.min(*fewest);
        });
        let mut seen = self.locked();
        if seen.raised.is_some() && replicas == wanted {
            seen.followed.get_or_insert_with(Instant::now);
        }
    }

    fn note(&self, write: impl FnOnce(&mut Phase)) {
        let mut seen = self.locked();
        if let Some(phase) = seen.now {
            write(&mut seen.phases[phase]);
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
