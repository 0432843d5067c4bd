//! Reads that no resource describes, handed on to another adapter: here a second metrics server of ours, which
//! reviews tokens and rights as every adapter does. It watches the namespaces `theirs` and `ours`; the server
//! in front of it watches `ours` alone.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::Value;

use super::{
    elsewhere::Elsewhere,
    stack::{POLLED_OFTEN, Stack, apply_resource, stack},
};
use support::{
    Cluster,
    cluster::{root, run_dir},
    eventually,
    namespace::Namespace,
    process::{Process, free_port},
    vas,
};

const PATIENCE: Duration = Duration::from_secs(90);
const SPEC: &str = "
workloads:
- name: worker
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - name: depth
    queueDepth: {gauge: fallback_depth, target: {averageValue: '50'}}
  - name: age
    external: true
    queueAge: {gauge: fallback_age, target: {value: '60'}}
";

/// The other adapter, and two namespaces with a resource.
struct Two {
    stack: &'static Stack,
    ours: Namespace<'static>,
    theirs: Namespace<'static>,
    /// Its certificate, which is its own CA.
    ca: PathBuf,
    key: PathBuf,
    port: u16,
    /// The folder of the files.
    folder: PathBuf,
    adapter: Process,
}

impl Two {
    async fn start(name: &str) -> Self {
        let stack = stack().await;
        let ours = Namespace::create(stack.cluster, "fallback-ours");
        let theirs = Namespace::create(stack.cluster, "fallback-theirs");
        for namespace in [&ours, &theirs] {
            apply_resource(namespace, "voiceassist", SPEC);
        }
        for (namespace, depth) in [(&ours, 12.0), (&theirs, 7.0)] {
            let labels = [("namespace", namespace.name())];
            stack.exporter.set("fallback_depth", &labels, depth);
            stack.exporter.set("fallback_age", &labels, depth + 1.0);
        }
        let folder = run_dir().join(format!("fallback-{name}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let (ca, key) = (folder.join("ca.crt"), folder.join("tls.key"));
        std::fs::write(&ca, issued.cert.pem()).expect("a file");
        std::fs::write(&key, issued.signing_key.serialize_pem()).expect("a file");
        let port = free_port();
        let adapter = adapter(stack, [&ours, &theirs], (&ca, &key), port);
        grant(stack.cluster);
        Self {
            stack,
            ours,
            theirs,
            ca,
            key,
            port,
            folder,
            adapter,
        }
    }

    /// The flags of a server that hands on to the adapter.
    fn flags(&self, prometheus: &str, ca: &Path) -> Vec<String> {
        vec![
            format!("--watch-namespace={}", self.ours.name()),
            format!("--prometheus-url={prometheus}"),
            format!("--fallback-custom=localhost:{}", self.port),
            format!("--fallback-external=localhost:{}", self.port),
            format!("--fallback-ca-file={}", ca.display()),
        ]
    }
}

fn adapter(stack: &Stack, namespaces: [&Namespace<'_>; 2], (ca, key): (&Path, &Path), port: u16) -> Process {
    let watched = namespaces.map(Namespace::name).join(",");
    let args = [
        "metrics-server".to_owned(),
        format!("--kubeconfig={}", stack.cluster.kubeconfig().display()),
        format!("--prometheus-url={}", stack.prometheus.url()),
        format!("--watch-namespace={watched}"),
        "--service-namespace=vas-system".to_owned(),
        // The shared server holds this Lease, and reports.
        "--leader-elect-resource-namespace=vas-system".to_owned(),
        format!("--tls-cert-file={}", ca.display()),
        format!("--tls-private-key-file={}", key.display()),
        format!("--secure-port={port}"),
        format!("--metrics-bind-address=127.0.0.1:{}", free_port()),
        POLLED_OFTEN.to_owned(),
    ];
    vas::start("the-other-adapter", &args, &[])
}

/// The rights of the component.
fn grant(cluster: &Cluster) {
    let rbac = root().join("manifests/install/components/fallback/rbac.yaml");
    cluster.kubectl_ok(&["apply", "--server-side", "-f", &rbac.to_string_lossy()], None);
}

fn custom(namespace: &str, metric: &str) -> String {
    format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/deployments.apps/worker/{metric}")
}

fn external(namespace: &str, metric: &str) -> String {
    format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{metric}")
}

/// Waits for the value of a read.
async fn reads(server: &Elsewhere, path: &str, value: &str) {
    eventually(PATIENCE, &format!("{path} is {value}"), || async {
        match server.get(path).await {
            (StatusCode::OK, list) if list["items"][0]["value"] == value => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// Waits for an error with these words.
async fn refuses(server: &Elsewhere, path: &str, status: StatusCode, words: &str) {
    eventually(PATIENCE, &format!("{path} fails with {words:?}"), || async {
        match server.get(path).await {
            (answered, error) if answered == status && message(&error).contains(words) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

fn message(error: &Value) -> &str {
    error["message"].as_str().unwrap_or_default()
}

const HANDED_ON: [&str; 2] = ["custom.metrics.k8s.io", "external.metrics.k8s.io"];

/// How many reads were handed on with this status, in both groups.
async fn handed_on(server: &Elsewhere, code: u16) -> f64 {
    let mut sum = 0.0;
    for group in HANDED_ON {
        let name = format!("vas_metrics_server_fallback_requests_total{{group=\"{group}\",code=\"{code}\"}}");
        sum += server.metric(&name).await.unwrap_or(0.0);
    }
    sum
}

#[tokio::test]
async fn what_no_resource_describes_is_handed_on_and_what_one_describes_never_is() {
    let two = Two::start("described").await;
    // Nobody listens there, so no metric of ours has a value, while the adapter has one for each.
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let mut args = two.flags(&nowhere, &two.ca);
    let account = two
        .stack
        .cluster
        .service_account_kubeconfig("vas-system", "vas-metrics-server");
    args.push(format!("--kubeconfig={}", account.display()));
    let server = Elsewhere::start(two.stack, "hands-on", &args).await;
    let (ours, theirs) = (two.ours.name(), two.theirs.name());

    reads(&server, &custom(theirs, "depth"), "7").await;
    reads(&server, &external(theirs, "age"), "8").await;
    let answered = handed_on(&server, 200).await;
    assert!(answered >= 2.0, "{answered} reads were handed on");

    refuses(
        &server,
        &custom(ours, "depth"),
        StatusCode::SERVICE_UNAVAILABLE,
        &format!("metric depth of {ours}/voiceassist (workload worker): "),
    )
    .await;
    let metric_of_namespace = format!("/apis/custom.metrics.k8s.io/v1beta1/namespaces/{ours}/metrics/depth");
    refuses(
        &server,
        &metric_of_namespace,
        StatusCode::SERVICE_UNAVAILABLE,
        "metric depth of",
    )
    .await;
    refuses(
        &server,
        &external(ours, "age"),
        StatusCode::SERVICE_UNAVAILABLE,
        "metric age of",
    )
    .await;
    apply_resource(&two.ours, "second", &SPEC.replace("name: worker", "name: other"));
    refuses(
        &server,
        &external(ours, "age"),
        StatusCode::BAD_REQUEST,
        "is ambiguous",
    )
    .await;

    // A name counts in its own API group, and the adapter's words come through.
    let says = format!(
        "no VoiceAssistScaling describes this metric, and localhost:{} answers: ",
        two.port
    );
    for path in [
        external(ours, "depth"),
        custom(ours, "age"),
        custom(theirs, "nothing"),
        "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load".to_owned(),
    ] {
        let (status, error) = server.get(&path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {error}");
        assert!(message(&error).starts_with(&says), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_reader_is_authorized_before_anything_is_handed_on() {
    let two = Two::start("authorized").await;
    let server = Elsewhere::start(two.stack, "authorizes", &two.flags(&two.stack.proxy_url, &two.ca)).await;
    let theirs = two.theirs.name();
    reads(&server, &custom(theirs, "depth"), "7").await;
    let before = [200, 403, 404, 503].map(|code| handed_on(&server, code));
    let before: f64 = futures::future::join_all(before).await.iter().sum();
    for path in [
        custom(theirs, "depth"),
        external(theirs, "age"),
        "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load".to_owned(),
    ] {
        let (status, error) = server.get_as(&path, "a-stranger", "nobody").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{error}");
        assert!(
            message(&error).starts_with("user \"a-stranger\" cannot "),
            "{error}"
        );
    }
    let after = [200, 403, 404, 503].map(|code| handed_on(&server, code));
    let after: f64 = futures::future::join_all(after).await.iter().sum();
    assert!(
        (after - before).abs() < 0.5,
        "{before} reads were handed on, then {after}"
    );
    // A path that the adapter could take for another one is never sent.
    let (status, error) = server
        .get(&format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{theirs}/deployments.apps/worker/%2e%2e%2Fdepth"
        ))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(message(&error).contains("is no name"), "{error}");
}

#[tokio::test]
async fn the_failure_of_the_adapter_is_its_own() {
    let two = Two::start("failure").await;
    let server = Elsewhere::start(two.stack, "survives", &two.flags(&two.stack.proxy_url, &two.ca)).await;
    let (ours, theirs) = (
        custom(two.ours.name(), "depth"),
        custom(two.theirs.name(), "depth"),
    );
    reads(&server, &theirs, "7").await;
    reads(&server, &ours, "12").await;

    two.adapter.stop(Duration::from_secs(30)).await;
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    refuses(&server, &theirs, unavailable, "has no answer: ").await;
    // The second read is refused at once, with the reason of the first.
    refuses(&server, &theirs, unavailable, "(asked again within 10 s)").await;
    reads(&server, &ours, "12").await;

    let _adapter = adapter(two.stack, [&two.ours, &two.theirs], (&two.ca, &two.key), two.port);
    reads(&server, &theirs, "7").await;
    assert!(server.process.log().contains("the adapter answers again"));
}

#[tokio::test]
async fn an_adapter_must_prove_its_name_and_gets_the_token_of_the_second_account_only() {
    let two = Two::start("trust").await;
    let theirs = custom(two.theirs.name(), "depth");
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    let prometheus = &two.stack.proxy_url;

    let other = two.folder.join("other.crt");
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&other, issued.cert.pem()).expect("a file");
    let server = Elsewhere::start(two.stack, "distrusts", &two.flags(prometheus, &other)).await;
    refuses(&server, &theirs, unavailable, "has no answer: ").await;
    // The right CA in the same file is taken without a restart.
    std::fs::copy(&two.ca, &other).expect("a copy");
    reads(&server, &theirs, "7").await;

    // An account without rights is refused by the adapter, and the reader is not told that it was the one.
    let mut args = two.flags(prometheus, &two.ca);
    args.push("--fallback-service-account=default".to_owned());
    let server = Elsewhere::start(two.stack, "without-rights", &args).await;
    let refusal = "it refuses system:serviceaccount:vas-system:default (HTTP 403): ";
    refuses(&server, &theirs, unavailable, refusal).await;

    // The shipped rights allow tokens of the one account and of no other.
    let account = two
        .stack
        .cluster
        .service_account_kubeconfig("vas-system", "vas-metrics-server");
    args.push(format!("--kubeconfig={}", account.display()));
    let server = Elsewhere::start(two.stack, "without-token", &args).await;
    let problem = "a token of system:serviceaccount:vas-system:default was not issued: ";
    refuses(&server, &theirs, unavailable, problem).await;
}

#[tokio::test]
async fn flags_that_cannot_work_are_refused_at_the_start() {
    let refused = |args: &[&str]| {
        let mut all = vec!["metrics-server", "--prometheus-url=http://x"];
        all.extend_from_slice(args);
        let output = vas::run(&all);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let ca = root().join("tests/fixtures/deployment.yaml");
    let ca = format!("--fallback-ca-file={}", ca.display());
    for (args, words) in [
        (vec!["--fallback-custom=a.b.svc"], "--fallback-ca-file"),
        (vec!["--fallback-ca-file=/nowhere/ca.crt"], "is of no use without"),
        (
            vec!["--fallback-custom=a.b.svc", "--fallback-ca-file=/nowhere/ca.crt"],
            "cannot read /nowhere/ca.crt",
        ),
        (vec!["--fallback-custom=a.b.svc", &ca], "no CERTIFICATE block"),
        (
            vec!["--fallback-custom=https://a", &ca],
            "the scheme is always https",
        ),
        (
            vec!["--fallback-external=a.b.svc", "--external-metrics=false", &ca],
            "--fallback-external needs --external-metrics=true",
        ),
    ] {
        let said = refused(&args);
        assert!(said.contains(words), "{args:?}: {said}");
    }
}
