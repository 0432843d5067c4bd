//! `make bench-fairness`: measures how often one tenant's metrics are polled beside a hundred tenants that
//! ask for all they can.
//!
//! ```text
//! prometheus   answers as a cluster of 20,000 pods would, or never, and remembers what was asked when
//! tenants      the resources of the innocent one and of the hostile ones
//! section      what was seen -> docs/benchmarks.md
//! ```
//!
//! The control plane and `vas metrics-server` are real. Each hostile tenant has one resource with 256 metrics, all of
//! different queries: gauges and own queries that never get an answer, and counters with series of every pod.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "as in the tests: a benchmark that cannot go on must stop, and it looks at the clock"
)]

#[path = "../circumstances.rs"]
mod circumstances;
#[path = "../report/section.rs"]
mod marked;
#[allow(dead_code, reason = "only figures of the machine are of interest here")]
#[path = "../procfs.rs"]
mod procfs;
mod prometheus;
mod section;
#[path = "../report/table.rs"]
mod table;
mod tenants;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Parser;

use self::{
    prometheus::Prometheus,
    section::{Row, Setting},
};
use support::{
    Cluster, eventually,
    process::{Process, free_port},
    vas,
};

/// Measure what one tenant gets beside many hostile ones, and write it into docs/benchmarks.md
#[derive(Debug, Parser)]
#[command(
    name = "make bench-fairness ARGS=\"...\"",
    bin_name = "make bench-fairness ARGS=\"...\""
)]
struct Arguments {
    /// Hostile tenants, each in a namespace of its own
    #[arg(long, default_value_t = 100)]
    tenants: usize,
    /// Pods of the cluster, for the answers to the hostile tenants' counters
    #[arg(long, default_value_t = 20_000)]
    pods: usize,
    /// Seconds of each stretch
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Stretches of 30 seconds, and no report but to standard error
    #[arg(long)]
    quick: bool,
    /// The `vas` to measure; default: the one of this build
    #[arg(long)]
    binary: Option<PathBuf>,
    /// The document that has the section
    #[arg(long, default_value = "docs/benchmarks.md")]
    report: PathBuf,
}

#[tokio::main]
async fn main() {
    support::install_tls_provider();
    let arguments = Arguments::parse();
    let report = support::cluster::root().join(&arguments.report);
    if !arguments.quick
        && let Err(error) = marked::check(&report, marked::FRAME, section::NAME)
    {
        panic!("{error}");
    }
    let stretch = Duration::from_secs(if arguments.quick { 30 } else { arguments.seconds });
    let setting = Setting {
        circumstances: circumstances::now(),
        tenants: arguments.tenants,
        pods: arguments.pods,
        seconds: stretch.as_secs(),
    };
    let rows = measure(&arguments, stretch).await;
    let text = section::text(&setting, &rows);
    eprintln!("{text}");
    if arguments.quick {
        return;
    }
    if let Err(error) = marked::write(&report, marked::FRAME, section::NAME, &text) {
        panic!("{error}");
    }
    eprintln!("bench-fairness: written to {}", report.display());
}

async fn measure(arguments: &Arguments, stretch: Duration) -> Vec<Row> {
    say("starting the control plane");
    let cluster = Cluster::start(
        "fairness",
        &["--apiserver-flag=disable-admission-plugins=ServiceAccount"],
    );
    cluster.install_crd();
    let client = cluster.client().await;
    let prometheus = Prometheus::start(arguments.tenants, arguments.pods).await;
    tenants::innocent(&client).await;
    let binary = arguments.binary.clone().unwrap_or_else(vas::binary);
    let start = || Server::start(&cluster, &prometheus, &binary);

    say("the innocent tenant alone");
    let server = start().await;
    let mut rows = vec![server.watch("alone", &prometheus, stretch).await];

    say("the hostile tenants come");
    tenants::hostile(&client, arguments.tenants).await;
    rows.push(server.watch("hostile tenants came", &prometheus, stretch).await);
    drop(server);

    say("the metrics server starts again beside them");
    let server = start().await;
    rows.push(server.watch("after a restart", &prometheus, stretch).await);
    rows
}

/// A `vas metrics-server` with its default settings.
struct Server {
    process: Process,
    started: Instant,
    metrics: String,
}

impl Server {
    async fn start(cluster: &Cluster, prometheus: &Prometheus, binary: &Path) -> Self {
        let plain = free_port();
        let args = [
            "metrics-server".to_owned(),
            format!("--kubeconfig={}", cluster.kubeconfig().display()),
            format!("--secure-port={}", free_port()),
            format!("--metrics-bind-address=127.0.0.1:{plain}"),
            format!("--prometheus-url={}", prometheus.url()),
            "--service-namespace=default".to_owned(),
            "--leader-elect=false".to_owned(),
        ];
        prometheus.forget();
        let started = Instant::now();
        let log = cluster.dir().join(format!("metrics-server-{plain}.log"));
        let process = Process::start("metrics-server", binary, &args, &[], log);
        let metrics = format!("http://127.0.0.1:{plain}/metrics");
        eventually(
            Duration::from_secs(120),
            "the innocent tenant's metrics are polled",
            || async { prometheus.all_polled().then_some(()).ok_or("not all of them yet") },
        )
        .await;
        Self {
            process,
            started,
            metrics,
        }
    }

    /// Measures the polls that the innocent tenant gets during a stretch.
    async fn watch(&self, situation: &'static str, prometheus: &Prometheus, stretch: Duration) -> Row {
        let first = prometheus.first_polled().duration_since(self.started);
        let begin = Instant::now();
        tokio::time::sleep(stretch).await;
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        Row {
            situation,
            first,
            polls: prometheus.polls(begin, Instant::now()),
            most_at_once: prometheus.most_at_once(),
            shapes: self.metric("vas_metrics_server_shapes ").await,
            refused: self.metric("vas_metrics_server_shapes_refused ").await,
            resident: kib(&status, "VmRSS:") / 1024,
            peak: kib(&status, "VmHWM:") / 1024,
        }
    }

    async fn metric(&self, name: &str) -> Option<u64> {
        let text = reqwest::get(&self.metrics).await.ok()?.text().await.ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix(name))?
            .parse()
            .ok()
    }
}

fn kib(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .expect("a size in KiB")
}

fn say(what: &str) {
    eprintln!("bench-fairness: {what}");
}
