//! `prometheus.servers`: the chart writes the file that the program reads, and mounts the secrets that the file names.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use support::{chart, cluster::run_dir, kustomization::Kustomization, vas};

/// Asserts that the metrics server takes a configuration file: a wrong one ends its start with code 2. What ends it here, with
/// another code, is that there is no cluster.
#[track_caller]
pub(crate) fn assert_loaded(file: &Path) {
    let config = format!("--config={}", file.display());
    let output = vas::run(&["metrics-server", &config, "--kubeconfig=/nonexistent/kubeconfig"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1) && words.contains("/nonexistent/kubeconfig"),
        "{}: {:?}: {words}",
        file.display(),
        output.status.code()
    );
}

/// Lays out the volume of a metrics server as a kubelet does. Secrets hold what `content` says for a file.
fn volume(name: &str, rendered: &Kustomization, content: impl Fn(&str) -> String) -> PathBuf {
    let folder = run_dir().join(name);
    let pod = &rendered.find("Deployment", "vas-metrics-server").unwrap()["spec"]["template"]["spec"];
    for source in pod["volumes"][0]["projected"]["sources"].as_array().unwrap() {
        let whole = source["configMap"]["items"] == Value::Null && source["secret"] == Value::Null;
        if whole {
            let map = rendered.find("ConfigMap", source["configMap"]["name"].as_str().unwrap());
            write(
                &folder.join("config.yaml"),
                map.unwrap()["data"]["config.yaml"].as_str().unwrap(),
            );
            continue;
        }
        let items = [&source["secret"]["items"], &source["configMap"]["items"]];
        for item in items.into_iter().filter_map(Value::as_array).flatten() {
            let path = item["path"].as_str().unwrap();
            write(&folder.join(path), &content(path));
        }
    }
    folder
}

fn write(file: &Path, content: &str) {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for the file");
    std::fs::write(file, content).expect("a file of the volume");
}

#[test]
fn the_servers_of_the_values_are_a_file_that_the_program_loads() {
    let issued = rcgen::generate_simple_self_signed(vec!["prometheus".to_owned()]).expect("a certificate");
    let (certificate, key) = (issued.cert.pem(), issued.signing_key.serialize_pem());
    let reference = |key: &str| json!({"name": "mimir", "key": key});
    let servers = json!([
        {"name": "default", "url": "http://prometheus.monitoring:9090"},
        {
            "name": "central", "url": "https://mimir.example/prometheus",
            "bearerTokenSecret": reference("token"), "caSecret": reference("ca.crt"),
            "clientCertificateSecret": "mimir-client",
            "headers": [{"name": "X-Scope-OrgID", "value": "007"}, {"name": "X-Team", "valueSecret": reference("team")}],
            "timeout": "3s", "maxResponseSize": "8Mi", "pollInterval": "10s", "namespaceLabel": "kubernetes_namespace",
            "podLabel": "kubernetes_pod", "matchers": {"cluster": "eu-1"}, "queryNamespaceMatcher": false,
        },
        {
            "name": "team", "url": "https://thanos.example",
            "basicAuth": {"username": "vas", "passwordSecret": reference("password")},
            "caConfigMap": {"name": "ca", "key": "bundle.crt"},
        },
    ]);
    let values = format!("--set-json=prometheus.servers={servers}");
    let rendered = chart::rendered(&[&values]);
    let server = rendered.deployment("vas-metrics-server");
    let file = ("VAS_CONFIG".to_owned(), "/etc/vas/config.yaml".to_owned());
    assert!(server.env("x").contains(&file), "{:?}", server.env("x"));
    assert!(
        !server
            .env("x")
            .iter()
            .any(|(name, _)| name == "VAS_PROMETHEUS_URL")
    );
    let folder = volume("servers", &rendered, |path| match path.rsplit('/').next() {
        Some("tls.key") => key.clone(),
        Some("tls.crt" | "ca.crt") => certificate.clone(),
        _ => "secret".to_owned(),
    });
    assert_loaded(&folder.join("config.yaml"));
    let read: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(folder.join("config.yaml")).unwrap()).unwrap();
    let expected = json!({
        "name": "central", "url": "https://mimir.example/prometheus", "bearerTokenFile": "central/token",
        "caFile": "central/ca.crt", "certFile": "central/tls.crt", "keyFile": "central/tls.key",
        "headers": [
            {"name": "X-Scope-OrgID", "value": "007"},
            {"name": "X-Team", "valueFile": "central/header-X-Team"},
        ],
        "timeout": "3s", "maxResponseSize": "8Mi", "pollInterval": "10s", "namespaceLabel": "kubernetes_namespace",
        "podLabel": "kubernetes_pod", "matchers": {"cluster": "eu-1"}, "queryNamespaceMatcher": false,
    });
    assert_eq!(read["prometheusServers"][1], expected);
    assert_eq!(
        read["prometheusServers"][2]["basicAuth"]["passwordFile"],
        "team/password"
    );
}

#[test]
fn a_server_has_one_way_to_log_in_and_the_file_one_origin() {
    let token = r#""bearerTokenSecret": {"name": "a", "key": "b"}"#;
    let basic = r#""basicAuth": {"username": "a", "passwordSecret": {"name": "a", "key": "b"}}"#;
    let both =
        format!(r#"--set-json=prometheus.servers=[{{"name": "x", "url": "http://x", {token}, {basic}}}]"#);
    let one = r#"--set-json=prometheus.servers=[{"name": "x", "url": "http://x"}]"#;
    assert!(chart::template(&[one]).status.success());
    assert!(!chart::template(&[&both]).status.success());
    assert!(
        !chart::template(&[one, "--set=prometheus.existingSecret=y"])
            .status
            .success()
    );
}

/// Each file on docs/prometheus.md, with something in the files that it names.
#[test]
fn the_files_of_the_guide_are_loaded() {
    let page =
        std::fs::read_to_string(support::cluster::root().join("docs/prometheus.md")).expect("the page");
    let files: Vec<_> = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.contains("kind: MetricsServerConfiguration"))
        .collect();
    assert_eq!(files.len(), 5, "one for each section");
    for (number, file) in files.into_iter().enumerate() {
        let folder = run_dir().join(format!("guide-{number}"));
        write(&folder.join("config.yaml"), file);
        for (_, named) in file.lines().filter_map(|line| line.split_once("File: ")) {
            write(&folder.join(named.trim()), "secret");
        }
        assert_loaded(&folder.join("config.yaml"));
    }
}

#[tokio::test]
async fn the_network_policy_of_the_guide_is_accepted() {
    let page =
        std::fs::read_to_string(support::cluster::root().join("docs/prometheus.md")).expect("the page");
    let blocks = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let policies: Vec<_> = blocks
        .filter(|block| block.contains("kind: NetworkPolicy"))
        .collect();
    assert_eq!(policies.len(), 1);
    let policy = policies
        .concat()
        .replace("namespace: monitoring", "namespace: default");
    let dry_run = ["apply", "--dry-run=server", "--warnings-as-errors", "-f", "-"];
    support::Cluster::shared().kubectl_ok(&dry_run, Some(&policy));
}
