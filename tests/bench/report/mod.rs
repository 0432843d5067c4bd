//! The part of `docs/benchmarks.md` that `make bench` owns, as Markdown.

mod keda;
pub(crate) mod section;
mod table;

use std::{fmt::Write as _, path::Path, process::Command};

use self::table::Table;
use crate::{
    adapters::{FIXED, PROMETHEUS_ADAPTER, VAS},
    aims,
    arguments::{Arguments, KedaReads, Peer, Read, Way},
    measure::{API_SERVER, LOAD, Load, PROMETHEUS, Point, SERVER},
    pattern::Pattern,
    procfs,
    versions::versions,
};
use support::cluster::root;

/// The figures so far.
pub(crate) struct Report {
    head: String,
    quick: bool,
    /// How KEDA read, if it was to be measured. Such a run has a section of its own.
    keda: Option<KedaReads>,
    /// Whether all measurements are done.
    pub complete: bool,
    /// Stretches of load.
    pub points: Vec<Point>,
    /// The HPA's pattern.
    pub patterns: Vec<Pattern>,
    /// Peers that are not installed, and how to get them.
    pub absent: Vec<String>,
    /// Sizes of vas's answers, in bytes.
    pub sizes: Vec<(Read, usize)>,
}

impl Report {
    /// Records when and where the run began. Panics if the document has no place for the section: that should
    /// be noticed before everything is measured.
    pub(crate) fn begin(arguments: &Arguments) -> Self {
        let keda = arguments.has(Peer::Keda).then_some(arguments.keda_reads);
        if let Err(error) = section::check(
            &root().join(arguments.report()),
            section::FRAME,
            keda::section(keda),
        ) {
            panic!("{error}");
        }
        let given: Vec<String> = std::env::args().skip(1).collect();
        let command = if given.is_empty() {
            "make bench".to_owned()
        } else {
            format!("make bench ARGS=\"{}\"", given.join(" "))
        };
        let head = format!(
            "- command: `{command}`\n- date: {}\n- machine: {}, {} GiB, shared by all processes, the load \
             generator among them; load average before the run {}\n- versions: {}\n- {} workloads of 3 pods with 3 metrics each; {} stretches of {} s for each \
             line, the servers in turn\n",
            jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
            procfs::processors(),
            procfs::memory_of_machine(),
            procfs::load_average(),
            versions(&arguments.peers),
            arguments.workloads,
            arguments.rounds,
            arguments.seconds,
        );
        Self {
            head,
            quick: arguments.quick,
            keda,
            complete: false,
            points: Vec::new(),
            patterns: Vec::new(),
            absent: Vec::new(),
            sizes: Vec::new(),
        }
    }

    /// Writes the report into its section of the document.
    pub(crate) fn write(&self, path: &Path) {
        if let Err(error) = section::write(path, section::FRAME, keda::section(self.keda), &self.markdown()) {
            panic!("{error}");
        }
    }

    fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n", keda::heading(self.keda));
        text += "Written by `make bench`; edits between the marks are lost.\n\n";
        if self.quick {
            text += "**A quick run: it shows that everything works. Its figures mean nothing.**\n\n";
        }
        if !self.complete {
            text += "**The run ended early: a part is missing.**\n\n";
        }
        text += &self.head;
        let sizes: Vec<String> = self
            .sizes
            .iter()
            .map(|(read, bytes)| format!("{} {bytes}", read.name()))
            .collect();
        let _ = writeln!(text, "- bytes of an answer: {}", sizes.join(", "));
        for why in &self.absent {
            let _ = writeln!(text, "- not measured: {why}");
        }
        text.push('\n');
        text += READING;
        match self.keda {
            None => {
                text += WITHOUT_KEDA;
                text += "\n### Aims\n\n";
                text += &aims::table(&self.points, &self.patterns);
            }
            Some(reads) => {
                text += &keda::reading(reads);
            }
        }
        for way in [Way::Direct, Way::ApiServer] {
            let points: Vec<&Point> = self.points.iter().filter(|point| point.way == way).collect();
            if points.is_empty() {
                continue;
            }
            let _ = write!(text, "\n### Reads, {}\n\n", way.name());
            text += &latencies(&points);
            let _ = write!(text, "\n#### CPU milliseconds per answer, {}\n\n", way.name());
            text += &cpu(&points);
        }
        if !self.patterns.is_empty() {
            text += "\n### The HPA's pattern\n\n";
            text += "Each URL of each workload once per 15 s, through the API server, with the HPA controller's token.\n\n";
            text += &patterns(&self.patterns);
        }
        if self.complete && self.keda.is_none() {
            text += &instructions();
        }
        text
    }
}

const WITHOUT_KEDA: &str = "\
KEDA's adapter serves External only, takes long to build, and has a part of its own: `make bench-keda`.
";

const READING: &str = "\
`fixed bytes` is a server that answers as many bytes over the same TLS and HTTP/2 and does nothing else: the floor. \
Open loops send at fixed moments, and a request's latency counts from the moment at which it was due; `most` is 32 \
workers that each wait for their answer. Percentiles are of requests that were answered or given up after 5 s. \
`direct` is with the front proxy's certificate and the HPA's name, over 2 connections. Only the server that is measured runs; \
the others are paused. What Prometheus and the API server use anyway is taken off, and prometheus-adapter's limits on \
its own client are lifted. CPU times are the kernel's, counted in steps of 10 ms: at 50 requests per second they are coarse.
";

fn load(load: Load) -> String {
    match load {
        Load::Rate(rate) => format!("{rate}/s"),
        Load::Most => "most".to_owned(),
    }
}

/// The point of another server for the same read and load.
fn beside<'a>(points: &[&'a Point], point: &Point, server: &str) -> Option<&'a Point> {
    let same = |other: &&&Point| (other.read, other.load, other.server) == (point.read, point.load, server);
    points.iter().find(same).copied()
}

fn latencies(points: &[&Point]) -> String {
    let mut table = Table::new(&[
        "read",
        "load",
        "server",
        "answered/s",
        "not answered",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "p99 to floor",
        "p99 to vas",
    ]);
    for point in points {
        let percentile = |percent| number(point.samples.percentile(percent));
        // Of fewer requests it would be the slowest one.
        let rare = if point.samples.answered() < 1_000 {
            String::new()
        } else {
            percentile(99.9)
        };
        let p99 = point.samples.percentile(99.0);
        let ratio = |server: &str| {
            if server == point.server {
                return String::new();
            }
            let other = beside(points, point, server);
            times(p99, other.and_then(|other| other.samples.percentile(99.0)))
        };
        table.row(vec![
            point.read.name().to_owned(),
            load(point.load),
            point.server.to_owned(),
            format!("{:.0}", point.samples.rate()),
            failures(point),
            percentile(50.0),
            percentile(90.0),
            percentile(99.0),
            rare,
            ratio(FIXED),
            ratio(VAS),
        ]);
    }
    table.markdown()
}

fn failures(point: &Point) -> String {
    let failures = point.samples.failures();
    let Some((why, _)) = failures.iter().max_by_key(|(_, count)| **count) else {
        return "0".to_owned();
    };
    format!("{:.1} % ({why})", 100.0 * point.samples.failed_share())
}

fn cpu(points: &[&Point]) -> String {
    let mut table = Table::new(&[
        "read",
        "load",
        "server",
        "server",
        "Prometheus",
        "API server",
        "all three",
        "to vas",
        "load generator",
    ]);
    for point in points.iter().filter(|point| point.samples.answered() > 0) {
        let of = |process| millis(point.cpu_of(process));
        let vas = beside(points, point, VAS).filter(|_| point.server != VAS);
        let to_vas = match vas {
            Some(vas) => times(point.cpu_per_read(), vas.cpu_per_read()),
            None => String::new(),
        };
        table.row(vec![
            point.read.name().to_owned(),
            load(point.load),
            point.server.to_owned(),
            of(SERVER),
            of(PROMETHEUS),
            of(API_SERVER),
            millis(point.cpu_per_read()),
            to_vas,
            of(LOAD),
        ]);
    }
    table.markdown()
}

fn patterns(patterns: &[Pattern]) -> String {
    let mut table = Table::new(&[
        "workloads",
        "pods of others",
        "server",
        "reads/s",
        "not answered",
        "p50 ms",
        "p99 ms",
        "CPU s/min: server",
        "Prometheus",
        "API server",
        "access reviews/min",
        "other API requests/min",
        "Prometheus queries/min",
        "RSS MiB",
        "peak MiB",
    ]);
    for pattern in patterns {
        let [server, prometheus, api_server] =
            pattern.cpu_per_minute().map(|seconds| format!("{seconds:.2}"));
        #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
        let per_minute = |count: usize| format!("{:.0}", pattern.per_minute(count as f64));
        let mib = |kib: u64| format!("{:.1}", mebibytes(kib));
        table.row(vec![
            pattern.workloads.to_string(),
            pattern.foreign_pods.to_string(),
            pattern.server.to_owned(),
            format!("{:.0}", pattern.samples.rate()),
            format!("{:.1} %", 100.0 * pattern.samples.failed_share()),
            number(pattern.samples.percentile(50.0)),
            number(pattern.samples.percentile(99.0)),
            server,
            prometheus,
            api_server,
            per_minute(pattern.reviews),
            per_minute(pattern.other_requests),
            format!("{:.0}", pattern.per_minute(pattern.queries)),
            mib(pattern.memory.resident),
            mib(pattern.memory.peak),
        ]);
    }
    table.markdown()
}

/// The table of instructions per read, by callgrind. Without callgrind's figures it says why there are none.
fn instructions() -> String {
    let script = root().join("tests/bench/instructions.sh");
    let output = Command::new(script).arg("table").current_dir(root()).output();
    let table = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => format!(
            "Not counted: {}\n",
            String::from_utf8_lossy(&output.stderr).trim()
        ),
        Err(error) => format!("Not counted: {error}\n"),
    };
    format!(
        "\n### Instructions per read\n\nCounted by callgrind, from the path of the URL to the bytes of the answer; the \
         same on a busy machine. `make bench-instructions` fails when one grows by more than 5 %.\n\n{table}"
    )
}

/// Milliseconds of a latency.
fn number(millis: Option<f64>) -> String {
    millis.map_or("-".to_owned(), |millis| format!("{millis:.2}"))
}

/// Milliseconds of CPU time.
fn millis(millis: Option<f64>) -> String {
    millis.map_or("-".to_owned(), |millis| format!("{millis:.3}"))
}

/// How many times as much `this` is as `that`.
pub(crate) fn times(this: Option<f64>, that: Option<f64>) -> String {
    match (this, that) {
        (Some(this), Some(that)) if that > 0.0 => format!("{:.1}x", this / that),
        _ => "-".to_owned(),
    }
}

/// KiB as MiB.
#[expect(clippy::cast_precision_loss, reason = "memory of a process")]
pub(crate) fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Name in tables of the peer that the aims compare with.
pub(crate) const PEER: &str = PROMETHEUS_ADAPTER;
