//! What a failed test prints, so that a person understands it without running it again: the objects of the test's
//! namespace, the latest Events there, and the last lines of the processes that took part.
//!
//! It is printed while the test unwinds: a [`super::namespace::Namespace`] and a [`super::process::Process`] print when
//! they are dropped, and what tests share prints for the one that holds it ([`super::shared`]).

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::{Cluster, process::Process};

/// Most pods, Events, and lines of a log that are printed.
const PODS: usize = 8;
const EVENTS: usize = 10;
const LINES: usize = 15;
/// Most characters of a line.
const WIDTH: usize = 300;

/// Logs of processes that outlive the tests that use them, with the names of the processes.
static SHARED: Mutex<Vec<(String, PathBuf)>> = Mutex::new(Vec::new());

/// Has the lines of this process printed that name the namespace of a failed test.
pub fn share(process: &Process) {
    let entry = (process.name().to_owned(), process.log_file().to_owned());
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
}

/// Text of at most [`WIDTH`] characters in one line.
pub(super) fn short(text: &str) -> String {
    let text = text.trim_end().replace('\n', " ");
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text,
    }
}

/// Prints the last lines of a log.
pub(super) fn print_log(name: &str, log: &Path) {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    print_lines(name, log, &lines[lines.len().saturating_sub(LINES)..]);
}

fn print_lines(name: &str, log: &Path, lines: &[&str]) {
    eprintln!("--- the last lines of {name}, from {}", log.display());
    for line in lines {
        eprintln!("{}", short(line));
    }
}

/// Prints what is in a namespace, and what the shared processes said about it.
pub fn print_namespace(cluster: &Cluster, namespace: &str) {
    eprintln!("--- namespace {namespace} when the test failed");
    if let Err(words) = cluster.raw(&format!("/api/v1/namespaces/{namespace}")) {
        eprintln!("it cannot be read: {}", short(&words));
        return;
    }
    for (kind, summary) in KINDS {
        for mut object in cluster.objects(namespace, kind, "") {
            // The whole object once more, in one line.
            if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            }
            let name = text(&object, "/metadata/name");
            eprintln!("{kind} {name}: {}", short(&summary(&object)));
            for condition in list(&object, "/status/conditions") {
                let [type_, status, reason, message] =
                    ["/type", "/status", "/reason", "/message"].map(|field| text(condition, field));
                eprintln!("  {}", short(&format!("{type_} {status} {reason}: {message}")));
            }
        }
    }
    print_pods(&cluster.objects(namespace, "pods", ""));
    print_events(cluster.objects(namespace, "events", ""));
    let shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, log) in shared.iter() {
        let said = std::fs::read(log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let said: Vec<&str> = said.lines().filter(|line| line.contains(namespace)).collect();
        let about = format!("{name} about this namespace");
        print_lines(&about, log, &said[said.len().saturating_sub(LINES)..]);
    }
}

/// A kind and the fields of it that matter most, in one line.
type Summary = (&'static str, fn(&Value) -> String);

/// The kinds that are shown.
const KINDS: [Summary; 5] = [
    ("voiceassistscaling", |object| {
        fields(
            object,
            &[
                ("generation", "/metadata/generation"),
                ("observed", "/status/observedGeneration"),
                ("annotations", "/metadata/annotations"),
            ],
        )
    }),
    ("hpa", |object| {
        fields(
            object,
            &[
                ("min", "/spec/minReplicas"),
                ("max", "/spec/maxReplicas"),
                ("current", "/status/currentReplicas"),
                ("desired", "/status/desiredReplicas"),
                ("metrics", "/status/currentMetrics"),
            ],
        )
    }),
    ("pdb", |object| {
        fields(
            object,
            &[
                ("healthy", "/status/currentHealthy"),
                ("needed", "/status/desiredHealthy"),
                ("allowed", "/status/disruptionsAllowed"),
            ],
        )
    }),
    ("vpa", |object| {
        fields(object, &[("mode", "/spec/updatePolicy/updateMode")])
    }),
    ("deployment", |object| {
        fields(
            object,
            &[
                ("replicas", "/spec/replicas"),
                ("current", "/status/replicas"),
                ("ready", "/status/readyReplicas"),
            ],
        )
    }),
];

fn fields(object: &Value, wanted: &[(&str, &str)]) -> String {
    let shown = wanted
        .iter()
        .map(|(name, pointer)| match object.pointer(pointer) {
            Some(value) => format!("{name} {value}"),
            None => format!("{name} -"),
        });
    shown.collect::<Vec<_>>().join(", ")
}

fn text(object: &Value, pointer: &str) -> String {
    let text = object.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    let list = object.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn print_pods(pods: &[Value]) {
    let shown = pods.iter().take(PODS).map(|pod| {
        let ready = list(pod, "/status/conditions");
        let ready = ready
            .iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True");
        let ready = if ready { "Ready" } else { "not Ready" };
        let (name, phase) = (text(pod, "/metadata/name"), text(pod, "/status/phase"));
        format!("{name} {phase} {ready}")
    });
    let shown: Vec<String> = shown.collect();
    eprintln!("{} pods: {}", pods.len(), short(&shown.join("; ")));
}

fn print_events(mut events: Vec<Value>) {
    let moment = |event: &Value| {
        let times = [
            "/series/lastObservedTime",
            "/eventTime",
            "/deprecatedLastTimestamp",
        ];
        let times = times.map(|pointer| text(event, pointer));
        times
            .into_iter()
            .find(|time| !time.is_empty())
            .unwrap_or_default()
    };
    events.sort_by_key(moment);
    eprintln!("{} events, the last of them:", events.len());
    for event in &events[events.len().saturating_sub(EVENTS)..] {
        let [type_, kind, name, reason, note] =
            ["/type", "/regarding/kind", "/regarding/name", "/reason", "/note"]
                .map(|pointer| text(event, pointer));
        let time = moment(event);
        eprintln!(
            "  {}",
            short(&format!("{time} {type_} {kind}/{name} {reason}: {note}"))
        );
    }
}
