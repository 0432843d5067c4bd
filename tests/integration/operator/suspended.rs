//! Scaling that an annotation suspends: the suspension outlives an apply of the same file, triggers a
//! reconcile, and ends by itself.

use serde_json::{Value, json};

use super::fixture::{Operated, deployment, resource, workload};
use support::vas;

const POLICY: &str = "/spec/behavior/scaleDown/selectPolicy";
const STATUS: &str = "/status/suspended";

/// Two workloads whose HPAs the operator has written, and the file that was applied.
async fn two_workloads(name: &str) -> (Operated<'static>, Value) {
    let operated = Operated::start(name);
    for target in ["api", "worker"] {
        operated.namespace.apply(&deployment(target, 2));
    }
    let file = resource("voice", &[workload("api"), workload("worker")]);
    operated.namespace.apply(&file.to_string());
    for hpa in ["voice-api", "voice-worker"] {
        operated.field_becomes("hpa", hpa, POLICY, json!("Max")).await;
    }
    (operated, file)
}

/// Runs a command on the resource. Returns its exit code and all of its output.
fn command(operated: &Operated<'_>, words: &[&str]) -> (Option<i32>, String) {
    let kubeconfig = format!("--kubeconfig={}", operated.cluster.kubeconfig().display());
    let mut arguments = words.to_vec();
    arguments.extend(["voice", "-n", operated.namespace.name(), &kubeconfig]);
    let output = vas::run(&arguments);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn annotate(operated: &Operated<'_>, text: &str) {
    let annotation = json!({"scaling.voiceassist.io/suspend": text});
    operated
        .namespace
        .annotate("voiceassistscaling", "voice", &annotation);
}

#[tokio::test]
async fn a_suspended_workload_stays_so_when_the_same_file_is_applied_again() {
    let (operated, file) = two_workloads("suspend-apply").await;
    let (code, said) = command(
        &operated,
        &["suspend", "--workload=api", "--reason=incident 4711"],
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("suspended: api until resumed"), "{said}");
    // The command has waited for the operator.
    let hpa = operated.get("hpa", "voice-api").unwrap();
    assert_eq!(hpa.pointer(POLICY), Some(&json!("Disabled")));

    operated.namespace.apply(&file.to_string());
    let mut changed = file.clone();
    changed["spec"]["workloads"][0]["maxReplicas"] = json!(7);
    operated.namespace.apply(&changed.to_string());
    operated
        .field_becomes("hpa", "voice-api", "/spec/maxReplicas", json!(7))
        .await;
    for (hpa, policy) in [("voice-api", "Disabled"), ("voice-worker", "Max")] {
        let hpa = operated.get("hpa", hpa).unwrap();
        assert_eq!(hpa.pointer(POLICY), Some(&json!(policy)), "{hpa}");
    }
    let message = operated.condition("voice", "Ready", "True", "Suspended").await;
    assert!(message.contains("(incident 4711)"), "{message}");
    assert_eq!(
        operated.event("voice", "Suspended").await,
        format!("Suspended: {}", &message["suspended: ".len()..])
    );
    let table = operated
        .namespace
        .kubectl(&["get", "voiceassistscaling", "voice"]);
    assert!(table.contains("SUSPENDED") && table.contains(" api "), "{table}");

    let (code, said) = command(&operated, &["resume"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("resumed; nothing is suspended"), "{said}");
    operated
        .field_becomes("hpa", "voice-api", POLICY, json!("Max"))
        .await;
    operated.event("voice", "Resumed").await;
}

#[tokio::test]
async fn scaling_goes_on_by_itself_when_the_time_is_over() {
    let (operated, _) = two_workloads("suspend-until").await;
    let (code, said) = command(&operated, &["suspend", "--for=15s"]);
    assert_eq!(code, Some(0), "{said}");
    let hpa = operated.get("hpa", "voice-worker").unwrap();
    assert_eq!(hpa.pointer(POLICY), Some(&json!("Disabled")));
    // Nothing is written from here on, and the resync period is half an hour.
    for hpa in ["voice-api", "voice-worker"] {
        operated.field_becomes("hpa", hpa, POLICY, json!("Max")).await;
    }
    operated.condition("voice", "Ready", "True", "Ready").await;
    operated
        .field_becomes("voiceassistscaling", "voice", STATUS, json!(null))
        .await;
}

#[tokio::test]
async fn what_cannot_be_read_suspends_all_and_is_quoted() {
    let (operated, _) = two_workloads("suspend-odd").await;
    annotate(&operated, "worklods=api");
    operated
        .field_becomes("hpa", "voice-worker", POLICY, json!("Disabled"))
        .await;
    let message = operated
        .condition("voice", "Suspended", "True", "SuspensionUnreadable")
        .await;
    assert!(message.contains("\"worklods=api\""), "{message}");
    annotate(&operated, "workloads=api");
    operated
        .field_becomes("hpa", "voice-worker", POLICY, json!("Max"))
        .await;
    operated
        .field_becomes("voiceassistscaling", "voice", STATUS, json!("api"))
        .await;
}

#[tokio::test]
async fn nobody_overwrites_what_another_holds() {
    let (operated, _) = two_workloads("suspend-two").await;
    let expect = |words: &[&str], code: i32, part: &str| {
        let (found, said) = command(&operated, words);
        assert_eq!(found, Some(code), "{words:?}: {said}");
        assert!(said.contains(part), "{words:?}: {said}");
    };
    expect(
        &["suspend", "--workload=api", "--for=1h"],
        0,
        "suspended: api until 2",
    );
    expect(&["suspend", "--workload=worker"], 1, "--overwrite");
    expect(&["suspend", "--workload=wroker"], 2, "it has api, worker");
    expect(&["suspend", "--holder=capacity-test"], 2, "choose another name");
    expect(&["suspend", "--until=2020-01-01T00:00:00Z"], 2, "is over");
    expect(
        &["suspend", "--holder=ben", "--workload=api,worker"],
        0,
        "suspend.ben",
    );
    expect(
        &["resume", "--dry-run"],
        0,
        "resumed (server dry run); suspended: api,worker",
    );
    expect(&["resume"], 0, "resumed; suspended: api,worker");
    let hpa = operated.get("hpa", "voice-api").unwrap();
    assert_eq!(hpa.pointer(POLICY), Some(&json!("Disabled")));
    expect(
        &["resume", "--holder=ben", "--workload=api"],
        0,
        "resumed; suspended: worker",
    );
    operated
        .field_becomes("hpa", "voice-api", POLICY, json!("Max"))
        .await;
    let elsewhere = format!("--namespace={}", operated.namespace.name());
    let kubeconfig = format!("--kubeconfig={}", operated.cluster.kubeconfig().display());
    let output = vas::run(&["suspend", "vocie", &elsewhere, &kubeconfig]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("there is no VoiceAssistScaling vocie in namespace"),
        "{said}"
    );
}

#[tokio::test]
async fn a_suspension_that_nobody_acts_on_is_said() {
    let (operated, _) = two_workloads("suspend-alone").await;
    let Operated {
        cluster,
        namespace,
        operator,
    } = operated;
    assert!(operator.stop(super::fixture::SOON).await.success());
    let kubeconfig = format!("--kubeconfig={}", cluster.kubeconfig().display());
    let output = vas::run(&[
        "suspend",
        "voice",
        "-n",
        namespace.name(),
        &kubeconfig,
        "--timeout=1s",
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no effect within 1 s"), "{said}");
}

#[tokio::test]
async fn a_workload_that_stays_frozen_because_its_spec_breaks_a_rule_is_not_said_to_be_resumed() {
    let (operated, file) = two_workloads("suspend-broken").await;
    let (code, said) = command(&operated, &["suspend", "--workload=api"]);
    assert_eq!(code, Some(0), "{said}");
    let mut broken = file.clone();
    let metric = json!({"name": "rate", "prometheus": {"query": "sum(", "target": {"value": "50"}}});
    broken["spec"]["workloads"][0]["metrics"] = json!([metric]);
    operated.namespace.apply(&broken.to_string());
    operated.condition("voice", "SpecValid", "False", "Invalid").await;
    let (code, said) = command(&operated, &["resume", "--timeout=3s"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("voice-api follows no metric until the spec of workload api") && said.contains("sum("),
        "{said}"
    );
    operated.namespace.apply(&file.to_string());
    operated
        .field_becomes("hpa", "voice-api", POLICY, json!("Max"))
        .await;
}
