//! What a run of load brought: everything that reports and verdicts are made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::ParseIntError,
    str::FromStr,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    cause,
    latencies::{Latencies, Quantiles},
    traffic::Traffic,
};

/// One run of load.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The runs that it is made of: one, or those that were merged.
    pub runs: BTreeSet<RunId>,
    /// When its first request was due.
    pub began: Timestamp,
    /// How long requests were to be sent.
    pub planned: Duration,
    /// How long they were sent.
    pub elapsed: Duration,
    /// How it ended.
    pub end: End,
    /// All requests.
    pub total: Requests,
    /// Requests by the name of their step; one entry where there is one step only.
    pub steps: BTreeMap<String, Requests>,
    /// How much later than due requests were sent.
    pub schedule_error: Latencies,
    /// The run second by second, without gaps.
    pub seconds: Vec<Second>,
    /// The load generator itself.
    pub generator: Generator,
    /// WebSocket connections, if the scenario has any.
    pub websocket: Option<WebSockets>,
}

/// What tells a run from all others: a number drawn at its beginning, or [made](RunId::of) of what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub u64);

impl RunId {
    /// The number of a run whose report has none, always the same: no two runs begin in the same nanosecond and take as
    /// long for as many requests. It is the FNV-1a hash of all that, the same on every machine.
    pub fn of(began: Timestamp, requests: &Requests) -> Self {
        const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let counts = requests.latency.histogram().iter_recorded();
        let counts = counts.flat_map(|step| [step.value_iterated_to(), step.count_at_value()]);
        let bytes = began.as_nanosecond().to_le_bytes().into_iter();
        let bytes = bytes.chain(
            [requests.due]
                .into_iter()
                .chain(counts)
                .flat_map(u64::to_le_bytes),
        );
        Self(bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME)))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for RunId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As planned.
    Completed,
    /// By a signal; what was measured until then counts.
    Interrupted,
    /// By a guard, such as a storm of errors, in words.
    Aborted(String),
}

/// Requests of one kind.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// From the moment a request was due to the last byte of its answer. Answered requests, and those that failed
    /// after they were sent: who gave up waited too.
    pub latency: Latencies,
    /// From the moment it was really sent.
    pub service_time: Latencies,
    /// The part of `latency` that is of failed requests.
    pub failed_latency: Latencies,
    /// The part of `latency` that is of answered requests that were due at the very beginning of an open load, when
    /// nothing waited for others yet; empty in the closed model.
    pub first_latency: Latencies,
    /// When the first of them was due, from the beginning of an open load on; `None` in the closed model.
    pub first_due: Option<Duration>,
    /// Requests that were due within the run.
    pub due: u64,
    /// Those that were answered as they should.
    pub answered: u64,
    /// The answered ones whose answer came before the load ended.
    pub answered_in_time: u64,
    /// Those that were sent twice, answered or not: their connection ended as idle connections end, or the server said
    /// that it had not looked at them.
    pub retried: u64,
    /// Those that were not, by cause ("status 503", "cannot connect: connection refused", "check: ..."), of which there
    /// are not more than [`cause::MOST`] and [`cause::OTHER`].
    pub failures: BTreeMap<String, u64>,
    /// What was found in one failure of a cause, where there is more to say than the cause.
    pub examples: BTreeMap<String, String>,
    /// Answers by status, and bytes; `None` where it was not counted, as in reports of earlier versions.
    pub traffic: Option<Traffic>,
}

impl Requests {
    /// How many failed.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// How many ended: were answered, or failed.
    pub fn ended(&self) -> u64 {
        self.answered + self.failed()
    }

    /// The failed ones among those that ended; `None` without any.
    pub fn error_share(&self) -> Option<f64> {
        share(self.failed(), self.ended())
    }

    /// Those that were sent twice among those that ended; `None` without any.
    pub fn retried_share(&self) -> Option<f64> {
        share(self.retried, self.ended())
    }

    /// How many of the answered ones took at most `limit`.
    pub fn answered_within(&self, limit: Duration) -> u64 {
        let (all, failed) = (self.latency.within(limit), self.failed_latency.within(limit));
        all.saturating_sub(failed).min(self.answered)
    }

    /// Those that were answered within `limit` among all that ended; `None` without any. A request that failed is not
    /// within anything, however fast it failed.
    pub fn within_share(&self, limit: Duration) -> Option<f64> {
        share(self.answered_within(limit), self.ended())
    }

    /// Latency of the answered ones.
    pub fn answered_latency(&self) -> Latencies {
        self.latency.without(&self.failed_latency)
    }

    /// Adds failures of one cause, with an example of them.
    pub fn fail(&mut self, cause: &str, failures: u64, example: Option<&str>) {
        cause::count(&mut self.failures, cause.to_owned(), failures);
        if let Some(example) = example.filter(|_| self.failures.contains_key(cause)) {
            self.examples
                .entry(cause.to_owned())
                .or_insert_with(|| example.to_owned());
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.traffic = self.traffic_with(other);
        self.latency.merge(&other.latency);
        self.service_time.merge(&other.service_time);
        self.failed_latency.merge(&other.failed_latency);
        self.first_latency.merge(&other.first_latency);
        self.first_due = match (self.first_due, other.first_due) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.due += other.due;
        self.answered += other.answered;
        self.answered_in_time += other.answered_in_time;
        self.retried += other.retried;
        for (cause, count) in &other.failures {
            self.fail(cause, *count, other.examples.get(cause).map(String::as_str));
        }
    }

    /// The traffic of both together; `None` where that of one was not counted.
    fn traffic_with(&self, other: &Self) -> Option<Traffic> {
        let known = |requests: &Self| match &requests.traffic {
            None if requests.due == 0 => Some(Traffic::default()),
            traffic => traffic.clone(),
        };
        let mut both = known(self)?;
        both.merge(&known(other)?);
        Some(both)
    }
}

/// One second of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Second {
    /// Seconds since the run began; this is what happened from here to the next.
    pub at: u32,
    /// Requests that were due in it.
    pub due: u64,
    /// Requests that were answered in it as they should be. A WebSocket that was lost later is not one of them, but
    /// for whoever is told of the second before.
    pub answered: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Requests that ended in it and were sent twice.
    pub retried: u64,
    /// Latency of the requests that ended in it; `None` if none did.
    pub latency: Option<Quantiles>,
    /// Users at its end (closed model), or requests under way (open model).
    pub concurrency: u64,
    /// Held WebSocket connections at its end.
    pub websockets: u64,
    /// Share of the processors (0 to 1) that the generator itself used; `None` where it is unknown.
    pub generator_cpu: Option<f64>,
}

impl Second {
    /// How many requests ended in it: were answered, or failed.
    pub fn ended(&self) -> u64 {
        self.answered + self.failed
    }
}

/// The load generator itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generator {
    /// Its threads that send.
    pub threads: u32,
    /// Processor time of the whole process during the run, in seconds; `None` where it is unknown.
    pub cpu_seconds: Option<f64>,
    /// Share (0 to 1) of its processors that it used while load was sent; `None` where it is unknown.
    pub cpu_share: Option<f64>,
    /// Processors it may use.
    pub processors: u32,
    /// Connections opened.
    pub connections: u64,
    /// Most connections open at once.
    pub connections_peak: u64,
    /// Most connections it may have open at once.
    pub connections_limit: u64,
    /// Requests that had to wait because that limit was reached.
    pub waited_for_connection: u64,
    /// Requests that were due and never sent, because the run was ended before.
    pub unsent: u64,
    /// Requests that it could not send, by what it lacked.
    pub faults: BTreeMap<Fault, u64>,
    /// Longest pause of the generator as a whole, in seconds: it was stopped, or starved of processors.
    pub longest_pause: f64,
}

/// What a load generator lacks when it cannot open a connection. The service has no part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// EADDRNOTAVAIL.
    #[error("no free local port")]
    NoLocalPort,
    /// EMFILE, ENFILE.
    #[error("too many open files")]
    TooManyFiles,
}

impl Generator {
    /// Adds one that sent at the same time. Its own peaks may have been at another moment; their sum is the bound.
    pub fn join(&mut self, other: &Self) {
        self.threads += other.threads;
        self.cpu_seconds = self
            .cpu_seconds
            .zip(other.cpu_seconds)
            .map(|(one, other)| one + other);
        // The busier one is the one to doubt.
        self.cpu_share = match (self.cpu_share, other.cpu_share) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        self.processors += other.processors;
        self.connections += other.connections;
        self.connections_peak += other.connections_peak;
        self.connections_limit += other.connections_limit;
        self.waited_for_connection += other.waited_for_connection;
        self.unsent += other.unsent;
        self.longest_pause = self.longest_pause.max(other.longest_pause);
    }
}

/// WebSocket connections of a run.
#[derive(Clone, Debug, Default)]
pub struct WebSockets {
    /// Time to connect and upgrade.
    pub connect: Latencies,
    /// Connections made.
    pub connected: u64,
    /// Connections refused or lost, by cause, and those on which the server did not do its part.
    pub failures: BTreeMap<String, u64>,
    /// Connections that were held as long as they should be, and did all that they should.
    /// `None` where it was not counted, as in reports of earlier versions.
    pub held: Option<u64>,
    /// Most held at once.
    pub held_peak: u64,
    /// From a message to its echo, or to the message that its sequence awaits. Those that never came count with the time
    /// that they were waited for.
    pub round_trip: Latencies,
    /// From a ping to its pong; those that never came count too.
    pub ping: Latencies,
    /// From a request for voice to its first byte.
    pub first_byte: Latencies,
    /// How far gaps between voice frames were from 20 ms, both ways.
    pub jitter: Latencies,
    /// Messages sent and received.
    pub messages: (u64, u64),
    /// Messages whose echo, or awaited answer, had not come when they were given up.
    /// `None` where it was not counted.
    pub unanswered: Option<u64>,
}

impl WebSockets {
    /// None yet, and everything of them is counted.
    pub fn counting() -> Self {
        Self {
            held: Some(0),
            unanswered: Some(0),
            ..Self::default()
        }
    }

    /// Adds all of `other`; the peaks of two generators may not have been at the same time, their sum is the bound.
    pub fn merge(&mut self, other: &Self) {
        self.connect.merge(&other.connect);
        self.connected += other.connected;
        for (cause, failures) in &other.failures {
            cause::count(&mut self.failures, cause.clone(), *failures);
        }
        self.held = sum(self.held, other.held);
        self.held_peak += other.held_peak;
        self.round_trip.merge(&other.round_trip);
        self.ping.merge(&other.ping);
        self.first_byte.merge(&other.first_byte);
        self.jitter.merge(&other.jitter);
        self.messages.0 += other.messages.0;
        self.messages.1 += other.messages.1;
        self.unanswered = sum(self.unanswered, other.unanswered);
    }

    /// The connections that were held as they should be among all that were asked for; `None` without any.
    pub fn held_share(&self) -> Option<f64> {
        let held = self.held?;
        share(held, held + self.failures.values().sum::<u64>())
    }
}

/// Both together, where both are known.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one? + other?)
}

/// A part of a whole, from 0 to 1; `None` where there is nothing.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| ratio(part, whole))
}

/// Counts stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
