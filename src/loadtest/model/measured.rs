//! What a run of load measured: the input of reports and verdicts.

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
    /// The runs that were measured: one, or all that were merged into this one.
    pub runs: BTreeSet<RunId>,
    /// The moment at which the first request was due.
    pub began: Timestamp,
    /// How long requests were planned to be sent.
    pub planned: Duration,
    /// How long requests were really sent.
    pub elapsed: Duration,
    /// How it ended.
    pub end: End,
    /// Requests of all steps together.
    pub total: Requests,
    /// Requests by the name of their step. Together they are `total`.
    pub steps: BTreeMap<String, Requests>,
    /// How much later requests were sent than they were due.
    pub schedule_error: Latencies,
    /// Figures of each second of the run, without gaps.
    pub seconds: Vec<Second>,
    /// The load generator itself.
    pub generator: Generator,
    /// WebSocket connections, if the scenario has any.
    pub websocket: Option<WebSockets>,
}

/// Identifies a run: a random number drawn at its beginning, or [computed](RunId::of) from what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub u64);

impl RunId {
    /// The ID of a run whose report has none. It is the FNV-1a hash of the begin, the number of requests and
    /// their latencies, so it is the same each time and on every machine. No two runs begin in the same
    /// nanosecond and have the same latencies of as many requests.
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
    /// The run ended as planned.
    Completed,
    /// A signal or the live page ended the run. What was measured until then counts.
    Interrupted,
    /// A guard ended the run, such as the one against too many errors. The words say which.
    Aborted(String),
}

/// Requests of one step, or of all.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// Time from the moment a request was due to the last byte of its answer. It includes requests that
    /// failed after they were sent, because a user who gave up waited too.
    pub latency: Latencies,
    /// Time from the moment a request was really sent to the last byte of its answer.
    pub service_time: Latencies,
    /// The durations in `latency` that belong to failed requests.
    pub failed_latency: Latencies,
    /// The durations in `latency` of answered requests that were due at the very beginning of an open load,
    /// when no request waited for another one yet. Empty in the closed model.
    pub first_latency: Latencies,
    /// Time from the beginning of an open load until the first request was due; `None` in the closed model.
    pub first_due: Option<Duration>,
    /// Requests that were due within the run.
    pub due: u64,
    /// Requests that were answered as expected.
    pub answered: u64,
    /// Answered requests whose answer came before the load ended.
    pub answered_in_time: u64,
    /// Requests that were sent twice, answered or not: their connection had been closed as an idle one, or
    /// the server said that it had not processed them.
    pub retried: u64,
    /// Failed requests by cause ("status 503", "cannot connect: connection refused", "check: ..."): at most
    /// [`cause::MOST`] causes and [`cause::OTHER`].
    pub failures: BTreeMap<String, u64>,
    /// Details of one failure, by cause, where there is more to say than the cause.
    pub examples: BTreeMap<String, String>,
    /// Answers by status, and bytes; `None` where they were not counted, as in reports of earlier versions.
    pub traffic: Option<Traffic>,
}

impl Requests {
    /// Number of failed requests.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Number of requests that ended: answered or failed.
    pub fn ended(&self) -> u64 {
        self.answered + self.failed()
    }

    /// Failed requests as a share of those that ended; `None` where none ended.
    pub fn error_share(&self) -> Option<f64> {
        share(self.failed(), self.ended())
    }

    /// Requests sent twice as a share of those that ended; `None` where none ended.
    pub fn retried_share(&self) -> Option<f64> {
        share(self.retried, self.ended())
    }

    /// Number of answered requests that took at most `limit`.
    pub fn answered_within(&self, limit: Duration) -> u64 {
        let (all, failed) = (self.latency.within(limit), self.failed_latency.within(limit));
        all.saturating_sub(failed).min(self.answered)
    }

    /// Requests answered within `limit` as a share of all that ended; `None` where none ended. A failed
    /// request does not count as within the limit, however fast it failed.
    pub fn within_share(&self, limit: Duration) -> Option<f64> {
        share(self.answered_within(limit), self.ended())
    }

    /// Latency of the answered requests alone.
    pub fn answered_latency(&self) -> Latencies {
        self.latency.without(&self.failed_latency)
    }

    /// Adds failures of one cause, with an example of one failure.
    pub fn fail(&mut self, cause: &str, failures: u64, example: Option<&str>) {
        cause::count(&mut self.failures, cause.to_owned(), failures);
        // A cause beyond the bound is counted under `other`, where its example would mislead.
        if let Some(example) = example.filter(|_| self.failures.contains_key(cause)) {
            self.examples
                .entry(cause.to_owned())
                .or_insert_with(|| example.to_owned());
        }
    }

    /// Adds all requests of `other`.
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

    /// The traffic of both; `None` where the traffic of one was not counted.
    fn traffic_with(&self, other: &Self) -> Option<Traffic> {
        let known = |requests: &Self| match &requests.traffic {
            // A side without requests knows its traffic: there was none.
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
    /// Seconds since the run began. The figures are of the second from here to the next one.
    pub at: u32,
    /// Requests that were due in this second.
    pub due: u64,
    /// Requests that were answered in this second as expected. A WebSocket that is lost later is taken out
    /// again. A progress display that read the second before the loss has still counted it.
    pub answered: u64,
    /// Requests that failed in this second.
    pub failed: u64,
    /// Requests that ended in this second and had been sent twice.
    pub retried: u64,
    /// Latency of the requests that ended in this second; `None` where none did.
    pub latency: Option<Quantiles>,
    /// Users at the end of the second (closed model), or requests in flight (open model).
    pub concurrency: u64,
    /// WebSocket connections that are held at the end of the second.
    pub websockets: u64,
    /// Share of its processors (0 to 1) that the load generator used; `None` where it is unknown.
    pub generator_cpu: Option<f64>,
}

impl Second {
    /// Number of requests that ended in this second: answered or failed.
    pub fn ended(&self) -> u64 {
        self.answered + self.failed
    }
}

/// Figures of the load generator itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generator {
    /// Number of threads that send.
    pub threads: u32,
    /// Processor time of the whole process during the run, in seconds; `None` where it is unknown.
    pub cpu_seconds: Option<f64>,
    /// Share of its processors (0 to 1) that the generator used while load was sent; `None` where it is
    /// unknown.
    pub cpu_share: Option<f64>,
    /// Number of processors that the generator may use.
    pub processors: u32,
    /// Number of connections opened.
    pub connections: u64,
    /// Most connections that were open at once.
    pub connections_peak: u64,
    /// Most connections that the generator may have open at once.
    pub connections_limit: u64,
    /// Requests that had to wait because the limit of connections was reached.
    pub waited_for_connection: u64,
    /// Requests that were due and never sent, because the run ended before.
    pub unsent: u64,
    /// Requests that the generator could not send, by what it lacked.
    pub faults: BTreeMap<Fault, u64>,
    /// Longest time, in seconds, in which the generator as a whole stood still: it was stopped, or starved of
    /// processors.
    pub longest_pause: f64,
}

/// What the load generator lacks when it cannot open a connection. The service is not to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// The operating system says EADDRNOTAVAIL.
    #[error("no free local port")]
    NoLocalPort,
    /// The operating system says EMFILE or ENFILE.
    #[error("too many open files")]
    TooManyFiles,
}

impl Generator {
    /// Adds a generator that sent at the same time. Their peaks may have been at different moments, so the
    /// sum is an upper bound.
    pub fn join(&mut self, other: &Self) {
        self.threads += other.threads;
        self.cpu_seconds = self
            .cpu_seconds
            .zip(other.cpu_seconds)
            .map(|(one, other)| one + other);
        // The busier generator decides whether the run is doubted, so its share is kept.
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

/// Figures of the WebSocket connections of a run.
#[derive(Clone, Debug, Default)]
pub struct WebSockets {
    /// Time to connect and to upgrade.
    pub connect: Latencies,
    /// Number of connections made.
    pub connected: u64,
    /// Connections that were refused or lost, or on which the server did not answer as expected, by cause.
    pub failures: BTreeMap<String, u64>,
    /// Connections that were held until their planned end and on which every expected answer came. `None`
    /// where they were not counted, as in reports of earlier versions.
    pub held: Option<u64>,
    /// Most connections that were held at once.
    pub held_peak: u64,
    /// Time from a message to its echo, or to the message that its sequence awaits. A message whose answer
    /// never came counts with the time that it was waited for.
    pub round_trip: Latencies,
    /// Time from a ping to its pong. A ping whose pong never came counts with the time that it was waited
    /// for.
    pub ping: Latencies,
    /// Time from a request for voice to the first byte of voice.
    pub first_byte: Latencies,
    /// By how much the gaps between voice frames differed from the expected gap, shorter or longer.
    pub jitter: Latencies,
    /// Number of messages sent, and received.
    pub messages: (u64, u64),
    /// Messages that were given up before their echo or awaited answer came. `None` where they were not
    /// counted.
    pub unanswered: Option<u64>,
}

impl WebSockets {
    /// Figures of no connection yet, where everything will be counted.
    pub fn counting() -> Self {
        Self {
            held: Some(0),
            unanswered: Some(0),
            ..Self::default()
        }
    }

    /// Adds the connections of `other`. The peaks of two generators may have been at different moments, so
    /// the sum is an upper bound.
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

    /// Connections that were held as planned, as a share of all that were asked for; `None` where none were
    /// asked for or held ones were not counted.
    pub fn held_share(&self) -> Option<f64> {
        let held = self.held?;
        share(held, held + self.failures.values().sum::<u64>())
    }
}

/// The sum; `None` where one of them is unknown.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one? + other?)
}

/// A part as a share of the whole, from 0 to 1; `None` where the whole is zero.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| ratio(part, whole))
}

/// A part divided by the whole. Counts stay far below 2^52, so the conversion is exact.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
