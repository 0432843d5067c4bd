//! The install on a real API server.
//!
//! It belongs to a cluster as a whole, so these tests have a cluster to themselves and take turns. Each
//! installs what it needs, so their order does not matter.

use std::{sync::LazyLock, time::Duration};

use k8s_openapi::{
    ByteString, api::core::v1::Secret, kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::sync::Mutex;

use super::guide;
use crate::support::{Cluster, cluster::client_for, eventually, install};

/// For one test at a time.
pub static CLUSTER: LazyLock<Mutex<Cluster>> = LazyLock::new(|| Mutex::new(Cluster::start("install", &[])));

const OPERATOR: &str = "system:serviceaccount:vas-system:vas-operator";
const METRICS_SERVER: &str = "system:serviceaccount:vas-system:vas-metrics-server";

/// Whether a user may do something, such as `get pods -n kube-system`.
fn can(cluster: &Cluster, user: &str, what: &str) -> bool {
    let mut args = vec!["auth", "can-i", "--as", user];
    args.extend(what.split(' '));
    let output = cluster.kubectl(&args, None);
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => true,
        "no" => false,
        other => panic!("{args:?}: {other}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Fills the Secret and one `caBundle`, with the rights and the requests of the metrics server.
async fn write_as_the_metrics_server_does(cluster: &Cluster) {
    eventually_can(
        cluster,
        METRICS_SERVER,
        "update secrets/vas-metrics-server-tls -n vas-system",
    )
    .await;
    let account = cluster.service_account_kubeconfig("vas-system", "vas-metrics-server");
    let client = client_for(&account).await;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "vas-system");
    let mut secret = secrets.get("vas-metrics-server-tls").await.unwrap();
    let certificate = ("tls.crt".to_owned(), ByteString(b"a".to_vec()));
    secret.data = Some([certificate].into());
    let params = PostParams::default();
    secrets
        .replace("vas-metrics-server-tls", &params, &secret)
        .await
        .unwrap();
    let api_services: Api<APIService> = Api::all(client);
    let name = "v1beta1.custom.metrics.k8s.io";
    let ca_bundle = json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name},
        "spec": {"caBundle": "YQ=="},
    });
    let params = PatchParams::apply("vas-metrics-server").force();
    api_services
        .patch(name, &params, &Patch::Apply(&ca_bundle))
        .await
        .unwrap();
}

/// Rights come in a moment after their role: the API server and the role aggregation watch.
async fn eventually_can(cluster: &Cluster, user: &str, what: &str) {
    eventually(Duration::from_secs(15), "the right is granted", || async {
        can(cluster, user, what)
            .then_some(())
            .ok_or(format!("{user} may not {what}"))
    })
    .await;
}

#[tokio::test]
async fn the_install_is_accepted_without_a_warning_and_its_pods_are_ready() {
    let cluster = CLUSTER.lock().await;
    for command in guide::commands("Look first")
        .iter()
        .chain(&guide::commands("Install"))
    {
        guide::run(&cluster, command);
    }
    for name in ["vas-operator", "vas-metrics-server"] {
        let deployment = format!("deployment/{name}");
        cluster.kubectl_ok(
            &[
                "-n",
                "vas-system",
                "rollout",
                "status",
                &deployment,
                "--timeout=60s",
            ],
            None,
        );
    }
    let unrestricted = ["-n", "vas-system", "run", "x", "--image=x", "--dry-run=server"];
    let refused = cluster.kubectl(&unrestricted, None);
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("violates PodSecurity \"restricted"),
        "the namespace does not enforce the restricted profile: {refused:?}"
    );
}

#[tokio::test]
async fn installing_again_keeps_what_the_metrics_server_wrote_and_the_aggregated_rules() {
    let cluster = CLUSTER.lock().await;
    install::apply(&cluster);
    write_as_the_metrics_server_does(&cluster).await;
    eventually_can(&cluster, OPERATOR, "get deployments.apps --subresource=scale -A").await;

    let state = || {
        let read = |args: &[&str]| cluster.kubectl_ok(args, None);
        [
            read(&[
                "-n",
                "vas-system",
                "get",
                "secret",
                "vas-metrics-server-tls",
                "-o=jsonpath={.data}",
            ]),
            read(&[
                "get",
                "apiservice",
                "v1beta1.custom.metrics.k8s.io",
                "-o=jsonpath={.spec.caBundle}",
            ]),
            read(&[
                "get",
                "clusterrole",
                "vas-operator-scale-targets",
                "-o=jsonpath={.rules}",
            ]),
        ]
    };
    let before = state();
    assert_eq!(before[0], r#"{"tls.crt":"YQ=="}"#);
    assert_eq!(before[1], "YQ==");
    assert!(before[2].contains("deployments/scale"), "{}", before[2]);
    cluster.kubectl_ok(&["apply", "-k", install::INSTALL], None);
    assert_eq!(state(), before, "after kubectl apply");
    cluster.kubectl_ok(&["apply", "--server-side", "-k", install::INSTALL], None);
    assert_eq!(state(), before, "after kubectl apply --server-side");
}

#[tokio::test]
async fn the_role_view_reads_resources_and_the_role_edit_writes_them_but_not_their_status() {
    let cluster = CLUSTER.lock().await;
    install::apply(&cluster);
    for role in ["view", "edit"] {
        let [clusterrole, user] = [format!("--clusterrole={role}"), format!("--user={role}er")];
        cluster.kubectl_ok(
            &[
                "create",
                "rolebinding",
                role,
                "-n",
                "default",
                &clusterrole,
                &user,
            ],
            None,
        );
    }
    eventually_can(&cluster, "viewer", "watch voiceassistscalings -n default").await;
    eventually_can(&cluster, "editer", "create voiceassistscalings -n default").await;
    let allowed = [
        (
            "viewer",
            "get voiceassistscalings --subresource=status -n default",
        ),
        ("editer", "list voiceassistscalings -n default"),
        ("editer", "delete voiceassistscalings -n default"),
    ];
    for (user, what) in allowed {
        assert!(can(&cluster, user, what), "{user} may not {what}");
    }
    let refused = [
        ("viewer", "patch voiceassistscalings -n default"),
        (
            "editer",
            "patch voiceassistscalings --subresource=status -n default",
        ),
        ("editer", "get voiceassistscalings -n kube-system"),
    ];
    for (user, what) in refused {
        assert!(!can(&cluster, user, what), "{user} may {what}");
    }
    cluster.kubectl_ok(&["delete", "rolebinding", "-n", "default", "view", "edit"], None);
}

#[tokio::test]
async fn the_accounts_may_not_do_what_is_not_their_job() {
    let cluster = CLUSTER.lock().await;
    install::apply(&cluster);
    eventually_can(&cluster, OPERATOR, "create limitranges -A").await;
    eventually_can(
        &cluster,
        METRICS_SERVER,
        "get secrets/vas-metrics-server-tls -n vas-system",
    )
    .await;
    let refused = [
        (OPERATOR, "patch deployments -n default"),
        (OPERATOR, "patch deployments.apps --subresource=scale -n default"),
        (OPERATOR, "update voiceassistscalings -n default"),
        (OPERATOR, "delete voiceassistscalings -n default"),
        (OPERATOR, "get secrets -n vas-system"),
        (OPERATOR, "list pods -n default"),
        (OPERATOR, "list customresourcedefinitions"),
        (OPERATOR, "update leases/vas-metrics-server -n vas-system"),
        (METRICS_SERVER, "get secrets -n vas-system"),
        (METRICS_SERVER, "get secrets -n default"),
        (METRICS_SERVER, "create secrets -n vas-system"),
        (METRICS_SERVER, "create apiservices"),
        (METRICS_SERVER, "patch apiservices/v1beta1.metrics.k8s.io"),
        (METRICS_SERVER, "delete pods -n default"),
        (METRICS_SERVER, "patch voiceassistscalings -n default"),
    ];
    for (user, what) in refused {
        assert!(!can(&cluster, user, what), "{user} may {what}");
    }
}

#[tokio::test]
async fn a_labelled_role_lets_the_operator_read_another_kind_of_target() {
    let cluster = CLUSTER.lock().await;
    install::apply(&cluster);
    let crd = include_str!("../../fixtures/rollouts-crd.yaml");
    cluster.kubectl_ok(&["apply", "-f", "-"], Some(crd));
    cluster.kubectl_ok(
        &[
            "wait",
            "--for=condition=Established",
            "crd/rollouts.argoproj.io",
            "--timeout=30s",
        ],
        None,
    );
    let right = "get rollouts.argoproj.io --subresource=scale -n default";
    assert!(
        !can(&cluster, OPERATOR, right),
        "the right is there before it is given"
    );
    for command in guide::commands("Targets other than Deployments and StatefulSets") {
        guide::run(&cluster, &command);
    }
    eventually_can(&cluster, OPERATOR, right).await;
    cluster.kubectl_ok(
        &["delete", "-f", "docs/examples/scale-target-rollouts.yaml"],
        None,
    );
    cluster.kubectl_ok(&["delete", "-f", "-"], Some(crd));
}

#[tokio::test]
async fn uninstalling_in_the_documented_order_leaves_nothing_behind_and_nothing_stuck() {
    let cluster = CLUSTER.lock().await;
    install::apply(&cluster);
    cluster.kubectl_ok(&["create", "namespace", "uninstall"], None);
    let resource = include_str!("../../fixtures/minimal.yaml");
    cluster.kubectl_ok(&["-n", "uninstall", "apply", "-f", "-"], Some(resource));

    for command in guide::commands("Uninstall") {
        guide::run(&cluster, &command);
    }

    // It hangs where an APIService without a server is left.
    cluster.kubectl_ok(&["delete", "namespace", "uninstall", "--timeout=60s"], None);
    let kinds = "namespaces,clusterroles,clusterrolebindings,customresourcedefinitions,apiservices";
    let left = cluster.kubectl_ok(&["get", kinds, "-o=name"], None);
    let ours: Vec<_> = left
        .lines()
        .filter(|name| {
            ["vas-", "voiceassist", "custom.metrics"]
                .iter()
                .any(|word| name.contains(word))
        })
        .collect();
    assert!(ours.is_empty(), "left behind: {ours:?}");
    let bindings = cluster.kubectl_ok(&["-n", "kube-system", "get", "rolebindings", "-o=name"], None);
    assert!(!bindings.contains("vas-"), "left behind: {bindings}");
}
