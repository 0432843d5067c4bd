//! Replicas are held on a real cluster with a real operator. However a test ends, the hold is given back.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use crate::operator::fixture::{Operated, deployment, resource, workload};
use support::{
    eventually,
    process::{Process, Signal},
    queue::Queue,
    turn, vas,
};

const SOON: Duration = Duration::from_secs(90);
/// Runs of a test that finds a capacity.
const RUNS: usize = 3;
const RECORD: &str = "/metadata/annotations/scaling.voiceassist.io~1capacity-test";
const SUSPENSION: &str = "/metadata/annotations/scaling.voiceassist.io~1suspend.capacity-test";
const POLICY: &str = "/spec/behavior/scaleDown/selectPolicy";

struct Scene {
    operated: Operated<'static>,
    service: Queue,
}

impl Scene {
    /// One workload of two replicas, between 1 and 5, whose HPA the operator has written.
    async fn set(name: &str) -> Self {
        turn::wait_to_load();
        let operated = Operated::start(name);
        operated.namespace.apply(&deployment("api", 2));
        let voice = resource("voice", &[workload("api")]);
        operated.namespace.apply(&voice.to_string());
        operated.appears("hpa", "voice-api").await;
        Self {
            operated,
            service: Queue::start(100.0).await,
        }
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = ["test", "capacity", "voice", "--replicas=3"]
            .map(str::to_owned)
            .into();
        arguments.push(format!("--namespace={}", self.operated.namespace.name()));
        arguments.push(format!(
            "--kubeconfig={}",
            self.operated.cluster.kubeconfig().display()
        ));
        arguments.push(format!("--target={}", self.service.url()));
        arguments.extend(more.iter().map(|one| (*one).to_owned()));
        arguments
    }

    /// Starts a test, and waits until it holds three replicas, suspended.
    async fn holding(&self, more: &[&str]) -> Process {
        let test = vas::start("capacity", &self.arguments(more), &[]);
        eventually(SOON, "three replicas are held", || async {
            let (replicas, scaling) = (self.operated.replicas("api"), self.scaling());
            let annotated = scaling.pointer(RECORD).is_some() && scaling.pointer(SUSPENSION).is_some();
            if replicas == 3 && annotated && suspend(&scaling).is_null() {
                Ok(())
            } else {
                Err(format!(
                    "{replicas} replicas of {scaling}; the test says: {}",
                    test.log()
                ))
            }
        })
        .await;
        test
    }

    fn scaling(&self) -> Value {
        let scaling = self.operated.get("voiceassistscaling", "voice");
        scaling.unwrap_or_default()
    }

    /// Runs a command on the resource. Returns its exit code and all of its output.
    fn command(&self, words: &[&str]) -> (Option<i32>, String) {
        let kubeconfig = format!("--kubeconfig={}", self.operated.cluster.kubeconfig().display());
        let mut arguments = words.to_vec();
        arguments.extend(["voice", "-n", self.operated.namespace.name(), &kubeconfig]);
        let output = vas::run(&arguments);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Waits until everything is as before the test: two replicas, no suspension and no annotation.
    async fn given_back(&self) {
        eventually(SOON, "replicas and annotations are as they were", || async {
            let (replicas, scaling) = (self.operated.replicas("api"), self.scaling());
            let annotated = scaling.pointer(RECORD).is_some() || scaling.pointer(SUSPENSION).is_some();
            if replicas == 2 && suspend(&scaling).is_null() && !annotated {
                Ok(())
            } else {
                Err(format!("{replicas} replicas of {scaling}"))
            }
        })
        .await;
    }
}

fn suspend(scaling: &Value) -> Value {
    scaling
        .pointer("/spec/workloads/0/suspend")
        .cloned()
        .unwrap_or_default()
}

#[tokio::test]
async fn a_test_finds_the_capacity_of_held_replicas_and_gives_them_back() {
    let scene = Scene::set("capacity-run").await;
    let folder = std::env::temp_dir().join(format!("vas-capacity-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let report = folder.join("capacity.json");
    let output = format!("--output=json={}", report.display());
    // The precision is low, because another test is about precision.
    let more = [
        "--start-rate=80",
        "--precision=30",
        "--step=5s",
        "--warm-up=1s",
        &output,
    ];
    // A busy machine may starve the generator in one run; a wrong capacity is found in all runs.
    let mut seen = Vec::new();
    for _ in 0..RUNS {
        let mut test = scene.holding(&more).await;
        let status = test.wait(Duration::from_secs(180)).await;
        scene.given_back().await;
        let found: Value =
            serde_json::from_slice(&std::fs::read(&report).unwrap_or_default()).unwrap_or_default();
        let point = &found["points"][0];
        if status.code() == Some(0)
            && point["capacity"]
                .as_f64()
                .is_some_and(|one| (77.0..=100.0).contains(&one))
        {
            std::fs::remove_dir_all(&folder).unwrap();
            assert_eq!(found["schema_version"], 1);
            assert_eq!(point["replicas"], 3);
            assert!(
                found["no_scalability"].as_str().unwrap().contains("at least 3"),
                "{found}"
            );
            assert!(test.log().contains("Suggested HPA target"), "{}", test.log());
            return;
        }
        seen.push(format!("{status}, {}: {}", point["capacity"], test.log()));
    }
    panic!(
        "in none of {RUNS} runs a capacity between 77 and 100/s: {}",
        seen.join("\n")
    );
}

#[tokio::test]
async fn a_second_test_is_refused_and_sigint_gives_everything_back() {
    let scene = Scene::set("capacity-int").await;
    let mut test = scene.holding(&[]).await;
    let arguments = scene.arguments(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let second = vas::run(&arguments);
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(4), "{words}");
    assert!(
        words.contains(&format!("held by the capacity test vas_{}-", test.id())),
        "{words}"
    );
    test.signal(Signal::Interrupt);
    let status = test.wait(SOON).await;
    assert_eq!(status.code(), Some(130), "{}", test.log());
    scene.given_back().await;
}

#[tokio::test]
async fn a_killed_test_gives_everything_back() {
    let scene = Scene::set("capacity-kill").await;
    let mut test = scene.holding(&[]).await;
    test.signal(Signal::Kill);
    test.wait(SOON).await;
    scene.given_back().await;
}

/// The child processes of a process.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let numbers = processes.filter_map(|one| one.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |number: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        // State and parent follow the name of the process, which ends with the last parenthesis.
        let after = stat.rsplit(')').next().unwrap_or_default();
        after.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    numbers.filter(is_child).collect()
}

#[tokio::test]
async fn scaling_goes_on_by_itself_when_a_test_is_gone_with_its_machine() {
    let scene = Scene::set("capacity-machine").await;
    let mut test = scene.holding(&["--hold=20s"]).await;
    let until = || scene.scaling().pointer(SUSPENSION).cloned().unwrap_or_default();
    let first = until();
    eventually(SOON, "the hold is renewed", || async {
        if until() == first { Err(until()) } else { Ok(()) }
    })
    .await;
    let hpa = scene.operated.get("hpa", "voice-api").unwrap();
    assert_eq!(hpa.pointer(POLICY), Some(&json!("Disabled")));
    let message = scene
        .operated
        .condition("voice", "Ready", "True", "Suspended")
        .await;
    assert!(
        message.contains("api until") && message.contains("capacity test vas_"),
        "{message}"
    );

    let guardians = children(test.id());
    assert_eq!(guardians.len(), 1, "{guardians:?}");
    let killed = Command::new("kill")
        .args(["-KILL", &guardians[0].to_string()])
        .status();
    assert!(killed.unwrap().success());
    test.signal(Signal::Kill);
    test.wait(SOON).await;
    scene
        .operated
        .field_becomes("hpa", "voice-api", POLICY, json!("Max"))
        .await;
    scene.operated.condition("voice", "Ready", "True", "Ready").await;
    assert!(
        scene.scaling().pointer(RECORD).is_some(),
        "nobody was left to remove it"
    );

    // What is left of the first test confuses neither a second test nor a restore.
    let mut second = scene.holding(&[]).await;
    second.signal(Signal::Interrupt);
    assert_eq!(second.wait(SOON).await.code(), Some(130), "{}", second.log());
    let left = json!({"holder": "gone", "since": "2026-11-26T12:00:00Z", "workload": "api", "replicas": 5,
        "suspendedBy": "Annotation", "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}});
    let namespace = &scene.operated.namespace;
    let left = json!({"scaling.voiceassist.io/capacity-test": left.to_string()});
    namespace.annotate("voiceassistscaling", "voice", &left);
    let (code, said) = scene.command(&["test", "restore"]);
    assert!(
        code == Some(0) && said.contains("had gone on by itself"),
        "{said}"
    );
    assert_ne!(scene.operated.replicas("api"), 5, "replicas are left to the HPA");
    assert_eq!(scene.scaling().pointer(RECORD), None);
}

#[tokio::test]
async fn a_test_and_a_person_do_not_undo_what_the_other_holds() {
    let scene = Scene::set("capacity-incident").await;
    let mut test = scene.holding(&[]).await;
    let (code, said) = scene.command(&["suspend", "--reason=incident 4711"]);
    assert!(code == Some(0) && said.contains("(incident 4711)"), "{said}");
    test.signal(Signal::Interrupt);
    assert_eq!(test.wait(SOON).await.code(), Some(130), "{}", test.log());
    scene.given_back().await;
    let message = scene
        .operated
        .condition("voice", "Ready", "True", "Suspended")
        .await;
    assert!(message.contains("(incident 4711)"), "{message}");
    let hpa = scene.operated.get("hpa", "voice-api").unwrap();
    assert_eq!(hpa.pointer(POLICY), Some(&json!("Disabled")));

    let arguments = scene.arguments(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let refused = vas::run(&arguments);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{words}");
    assert!(words.contains("(incident 4711)"), "{words}");
    scene.given_back().await;
}

#[tokio::test]
async fn what_is_left_of_a_test_of_an_earlier_version_is_restored_by_hand_and_once_only() {
    let scene = Scene::set("capacity-restore").await;
    let left = json!({"holder": "gone", "since": "2026-11-26T12:00:00Z", "workload": "api", "replicas": 2,
        "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}});
    let workload = {
        let scaling = scene.operated.get("voiceassistscaling", "voice").unwrap();
        let mut workload = scaling["spec"]["workloads"][0].clone();
        workload["suspend"] = json!(true);
        workload
    };
    let patch = json!({"metadata": {"annotations": {"scaling.voiceassist.io/capacity-test": left.to_string()}},
        "spec": {"workloads": [workload]}});
    let namespace = &scene.operated.namespace;
    namespace.patch("voiceassistscaling", "voice", &patch);
    namespace.scale("api", 4);
    let kubeconfig = format!("--kubeconfig={}", scene.operated.cluster.kubeconfig().display());
    for words in ["has its 2 replicas", "nothing to put back"] {
        let restore = vas::run(&["test", "restore", "voice", "-n", namespace.name(), &kubeconfig]);
        let said = String::from_utf8_lossy(&restore.stderr).into_owned();
        assert!(restore.status.success() && said.contains(words), "{said}");
    }
    scene.given_back().await;
}

#[tokio::test]
async fn production_and_counts_outside_the_bounds_are_refused_before_anything_is_changed() {
    let scene = Scene::set("capacity-refused").await;
    let refused = |more: &[&str], expected: &str| {
        let arguments = scene.arguments(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = vas::run(&arguments);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{words}");
        assert!(words.contains(expected), "{words}");
    };
    refused(&["--replicas=7"], "maxReplicas 5");
    scene
        .operated
        .namespace
        .label(&json!({"environment": "production"}));
    refused(&[], "--allow-production");
    scene.given_back().await;
}
