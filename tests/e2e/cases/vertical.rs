//! A VPA that vas wrote, with the VPA project's own programs: in `Off` it recommends, in `Initial` a new pod begins with what is
//! recommended, in `InPlaceOrRecreate` a running pod is resized; and the HPA beside it stays where it is.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{
    certificate::Certificate,
    cluster::{bin, run_dir},
    eventually,
};

use crate::{
    images,
    stage::{NAMESPACE, OVERLAY, Stage},
};

const WORKER: &str = "worker";
const PROGRAMS: [&str; 3] = ["vpa-recommender", "vpa-updater", "vpa-admission-controller"];
const VPA: &str = include_str!("../objects/vpa.yaml");
const VPA_CRD: &str = "verticalpodautoscalers.autoscaling.k8s.io";
const WEBHOOK: &str = "mutatingwebhookconfiguration/vpa-webhook-config";
const SYSTEM: &str = "kube-system";
/// What the Deployment asks for, and what production allows at least.
const ASKED: &str = "64Mi";
const LEAST: &str = "128Mi";
/// Longest time for metrics-server to see a new pod twice, and the recommender, the updater and the kubelet to do their part.
const DONE: Duration = Duration::from_secs(240);
/// Some syncs of the HPA controller, and as many rounds of the updater.
const WATCHED: Duration = Duration::from_secs(25);

/// Each mode in turn, for the worker, which may not scale on memory then.
pub(crate) async fn off_initial_and_in_place(stage: &Stage) -> String {
    stage.at_rest().await;
    install(stage).await;
    let began = Instant::now();
    let recommended = eventually(DONE, "a recommendation for the worker", || async {
        let vpa = stage.get(NAMESPACE, "vpa/voiceassist-worker");
        let target = &vpa["status"]["recommendation"]["containerRecommendations"][0]["target"]["memory"];
        target.as_str().map(str::to_owned).ok_or_else(|| vpa.to_string())
    })
    .await;
    let took = began.elapsed();
    assert_eq!(recommended, LEAST, "a pod that holds less than production allows");
    let pod = new_pod(stage).await;
    assert_eq!(asked(&pod), ASKED, "Off changes nothing");

    set_mode(stage, "Initial");
    let pod = new_pod(stage).await;
    assert_eq!(asked(&pod), LEAST, "a pod that is new in Initial");

    set_mode(stage, "Off");
    let pod = new_pod(stage).await;
    assert_eq!(asked(&pod), ASKED, "a pod that is new in Off");
    let began = Instant::now();
    set_mode(stage, "InPlaceOrRecreate");
    let resized = eventually(DONE, "the running pod is resized", || async {
        let pod = the_pod(stage)?;
        let now = &pod["status"]["containerStatuses"][0]["resources"]["requests"]["memory"];
        (now == LEAST)
            .then_some(pod.clone())
            .ok_or_else(|| pod.to_string())
    })
    .await;
    let resized_in = began.elapsed();
    assert_eq!(
        resized["metadata"]["uid"], pod["metadata"]["uid"],
        "in place: the same pod"
    );
    let restarts = &resized["status"]["containerStatuses"][0]["restartCount"];
    assert_eq!(restarts, 0, "without a restart");
    tokio::time::sleep(WATCHED).await;
    stage.replicas.assert_steps(WORKER, began, 0, 0);
    uninstall(stage);
    stage.scaled_to_the_fewest().await;
    format!(
        "Off: {LEAST} recommended after {:.0} s; Initial: a new pod has it; InPlaceOrRecreate: resized in {:.0} s without a \
         restart, replicas {}",
        took.as_secs_f64(),
        resized_in.as_secs_f64(),
        stage.replicas.course(WORKER, began)
    )
}

async fn install(stage: &Stage) {
    let cluster = &stage.cluster;
    let archives = PROGRAMS.map(|program| images::archive(&format!("vas.test/{program}:1"), &bin(program)));
    cluster.load(&archives);
    let crd = bin("vpa-crd.yaml");
    let crd = crd.to_string_lossy();
    cluster.kubectl_ok(&["apply", "--server-side", "-f", &crd], None);
    let crd = format!("crd/{VPA_CRD}");
    cluster.kubectl_ok(&["wait", "--for=condition=Established", &crd], None);
    let certificate = Certificate::issue(&run_dir().join("vpa"), vec![format!("vpa-webhook.{SYSTEM}.svc")]);
    let folder = format!("--from-file={}", certificate.dir.display());
    let secret = [
        "-n",
        SYSTEM,
        "create",
        "secret",
        "generic",
        "vpa-certificate",
        &folder,
    ];
    cluster.kubectl_ok(&secret, None);
    cluster.apply("", VPA);
    for program in PROGRAMS {
        stage.rolled_out(SYSTEM, program);
    }
    // Ten seconds after its start.
    eventually(DONE, "the admission controller is asked", || async {
        let webhook = stage.get("default", WEBHOOK);
        webhook.is_object().then_some(()).ok_or("no webhook")
    })
    .await;
}

/// Takes all of it away, and gives the worker back what it scales on.
fn uninstall(stage: &Stage) {
    let cluster = &stage.cluster;
    cluster.kubectl_ok(&["apply", "-k", OVERLAY], None);
    cluster.kubectl_ok(&["delete", "-f", "-"], Some(VPA));
    cluster.kubectl_ok(&["-n", SYSTEM, "delete", "secret", "vpa-certificate"], None);
    cluster.kubectl_ok(&["delete", WEBHOOK], None);
    cluster.kubectl_ok(&["delete", "crd", VPA_CRD], None);
}

/// Sets the mode of the worker's VPA, and waits until vas has written it.
fn set_mode(stage: &Stage, mode: &str) {
    let resource = "voiceassistscaling/voiceassist";
    let workloads = stage.get(NAMESPACE, resource)["spec"]["workloads"].clone();
    let workloads = workloads.as_array().expect("workloads").iter();
    let workload = workloads.clone().position(|workload| workload["name"] == WORKER);
    let workload = workload.expect("the worker");
    let place = format!("/spec/workloads/{workload}");
    let metrics = workloads.collect::<Vec<_>>()[workload]["metrics"].clone();
    let metrics = metrics.as_array().into_iter().flatten();
    let metrics: Vec<&Value> = metrics.filter(|metric| metric["name"] != "memory").collect();
    let patch = json!([
        {"op": "replace", "path": format!("{place}/metrics"), "value": metrics},
        {"op": "replace", "path": format!("{place}/vertical/updateMode"), "value": mode},
    ]);
    let patch = patch.to_string();
    let cluster = &stage.cluster;
    let args = ["-n", NAMESPACE, "patch", resource, "--type=json", "-p", &patch];
    cluster.kubectl_ok(&args, None);
    let wait = format!("--for=jsonpath={{.spec.updatePolicy.updateMode}}={mode}");
    let args = [
        "-n",
        NAMESPACE,
        "wait",
        &wait,
        "vpa/voiceassist-worker",
        "--timeout=60s",
    ];
    cluster.kubectl_ok(&args, None);
}

/// Deletes the worker's pod, and waits for the one that takes its place.
async fn new_pod(stage: &Stage) -> Value {
    let delete = ["-n", NAMESPACE, "delete", "pod", "-l", "app=worker"];
    tokio::task::block_in_place(|| {
        // The admission controller reads VPAs from a cache, which is behind by no more than a watch is.
        stage.cluster.kubectl_ok(&delete, None);
        stage.rolled_out(NAMESPACE, WORKER);
    });
    eventually(DONE, "one worker", || async { the_pod(stage) }).await
}

/// The worker's only pod, which is Ready.
fn the_pod(stage: &Stage) -> Result<Value, String> {
    let pods = stage.cluster.objects(NAMESPACE, "pod", "app=worker");
    match pods.as_slice() {
        [pod] if pod["status"]["containerStatuses"][0]["ready"] == true => Ok(pod.clone()),
        pods => Err(format!("{pods:?}")),
    }
}

fn asked(pod: &Value) -> &str {
    let request = &pod["spec"]["containers"][0]["resources"]["requests"]["memory"];
    request.as_str().unwrap_or_default()
}
