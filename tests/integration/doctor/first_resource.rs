//! `vas init` on a real installation: what it writes passes `vas validate`, and becomes Ready.

use std::{path::Path, process::Output, time::Duration};

use support::{api::condition, cluster::run_dir, eventually, vas};

use super::installation::{Installation, NAMESPACE, healthy};

/// Time in which a new workload has rates, an HPA and its first sync.
const PATIENCE: Duration = Duration::from_secs(240);

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: app, image: voiceassist/web, resources: {requests: {cpu: 100m}}}
";

/// Runs `vas init` in the namespace of the installation.
fn init(installation: &Installation, args: &[&str]) -> Output {
    let mut all = vec!["init", "-n", NAMESPACE];
    all.extend_from_slice(args);
    vas::administer(&installation.cluster, &all)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Exports a counter of requests for each pod of the Deployment, and waits until Prometheus has a rate.
async fn counted(installation: &Installation, url: &str) -> String {
    eventually(PATIENCE, "vas init proposes a target for the counter", || async {
        let pods = installation.cluster.objects(NAMESPACE, "pods", "app=web");
        for pod in &pods {
            let pod = pod["metadata"]["name"].as_str().expect("pods have names");
            let labels = [("namespace", NAMESPACE), ("pod", pod), ("code", "200")];
            installation
                .exporter
                .count("web_http_requests_total", &labels, 20.0);
            installation.exporter.set("web_queue_depth", &labels[..2], 3.0);
        }
        let output = init(installation, &["deployment/web", url]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if pods.len() == 2 && text.contains("counter: web_http_requests_total\n") {
            Ok(text)
        } else {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Err(format!("{} pods; {text}{}", pods.len(), stderr(&output)))
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_for_a_deployment_passes_validate_and_becomes_ready() {
    let doctored = healthy().await;
    doctored.apply(DEPLOYMENT);
    let url = format!("--prometheus-url={}", doctored.prometheus.url());
    let text = counted(&doctored, &url).await;
    for part in [
        "# requests: web_http_requests_total, by its name and its labels code; target ",
        "the most of the last hour for each of the pods that run now",
        "minReplicas: 2\n",
        "maxReplicas: 6\n",
        "averageUtilization: 70\n",
        "# - {name: queue-depth, queueDepth: {gauge: web_queue_depth,",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }

    let file = run_dir().join("first-resource.yaml");
    let _ = std::fs::remove_file(&file);
    let name = file.display().to_string();
    let written = init(&doctored, &["deploy/web", &url, "-o", &name]);
    assert!(written.status.success(), "{}", stderr(&written));
    let again = init(&doctored, &["deploy/web", &url, "-o", &name]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("exists already; --force writes over it"),
        "{}",
        stderr(&again)
    );
    assert!(
        init(&doctored, &["deploy/web", &url, "-o", &name, "--force"])
            .status
            .success()
    );
    let checked = vas::run(&["validate", "--strict", &name]);
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );

    becomes_ready(&doctored, &file).await;
    let taken = init(&doctored, &["deployment/web", &url]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(
        stderr(&taken).contains("HorizontalPodAutoscaler web-web scales Deployment web already"),
        "{}",
        stderr(&taken)
    );
    doctored.delete("vas", "web");
    doctored.delete("deployment", "web");
    doctored.becomes_healthy().await;
}

async fn becomes_ready(installation: &Installation, file: &Path) {
    installation.apply(&std::fs::read_to_string(file).unwrap());
    eventually(
        PATIENCE,
        "the resource is Ready and its columns are filled",
        || async {
            let resource = installation
                .cluster
                .object(NAMESPACE, "vas", "web")
                .unwrap_or_default();
            let status = &resource["status"];
            let columns = [
                &status["minReplicas"],
                &status["maxReplicas"],
                &status["replicas"],
            ];
            let ready = condition(&resource, "Ready");
            if ready.starts_with("True ") && columns == ["2", "6", "2"] {
                Ok(())
            } else {
                Err(format!("{ready} {columns:?}"))
            }
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_with_its_fix() {
    let doctored = healthy().await;
    let unreachable = "--prometheus-url=http://127.0.0.1:9";
    for (target, words) in [
        (
            "deployment/nowhere",
            "does not exist; kubectl get deployments -n doctored lists",
        ),
        ("daemonset/x", "DaemonSet has no scale subresource"),
        ("gadget/x", "the cluster serves no kind gadget"),
    ] {
        let output = init(&doctored, &[target, unreachable]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    assert_eq!(init(&doctored, &["web"]).status.code(), Some(2), "no kind");

    doctored.apply(&DEPLOYMENT.replace(", resources: {requests: {cpu: 100m}}", ""));
    let refused = init(&doctored, &["deployment/web", unreachable]);
    assert_eq!(refused.status.code(), Some(1));
    let words = stderr(&refused);
    assert!(
        words.contains("no container requests cpu (app)") && words.contains("no metric from Prometheus"),
        "{words}"
    );
    doctored.apply(DEPLOYMENT);
    eventually(PATIENCE, "CPU alone is proposed, and why", || async {
        let output = init(&doctored, &["deployment/web", unreachable]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.contains("# requests: no metric from Prometheus: Prometheus at --prometheus-url: ") {
            Ok(())
        } else {
            Err(text + &stderr(&output))
        }
    })
    .await;
    doctored.delete("deployment", "web");
    doctored.becomes_healthy().await;
}
