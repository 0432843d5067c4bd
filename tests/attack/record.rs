//! What was seen, with the time of each look; parted into the quiet time and the attack.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// All looks so far; shared by those who look.
#[derive(Clone, Debug, Default)]
pub struct Record(Arc<Mutex<Seen>>);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The quiet time, then the attack.
    pub phases: [Phase; 2],
    now: Option<usize>,
    /// When the innocent tenant's load was raised.
    pub raised: Option<Instant>,
    /// When its replicas followed.
    pub followed: Option<Instant>,
}

/// What was seen in one phase.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// Times of reads by the HPA's way.
    pub reads: Vec<Duration>,
    /// Reads that failed, with their words.
    pub failed_reads: Vec<String>,
    /// Times of answers that the API server gives without asking anybody.
    pub own_answers: Vec<Duration>,
    /// Times of the servers' answers to probes.
    pub answered_probes: BTreeMap<&'static str, Vec<Duration>>,
    /// Moments of polls of the innocent tenant's metric.
    pub polls: Vec<Instant>,
    /// Probes of each server's path that failed one after the other, and the most that did.
    pub probes: BTreeMap<String, Row>,
    /// Greatest resident memory of each server, in KiB.
    pub memory: BTreeMap<&'static str, u64>,
    /// Fewest replicas that the innocent tenant had.
    pub fewest_replicas: Option<u32>,
}

/// Failures one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    now: u32,
    /// The most there were.
    pub longest: u32,
    /// Of so many probes.
    pub all: u32,
}

impl Record {
    /// The quiet time begins.
    pub fn begin(&self) {
        self.locked().now = Some(0);
    }

    /// The attack begins.
    pub fn begin_attack(&self) {
        self.locked().now = Some(1);
    }

    /// The attack has ended.
    pub fn end(&self) {
        self.locked().now = None;
    }

    /// The innocent tenant's load was raised.
    pub fn raised(&self) {
        self.locked().raised = Some(Instant::now());
    }

    /// All of it.
    pub fn take(&self) -> Seen {
        self.locked().clone()
    }

    /// One probe of a server's path; the time of its answer, if it was a good one in time.
    pub fn probed(&self, server: &'static str, path: &str, answered: Option<Duration>) {
        self.note(|phase| {
            let success = answered.is_some();
            phase.answered_probes.entry(server).or_default().extend(answered);
            let row = phase.probes.entry(format!("{server} /{path}")).or_default();
            row.all += 1;
            row.now = if success { 0 } else { row.now + 1 };
            row.longest = row.longest.max(row.now);
        });
    }

    /// One read of the innocent tenant's metric.
    pub fn read(&self, outcome: Result<Duration, String>) {
        self.note(|phase| match outcome {
            Ok(taken) => phase.reads.push(taken),
            Err(words) => phase.failed_reads.push(words),
        });
    }

    /// One answer of the API server alone.
    pub fn own_answer(&self, taken: Duration) {
        self.note(|phase| phase.own_answers.push(taken));
    }

    /// Prometheus is asked for the innocent tenant's metric.
    pub fn polled(&self) {
        self.note(|phase| phase.polls.push(Instant::now()));
    }

    /// Resident memory of a server, in KiB.
    pub fn memory(&self, server: &'static str, resident: u64) {
        self.note(|phase| {
            let most = phase.memory.entry(server).or_default();
            *most = resident.max(*most);
        });
    }

    /// How many replicas the innocent tenant has; `wanted` once its load was raised.
    pub fn replicas(&self, replicas: u32, wanted: u32) {
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
