//! `vas test` on a schedule, as `manifests/load-tests` ships it, in the cluster.

use std::time::Duration;

use serde_json::Value;
use support::cluster::run_dir;

use crate::stage::{NAMESPACE, Stage};

const LOAD_TESTS: &str = "vas-load-tests";
/// In a folder of this run, from where the checkout is five folders up. The pods of the tests have one path alone, so the scenario for any service takes the place of `VoiceAssist`'s.
const KUSTOMIZATION: &str = "\
resources: [../../../../../manifests/load-tests]
configMapGenerator:
- {name: load-test-target, namespace: vas-load-tests, behavior: merge, literals: [url=URL]}
patches:
- target: {kind: CronJob, name: load-test-smoke}
  patch: |-
    - {op: replace, path: /spec/schedule, value: \"* * * * *\"}
    - {op: replace, path: /spec/jobTemplate/spec/template/spec/containers/0/args/2, value: http-smoke}
    - {op: add, path: /spec/jobTemplate/spec/template/spec/containers/0/args/-, value: --path=/work}
";

/// The smoke test starts by its schedule and passes; its report is the pod's log.
pub(crate) async fn smoke_passes(stage: &Stage) -> String {
    let folder = run_dir().join("load-tests");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = KUSTOMIZATION.replace("URL", &format!("http://api-gateway.{NAMESPACE}"));
    std::fs::write(folder.join("kustomization.yaml"), text).expect("a kustomization");
    let folder = folder.display().to_string();
    let cluster = &stage.cluster;
    cluster.kubectl_ok(&["apply", "-k", &folder], None);
    let job = support::eventually(
        Duration::from_secs(240),
        "a Job of the schedule has ended",
        || async {
            let list = cluster.kubectl_ok(&["-n", LOAD_TESTS, "get", "jobs", "-o", "json"], None);
            let list: Value = serde_json::from_str(&list).expect("a list");
            let jobs = list["items"].as_array().into_iter().flatten();
            let mut ended = jobs.filter(|job| is_scheduled(job) && ends(job).is_some());
            ended.next().cloned().ok_or_else(|| list.to_string())
        },
    )
    .await;
    let name = job["metadata"]["name"]
        .as_str()
        .expect("a Job has a name")
        .to_owned();
    let name = format!("job/{name}");
    let log = cluster.kubectl_ok(&["-n", LOAD_TESTS, "logs", &name], None);
    cluster.kubectl_ok(&["delete", "-k", &folder, "--timeout=180s"], None);
    assert_eq!(ends(&job), Some("Complete"), "{log}");
    let verdict = log.lines().find(|line| line.starts_with("PASS"));
    verdict
        .unwrap_or_else(|| panic!("no verdict in the log:\n{log}"))
        .to_owned()
}

/// Whether the CronJob made it: somebody may have sent a load from pods in the same namespace.
fn is_scheduled(job: &Value) -> bool {
    job["metadata"]["ownerReferences"][0]["name"] == "load-test-smoke"
}

/// The condition with which a Job has ended.
fn ends(job: &Value) -> Option<&str> {
    let conditions = job["status"]["conditions"].as_array().into_iter().flatten();
    let mut types = conditions.filter_map(|condition| condition["type"].as_str());
    types.find(|kind| ["Complete", "Failed"].contains(kind))
}
