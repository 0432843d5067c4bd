//! The chart on a real cluster: installed, upgraded, rolled back and uninstalled, with an operator and its HPAs alive.

use std::{convert::Infallible, path::Path, time::Duration};

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::manifests::guide;
use support::{
    Cluster, chart,
    cluster::{root, run_dir},
    eventually, install,
    kustomization::Kustomization,
    namespace::Namespace,
    process::{Process, free_port},
    shared::{Group, Held},
    vas,
};

/// A cluster for the chart alone, for one test at a time.
async fn cluster() -> Held<Cluster> {
    static CLUSTER: Group<Cluster> = Group::new();
    let start = async || Ok::<_, Infallible>(Cluster::start("chart", &[]));
    CLUSTER.hold(start).await
}

const PATIENCE: Duration = Duration::from_secs(120);
/// A name of 53 characters, which is the most that Helm allows.
const LONGEST: &str = "a-release-with-the-longest-name-that-helm-allows-here";
const CRD: &str = "crd/voiceassistscalings.scaling.voiceassist.io";

/// Takes away whatever a test before left, the definition included.
fn nothing_installed(cluster: &Cluster) {
    let apis = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];
    cluster.kubectl_ok(
        &[&["delete", "apiservice", "--ignore-not-found"], &apis[..]].concat(),
        None,
    );
    for release in ["vas", LONGEST] {
        let _ = chart::run(cluster, &["uninstall", release, "-n=vas-system", "--wait"]);
    }
    let gone = [
        "delete",
        "-k",
        install::INSTALL,
        "--ignore-not-found",
        "--timeout=60s",
    ];
    cluster.kubectl_ok(&gone, None);
}

/// `helm COMMAND vas CHART`, and waits until the pods are ready.
#[track_caller]
fn released(cluster: &Cluster, command: &str, chart: &str, args: &[&str]) -> String {
    let all = [
        &[command, "vas", chart, "-n=vas-system", "--create-namespace"],
        args,
        &["--wait", "--timeout=60s"],
    ];
    let all: Vec<_> = all
        .concat()
        .into_iter()
        .filter(|arg| command == "install" || *arg != "--create-namespace")
        .collect();
    chart::run_ok(cluster, &all)
}

#[track_caller]
fn refused(cluster: &Cluster, args: &[&str]) -> String {
    let output = chart::run(cluster, args);
    assert!(!output.status.success(), "{args:?} was accepted");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A first install with this setting, which must fail, and what it says.
#[track_caller]
fn first_install_refused(cluster: &Cluster, setting: &str) -> String {
    let namespace = ["-n=vas-system", "--create-namespace"];
    refused(
        cluster,
        &[&["install", "vas", chart::CHART], &namespace[..], &[setting]].concat(),
    )
}

/// Runs a command of the guide, the first or the second.
#[track_caller]
fn guided(cluster: &Cluster, which: usize) {
    let commands = guide::commands("With Helm");
    assert!(
        commands.iter().all(|command| command.starts_with("helm ")),
        "{commands:?}"
    );
    guide::run(cluster, &commands[which]);
}

/// Runs vas as the administrator.
#[track_caller]
fn administered(cluster: &Cluster, args: &[&str]) {
    let output = vas::administer(cluster, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
}

/// Waits until a pod of the metrics server is ready.
#[track_caller]
fn rolled_out(cluster: &Cluster) {
    let rollout = [
        "rollout",
        "status",
        "deployment/vas-metrics-server",
        "--timeout=60s",
    ];
    cluster.kubectl_ok(&[&["-n=vas-system"], &rollout[..]].concat(), None);
}

/// An operator as the Deployment runs it. Like a kubelet it starts an operator again that ended: one that could not renew its
/// lease in time ends, which on a machine that is busy happens.
struct Operator<'a> {
    cluster: &'a Cluster,
    rendered: Kustomization,
    process: Mutex<Process>,
}

impl<'a> Operator<'a> {
    fn start(cluster: &'a Cluster, rendered: Kustomization) -> Self {
        let process = Mutex::new(Self::process(cluster, &rendered));
        Self {
            cluster,
            rendered,
            process,
        }
    }

    fn process(cluster: &Cluster, rendered: &Kustomization) -> Process {
        let metrics = format!("--metrics-bind-address=127.0.0.1:{}", free_port());
        let operator = rendered.deployment("vas-operator");
        operator.start(cluster, "vas-operator-0", &[metrics])
    }

    async fn keep_running(&self) {
        let mut process = self.process.lock().await;
        if process.ended().is_some() {
            *process = Self::process(self.cluster, &self.rendered);
        }
    }

    /// Sets maxReplicas of the resource and waits until the HPA has it.
    async fn makes_the_hpa_follow(&self, namespace: &Namespace<'_>, replicas: u32) {
        let field = "/spec/workloads/0/maxReplicas";
        let patch = json!([{"op": "replace", "path": field, "value": replicas}]).to_string();
        namespace.kubectl(&["patch", "vas/minimal", "--type=json", "-p", &patch]);
        eventually(PATIENCE, "the HPA follows the resource", || async {
            self.keep_running().await;
            let hpa = namespace.object("hpa", "minimal-api-gateway").unwrap_or_default();
            let seen = hpa["spec"]["maxReplicas"].clone();
            if seen == replicas { Ok(()) } else { Err(seen) }
        })
        .await;
    }

    /// The UIDs of the resource and of its HPA, once the HPA is there.
    async fn identities(&self, namespace: &Namespace<'_>) -> [Value; 2] {
        eventually(PATIENCE, "the HPA is there", || async {
            self.keep_running().await;
            identities(namespace).ok_or("there is no HPA yet")
        })
        .await
    }
}

/// The UIDs of the resource and of its HPA.
fn identities(namespace: &Namespace<'_>) -> Option<[Value; 2]> {
    let uid = |kind, name| Some(namespace.object(kind, name)?["metadata"]["uid"].clone());
    let both = uid("vas", "minimal").zip(uid("hpa", "minimal-api-gateway"))?;
    Some(both.into())
}

/// A namespace with a Deployment and a resource for it.
fn scaled<'a>(cluster: &'a Cluster, name: &str) -> Namespace<'a> {
    let namespace = Namespace::create(cluster, name);
    namespace.apply(include_str!("../../fixtures/deployment.yaml"));
    namespace.apply(include_str!("../../fixtures/minimal.yaml"));
    namespace
}

/// A namespace can be deleted, which it cannot while an APIService leads nowhere.
#[track_caller]
fn nothing_is_stuck(cluster: &Cluster) {
    let bystander = Namespace::create(cluster, "bystander");
    cluster.kubectl_ok(&["delete", "namespace", bystander.name(), "--timeout=60s"], None);
}

/// What is left of vas in the cluster, beside the definition.
#[track_caller]
fn assert_gone(cluster: &Cluster) {
    let kinds = "clusterroles,clusterrolebindings,apiservices";
    let mut left = cluster.kubectl_ok(&["get", kinds, "-o=name"], None);
    left += &cluster.kubectl_ok(&["-n=kube-system", "get", "rolebindings", "-o=name"], None);
    left += &cluster.kubectl_ok(
        &["-n=vas-system", "get", "all,secrets,configmaps", "-o=name"],
        None,
    );
    let ours: Vec<_> = left
        .lines()
        .filter(|name| name.contains("/vas-") || name.contains("custom.metrics"))
        .collect();
    assert!(ours.is_empty(), "left behind: {ours:?}");
}

/// A copy of the chart as an earlier version had it: the definition says something else, and the operator has a variable more.
fn earlier_chart() -> String {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).expect("a folder for the copy");
        for entry in std::fs::read_dir(from).expect("the chart can be read").flatten() {
            let (path, to) = (entry.path(), to.join(entry.file_name()));
            if path.is_dir() {
                copy(&path, &to);
            } else {
                std::fs::copy(&path, &to).expect("a file can be copied");
            }
        }
    }
    let folder = run_dir().join("earlier-chart");
    copy(&root().join(chart::CHART), &folder);
    let replace = |file: &str, from: &str, to: &str| {
        let file = folder.join(file);
        let text = std::fs::read_to_string(&file).expect("a file of the chart");
        assert!(text.contains(from), "{} has no {from}", file.display());
        std::fs::write(&file, text.replacen(from, to, 1)).expect("the copy can be changed");
    };
    let definition = "files/voiceassistscalings.yaml";
    replace(
        definition,
        "description: The scaled workloads",
        "description: Earlier",
    );
    replace("Chart.yaml", "\nversion: ", "\nversion: 0.0.1+");
    folder.display().to_string()
}

fn scalings(namespace: &str) -> String {
    let spec = json!({"workloads": [{
        "name": "api-gateway", "scaleTargetRef": {"name": "api-gateway"}, "minReplicas": 1, "maxReplicas": 3,
        "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
    }]});
    let scalings = json!([{"name": "minimal", "namespace": namespace, "spec": spec}]);
    format!("--set-json=scalings={scalings}")
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_and_rollbacks_keep_every_hpa_and_the_definition_follows_the_chart() {
    let cluster = cluster().await;
    nothing_installed(&cluster);
    released(&cluster, "install", &earlier_chart(), &[]);
    let described = || {
        cluster.kubectl_ok(
            &[
                "get",
                CRD,
                "-o=jsonpath={.spec.versions[0].additionalPrinterColumns[1].description}",
            ],
            None,
        )
    };
    assert_eq!(described(), "Earlier");
    let operator = Operator::start(&cluster, chart::rendered(&[]));
    let namespace = scaled(&cluster, "chart-upgrade");
    let before = operator.identities(&namespace).await;

    released(
        &cluster,
        "upgrade",
        chart::CHART,
        &["--set=limits=true,operator.replicas=1"],
    );
    assert_eq!(
        described(),
        "The scaled workloads",
        "Helm left the definition as it was"
    );
    operator.makes_the_hpa_follow(&namespace, 4).await;
    chart::run_ok(&cluster, &["rollback", "vas", "1", "-n=vas-system", "--wait"]);
    assert_eq!(described(), "Earlier");
    operator.makes_the_hpa_follow(&namespace, 5).await;
    released(&cluster, "upgrade", chart::CHART, &[]);
    assert_eq!(identities(&namespace), Some(before.clone()));

    chart::run_ok(&cluster, &["uninstall", "vas", "-n=vas-system", "--wait"]);
    assert_eq!(
        identities(&namespace),
        Some(before.clone()),
        "an uninstall takes nobody's HPA away"
    );
    drop(operator);
    assert_gone(&cluster);
    nothing_is_stuck(&cluster);
    released(&cluster, "install", chart::CHART, &[]);
    assert_eq!(identities(&namespace), Some(before.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_takes_over_a_kustomize_install_without_a_deleted_hpa() {
    let cluster = cluster().await;
    nothing_installed(&cluster);
    cluster.kubectl_ok(&["apply", "-k", install::INSTALL], None);
    cluster.kubectl_ok(
        &["wait", "--for=condition=Established", "--timeout=30s", CRD],
        None,
    );
    let operator = Operator::start(&cluster, Kustomization::render(install::INSTALL));
    let certificate = r#"{"data": {"tls.crt": "YQ=="}}"#;
    let secret = [
        "-n=vas-system",
        "patch",
        "secret",
        "vas-metrics-server-tls",
        "-p",
        certificate,
    ];
    cluster.kubectl_ok(&secret, None);
    let namespace = scaled(&cluster, "adopted");
    let before = operator.identities(&namespace).await;

    let words = refused(&cluster, &["install", "vas", chart::CHART, "-n=vas-system"]);
    assert!(words.contains("cannot be imported"), "{words}");
    guided(&cluster, 1);
    operator.makes_the_hpa_follow(&namespace, 4).await;
    assert_eq!(identities(&namespace), Some(before.clone()));
    let kept = [
        "-n=vas-system",
        "get",
        "secret",
        "vas-metrics-server-tls",
        "-o=jsonpath={.data}",
    ];
    assert_eq!(cluster.kubectl_ok(&kept, None), r#"{"tls.crt":"YQ=="}"#);
    chart::run_ok(&cluster, &["uninstall", "vas", "-n=vas-system", "--wait"]);
    assert_gone(&cluster);
    assert_eq!(identities(&namespace), Some(before.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_registers_once_a_pod_runs_and_an_uninstall_leaves_nothing_stuck() {
    let cluster = cluster().await;
    nothing_installed(&cluster);
    let create = "--set=apiServices.create=true";
    let words = first_install_refused(&cluster, create);
    assert!(
        words.contains("no pod of Deployment vas-system/vas-metrics-server is ready"),
        "{words}"
    );
    nothing_is_stuck(&cluster);

    guided(&cluster, 0);
    rolled_out(&cluster);
    released(&cluster, "upgrade", chart::CHART, &[create]);
    let trust = r#"{"spec": {"caBundle": "YQ=="}}"#;
    let name = "v1beta1.custom.metrics.k8s.io";
    cluster.kubectl_ok(&["patch", "apiservice", name, "--type=merge", "-p", trust], None);
    released(&cluster, "upgrade", chart::CHART, &[create, "--set=limits=true"]);
    let kept = cluster.kubectl_ok(&["get", "apiservice", name, "-o=jsonpath={.spec.caBundle}"], None);
    assert_eq!(kept, "YQ==", "an upgrade took away what the metrics server wrote");
    chart::run_ok(&cluster, &["uninstall", "vas", "-n=vas-system", "--wait"]);
    assert_gone(&cluster);
    nothing_is_stuck(&cluster);
}

/// No object has the release's name in its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_with_the_longest_name_installs_and_a_second_one_is_refused_and_leaves_nothing() {
    let cluster = cluster().await;
    nothing_installed(&cluster);
    let install = |name: &str, namespace: &str| {
        let namespace = format!("-n={namespace}");
        chart::run(
            &cluster,
            &[
                "install",
                name,
                chart::CHART,
                &namespace,
                "--create-namespace",
                "--wait",
                "--timeout=60s",
            ],
        )
    };
    let words = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = install(LONGEST, "vas-system");
    assert!(first.status.success(), "{}", words(&first));
    let second = install("second", "vas-second");
    let refused = words(&second);
    assert!(
        !second.status.success(),
        "a second release took the objects of the first"
    );
    assert!(
        refused.contains("cannot be imported into the current release") && refused.contains(LONGEST),
        "{refused}"
    );
    let left = cluster.kubectl_ok(
        &["-n=vas-second", "get", "all,serviceaccounts,roles", "-o=name"],
        None,
    );
    assert!(!left.contains("/vas-"), "{left}");
    rolled_out(&cluster);
    chart::run_ok(&cluster, &["uninstall", LONGEST, "-n=vas-system", "--wait"]);
    assert_gone(&cluster);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_ones_own_is_trusted_by_the_ca_in_its_secret() {
    let cluster = cluster().await;
    nothing_installed(&cluster);
    guided(&cluster, 0);
    rolled_out(&cluster);
    let secret = |data: Value| {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "data": data,
            "metadata": {"name": "own", "namespace": "vas-system"},
        });
        cluster.kubectl_ok(&["apply", "-f", "-"], Some(&secret.to_string()));
    };
    secret(json!({"tls.crt": "YQ==", "tls.key": "YQ=="}));
    let create = ["--set=apiServices.create=true", "--set=tls.existingSecret=own"];
    let upgrade = [&["upgrade", "vas", chart::CHART, "-n=vas-system"], &create[..]].concat();
    let words = refused(&cluster, &upgrade);
    assert!(words.contains("Secret vas-system/own has no ca.crt"), "{words}");
    secret(json!({"tls.crt": "YQ==", "tls.key": "YQ==", "ca.crt": "Yg=="}));
    released(&cluster, "upgrade", chart::CHART, &create);
    for name in ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"] {
        let trusted = cluster.kubectl_ok(&["get", "apiservice", name, "-o=jsonpath={.spec.caBundle}"], None);
        assert_eq!(trusted, "Yg==", "{name}");
    }
    chart::run_ok(&cluster, &["uninstall", "vas", "-n=vas-system", "--wait"]);
    cluster.kubectl_ok(&["-n=vas-system", "delete", "secret", "own"], None);
    nothing_is_stuck(&cluster);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_takes_no_api_from_another_adapter_unless_told_to() {
    let cluster = cluster().await;
    nothing_installed(&cluster);
    released(&cluster, "install", chart::CHART, &[]);
    let foreign = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1beta1.custom.metrics.k8s.io"},
        "spec": {
            "group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true,
            "service": {"namespace": "monitoring", "name": "prometheus-adapter", "port": 443},
        },
    });
    cluster.kubectl_ok(&["apply", "-f", "-"], Some(&foreign.to_string()));
    let create = "--set=apiServices.create=true";
    let words = refused(
        &cluster,
        &["upgrade", "vas", chart::CHART, "-n=vas-system", create],
    );
    assert!(
        words.contains("v1beta1.custom.metrics.k8s.io leads to Service monitoring/prometheus-adapter"),
        "{words}"
    );
    // Helm's --take-ownership alone would leave the object as it is, and call it the release's.
    let words = refused(
        &cluster,
        &[
            "upgrade",
            "vas",
            chart::CHART,
            "-n=vas-system",
            create,
            "--take-ownership",
        ],
    );
    assert!(words.contains("vas register --take-over"), "{words}");
    rolled_out(&cluster);
    administered(&cluster, &["register", "--take-over", "--timeout=0s"]);
    released(&cluster, "upgrade", chart::CHART, &[create, "--take-ownership"]);
    let read = |field: &str| {
        let path = format!("-o=jsonpath={{.spec.{field}}}");
        cluster.kubectl_ok(
            &["get", "apiservice", "v1beta1.custom.metrics.k8s.io", &path],
            None,
        )
    };
    assert_eq!(read("service.name"), "vas-metrics-server");
    assert!(
        read("insecureSkipTLSVerify") != "true",
        "a caBundle would be refused"
    );
    chart::run_ok(&cluster, &["uninstall", "vas", "-n=vas-system", "--wait"]);
    assert_gone(&cluster);
}

#[tokio::test(flavor = "multi_thread")]
async fn vas_register_beside_the_chart_is_undone_before_or_after_the_uninstall() {
    let cluster = cluster().await;
    for unregisters_first in [true, false] {
        nothing_installed(&cluster);
        released(&cluster, "install", chart::CHART, &[]);
        administered(&cluster, &["register", "--timeout=0s"]);
        if unregisters_first {
            administered(&cluster, &["unregister"]);
        }
        chart::run_ok(&cluster, &["uninstall", "vas", "-n=vas-system", "--wait"]);
        if !unregisters_first {
            administered(&cluster, &["unregister"]);
        }
        assert_gone(&cluster);
        nothing_is_stuck(&cluster);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_in_the_values_wait_for_the_definition_and_then_belong_to_the_release() {
    let cluster = cluster().await;
    nothing_installed(&cluster);
    let namespace = Namespace::create(&cluster, "scalings");
    namespace.apply(include_str!("../../fixtures/deployment.yaml"));
    let scalings = scalings(namespace.name());
    let words = first_install_refused(&cluster, &scalings);
    assert!(words.contains("install without scalings first"), "{words}");
    released(&cluster, "install", chart::CHART, &[]);
    let operator = Operator::start(&cluster, chart::rendered(&[]));
    released(&cluster, "upgrade", chart::CHART, &[&scalings]);
    let before = operator.identities(&namespace).await;
    released(
        &cluster,
        "upgrade",
        chart::CHART,
        &[&scalings, "--set=limits=true"],
    );
    assert_eq!(identities(&namespace), Some(before.clone()));
    chart::run_ok(&cluster, &["uninstall", "vas", "-n=vas-system", "--wait"]);
    eventually(PATIENCE, "the resource and its HPA are gone", || async {
        match namespace.object("hpa", "minimal-api-gateway") {
            None => Ok(()),
            Some(_) => Err("the HPA is there"),
        }
    })
    .await;
    drop(operator);
    assert_gone(&cluster);
}
