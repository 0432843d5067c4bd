//! All faults of Prometheus during 200 reads per second. Values younger than maxAge are served, older ones
//! are refused, and none is made up. Other metrics are not affected, and memory stays bounded.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::stack::{Stack, stack};
use support::{
    eventually,
    fault_proxy::Fault,
    namespace::Namespace,
    open_loop::{Failed, OpenLoop},
};

const PER_SECOND: u32 = 200;

/// Values of the gauges. They are not zero, so that an invented zero shows.
const DEPTH: f64 = 180.0;

/// `maxAge` of all metrics here, in seconds.
const MAX_AGE: u64 = 20;

/// How long the faults go on after maxAge, so that some polls meet values that are too old.
const POLLS: Duration = Duration::from_secs(10);

/// Bytes by which the server's memory may grow: several answers of the largest size at once, each read and
/// parsed.
const GROWTH: u64 = 160 << 20;

const FAULTS: [(&str, Fault); 11] = [
    ("hang", Fault::Hang),
    ("slow", Fault::Slow),
    ("internalerror", Fault::InternalError),
    ("refusal", Fault::Refusal),
    ("cutoff", Fault::CutOff),
    ("wrongtypes", Fault::WrongTypes),
    ("notjson", Fault::NotJson),
    ("warning", Fault::Warning),
    ("notanumber", Fault::NotANumber),
    ("huge", Fault::Huge),
    ("hugecompressed", Fault::HugeCompressed),
];

/// Answers that come one second before the time limit, which on a busy machine may be too late.
const LATE: &str = "slow";

/// A valid answer that says that there is no value, so no older value is served in its place.
const AT_ONCE: &str = "notanumber";

/// One metric, read as the HPA reads it.
struct Read {
    gauge: String,
    path: String,
    _namespace: Namespace<'static>,
}

impl Read {
    fn start(stack: &Stack, name: &str) -> Self {
        let gauge = format!("underload_{name}_depth");
        let spec = format!(
            "
workloads:
- name: worker
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: worker}}
  maxReplicas: 5
  metrics:
  - {{name: depth, maxAge: {MAX_AGE}s, queueDepth: {{gauge: {gauge}, target: {{averageValue: '50'}}}}}}
"
        );
        let namespace = Namespace::create(stack.cluster, &format!("underload-{name}"));
        super::stack::apply_resource(&namespace, "voiceassist", &spec);
        stack
            .exporter
            .set(&gauge, &[("namespace", namespace.name())], DEPTH);
        let path = format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/deployments.apps/worker/depth",
            namespace.name()
        );
        Self {
            gauge,
            path,
            _namespace: namespace,
        }
    }

    /// `Ok` if the answer is the value that was set; else the answer.
    fn answered(&self, stack: &Stack) -> Result<(), String> {
        let document = stack.get(&self.path)?;
        match document["items"][0]["value"].as_str() {
            Some("180") => Ok(()),
            _ => Err(document.to_string()),
        }
    }
}

/// Resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    kilobytes
        .and_then(|text| text.parse::<u64>().ok())
        .expect("VmRSS in kB")
        << 10
}

/// The age in seconds that a refusal names, "last sample 21s old, maxAge 20s".
fn age_of_newest_sample(words: &str) -> Option<u64> {
    let (_, from_age) = words.split_once("last sample ")?;
    let (age, _) = from_age.split_once(&format!("s old, maxAge {MAX_AGE}s"))?;
    age.parse().ok()
}

/// Failures that were sent within a time, by path and words.
fn within(failed: &[&Failed], from: Instant, to: Instant) -> BTreeMap<(String, String), usize> {
    let mut found = BTreeMap::new();
    for failed in failed
        .iter()
        .filter(|failed| failed.sent >= from && failed.sent < to)
    {
        *found
            .entry((failed.path.clone(), failed.words.clone()))
            .or_default() += 1;
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reads_a_second_go_on_through_every_fault_of_prometheus() {
    let stack = stack().await;
    let proxy = &stack.proxy;
    let bystander = Read::start(stack, "bystander");
    let spoiled: Vec<Read> = FAULTS.iter().map(|(name, _)| Read::start(stack, name)).collect();
    let everybody = || spoiled.iter().chain([&bystander]);
    for read in everybody() {
        eventually(
            Duration::from_secs(60),
            &format!("{} is served", read.gauge),
            || async { read.answered(stack) },
        )
        .await;
    }

    let paths = everybody().map(|read| read.path.clone()).collect();
    let load = OpenLoop::start(stack.cluster.client().await, paths, PER_SECOND);
    let began = Instant::now();
    let before = resident(stack.server.id());
    let mut most = before;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let broken = Instant::now();
    for (read, (_, fault)) in spoiled.iter().zip(FAULTS) {
        proxy.set(&read.gauge, Some(fault));
    }
    let end = broken + Duration::from_secs(MAX_AGE) + POLLS;
    while Instant::now() < end {
        most = most.max(resident(stack.server.id()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let served: Vec<&str> = spoiled
        .iter()
        .zip(FAULTS)
        .filter(|(read, (name, _))| *name != LATE && read.answered(stack).is_ok())
        .map(|(_, (name, _))| name)
        .collect();
    assert!(
        served.is_empty(),
        "values older than maxAge are refused: {served:?}"
    );
    for read in &spoiled {
        proxy.set(&read.gauge, None);
    }
    for read in everybody() {
        eventually(
            Duration::from_secs(60),
            &format!("{} is served again", read.gauge),
            || async { read.answered(stack) },
        )
        .await;
    }
    let healed = Instant::now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let outcome = load.end().await;

    let all: Vec<&Failed> = outcome.failed.iter().collect();
    let of = |name: &str| format!("underload-{name}-");
    for (from, to, when) in [
        // A read that was sent in the last moments before may be answered after the first fault.
        (
            began,
            broken.checked_sub(Duration::from_secs(1)).unwrap_or(began),
            "all is well",
        ),
        (healed, Instant::now(), "all is well again"),
    ] {
        assert_eq!(within(&all, from, to), BTreeMap::new(), "while {when}");
    }
    let (at_once, later): (Vec<&Failed>, Vec<&Failed>) =
        all.iter().partition(|failed| failed.path.contains(&of(AT_ONCE)));
    assert!(!at_once.is_empty(), "NaN is refused at once");
    for failed in at_once {
        // A poll has two queries, for the values and for their times, and the fault may begin or end between them.
        let is_said = ["its value NaN", "no value yet"]
            .iter()
            .any(|words| failed.words.contains(words));
        assert!(is_said, "{failed:?}");
    }
    // The server says how old the newest sample was. On a busy machine the sample may have been some seconds
    // old when Prometheus broke, so the moment of the first refusal alone proves nothing.
    for failed in later {
        let age = age_of_newest_sample(&failed.words);
        assert!(age.is_some_and(|age| age >= MAX_AGE), "{failed:?}");
        assert!(failed.path != bystander.path, "{failed:?}");
    }
    assert!(outcome.sent > 5000, "{} reads were sent", outcome.sent);
    assert!(
        most - before < GROWTH,
        "the server grew from {before} to {most} bytes"
    );
}
