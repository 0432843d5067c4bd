//! Faults of the installation and of the cluster, and what doctor says where the user has no rights.

use serde_json::{Value, json};

use super::installation::{NAMESPACE, Said, healthy};
use support::{cluster::root, process::free_port, vas};

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_installation_gives_exit_code_0_in_text_and_in_versioned_json() {
    let doctored = healthy().await;
    let url = format!("--prometheus-url={}", doctored.prometheus.url());
    let short = doctored.all_well(&[&url]).await;
    assert!(
        short.starts_with("0 problems, 0 warnings, 0 skipped, ") && short.lines().count() == 1,
        "{short}"
    );
    let text = doctored.all_well(&[&url, "--verbose"]).await;
    for part in [
        "Cluster\n  ok    api-server-reachable",
        "\nInstallation\n",
        "\nMetricsAPI\n",
        "\nPrometheus\n",
        "\nWorkloads\n",
        "\n0 problems, 0 warnings, 0 skipped, ",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colour where no terminal is");
    let report = doctored.doctor().report;
    assert_eq!(report["apiVersion"], "doctor.scaling.voiceassist.io/v1");
    assert_eq!(report["kind"], "DoctorReport");
    let checks = report["findings"].as_array().unwrap().len();
    let counted = |severity: &str| report["summary"][severity].as_u64().unwrap();
    assert_eq!(
        ["problem", "warning", "skipped", "ok"]
            .map(counted)
            .iter()
            .sum::<u64>(),
        checks as u64
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_and_a_foreign_apiservice_are_found() {
    let doctored = healthy().await;
    let cluster = &doctored.cluster;
    let name = "v1beta1.custom.metrics.k8s.io";
    let mut service = cluster.read("", "apiservice", name).unwrap();
    cluster.delete("", "apiservice", name);
    let found = doctored.finds("apiservice-registered", "problem").await;
    assert!(found.contains(name) && found.contains("vas register"), "{found}");

    for field in ["managedFields", "resourceVersion", "uid", "creationTimestamp"] {
        service["metadata"].as_object_mut().unwrap().remove(field);
    }
    service.as_object_mut().unwrap().remove("status");
    let mut foreign = service.clone();
    foreign["spec"]["service"]["name"] = Value::from("prometheus-adapter");
    cluster.apply_all("", &[foreign]);
    let found = doctored.finds("apiservice-owner", "problem").await;
    assert!(
        found.contains("spec.service is vas-system/prometheus-adapter, not vas-system/vas-metrics-server"),
        "{found}"
    );
    let found = doctored.finds("apiservice-available", "problem").await;
    assert!(found.contains("Available=False ServiceNotFound"), "{found}");
    cluster.apply_all("", &[service]);
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_was_taken_away_is_named() {
    let doctored = healthy().await;
    let cluster = &doctored.cluster;
    let taken = json!([{"op": "replace", "path": "/rules", "value": []}]);
    cluster.patch("", "clusterrole", "vas-operator-limits", &taken);
    let found = doctored.finds("rbac-operator", "problem").await;
    assert!(
        found.contains("may not create, patch, delete limitranges"),
        "{found}"
    );
    let rights =
        std::fs::read_to_string(root().join("manifests/install/components/limits/rbac.yaml")).unwrap();
    cluster.apply("", &rights);
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_with_too_few_replicas_and_an_old_crd_are_found() {
    let doctored = healthy().await;
    let cluster = &doctored.cluster;
    let scale = |replicas| cluster.scale("vas-system", "vas-operator", replicas);
    scale(1);
    let found = doctored.finds("operator-deployment", "warning").await;
    assert!(found.contains("spec.replicas is 1"), "{found}");
    scale(0);
    let found = doctored.finds("operator-deployment", "problem").await;
    assert!(found.contains("status.availableReplicas is 0 of 0"), "{found}");
    scale(2);

    let crd = "voiceassistscalings.scaling.voiceassist.io";
    let suspend = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/suspend";
    cluster.patch("", "crd", crd, &json!([{"op": "remove", "path": suspend}]));
    let found = doctored.finds("crd-schema-current", "problem").await;
    assert!(found.contains("it lacks spec.suspend"), "{found}");
    cluster.install_crd();
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_read_is_skipped_and_nothing_of_it_counts_as_fine() {
    let doctored = healthy().await;
    doctored.cluster.create_account(NAMESPACE, "nobody", None);
    let kubeconfig = doctored.cluster.service_account_kubeconfig(NAMESPACE, "nobody");
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    let said = Said::of(&vas::run(&["doctor", &kubeconfig, "-o=json"]));
    assert_eq!(said.code, Some(0), "{:#?}", said.not_ok());
    assert_eq!(said.report["summary"]["problem"], Value::from(0));
    for check in [
        "crd-installed",
        "operator-deployment",
        "rbac-operator",
        "scaling-valid",
        "prometheus-reachable",
    ] {
        let found = said.line(check, "skipped").unwrap_or_default();
        assert!(!found.is_empty(), "{check}: {:#?}", said.not_ok());
        assert_eq!(said.line(check, "ok"), None);
    }
    let found = said.line("rbac-operator", "skipped").unwrap();
    assert!(found.contains("subjectaccessreviews"), "{found}");
    doctored.delete("serviceaccount", "nobody");
}

#[test]
fn mistakes_on_the_command_line_are_exit_code_2_and_an_absent_api_server_is_1() {
    for args in [
        &["doctor", "-n", "a", "-A"][..],
        &["doctor", "--kubeconfig=/nowhere"],
        &["doctor", "--prometheus-url=ftp://x"],
        &["doctor", "--pod-label=a-b"],
    ] {
        assert_eq!(vas::run(args).status.code(), Some(2), "{args:?}");
    }
    let file = support::cluster::run_dir().join("kubeconfig-of-nobody");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let server = format!("https://127.0.0.1:{}", free_port());
    let text = serde_json::json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}], "users": [{"name": "u", "user": {}}]});
    std::fs::write(&file, text.to_string()).unwrap();
    let said = Said::of(&vas::run(&[
        "doctor",
        "-o=json",
        &format!("--kubeconfig={}", file.display()),
    ]));
    assert_eq!(said.code, Some(1));
    let found = said.line("api-server-reachable", "problem").unwrap();
    assert!(found.contains("Connection refused"), "{found}");
    assert_eq!(said.report["summary"]["problem"], Value::from(1));
    assert_eq!(said.report["summary"]["ok"], Value::from(0));
}
