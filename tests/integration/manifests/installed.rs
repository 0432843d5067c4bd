//! The install on a real API server: applied, applied again, and removed.

use k8s_openapi::{
    ByteString, api::core::v1::Secret, kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::{
    guide,
    installation::{METRICS_SERVER, OPERATOR, cluster, eventually_can},
};
use support::{Cluster, cluster::client_for, install};

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

#[tokio::test]
async fn the_install_is_accepted_without_a_warning_and_its_pods_are_ready() {
    let cluster = cluster().await;
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
async fn components_are_accepted_without_a_warning() {
    let cluster = cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
    for heading in ["Prometheus from a file", "Network policies", "External metrics"] {
        let folder = guide::kustomization(heading).folder().display().to_string();
        let dry_run = ["apply", "--dry-run=server", "--warnings-as-errors", "-k", &folder];
        cluster.kubectl_ok(&dry_run, None);
    }
}

#[tokio::test]
async fn installing_again_keeps_what_the_metrics_server_wrote_and_the_aggregated_rules() {
    let cluster = cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
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
async fn uninstalling_in_the_documented_order_leaves_nothing_behind_and_nothing_stuck() {
    let cluster = cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
    cluster.create_namespace("uninstall");
    let resource = include_str!("../../fixtures/minimal.yaml");
    cluster.apply("uninstall", resource);

    for command in guide::commands("Uninstall") {
        guide::run(&cluster, &command);
    }

    // An APIService that is left without a server would make the deletion hang.
    cluster.delete("", "namespace", "uninstall");
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
