//! The values of the chart: each has its effect, and what is not a value is refused.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::metrics_server::stack::stack;
use support::{chart, cluster::run_dir, eventually, vas};

/// A file of values in a directory of this run, as `--values=FILE`.
fn values(name: &str, content: &Value) -> String {
    let folder = run_dir().join("values");
    std::fs::create_dir_all(&folder).expect("a folder for the values");
    let file = folder.join(name);
    std::fs::write(&file, content.to_string()).expect("values can be written");
    format!("--values={}", file.display())
}

#[track_caller]
fn refused(args: &[&str]) -> String {
    let output = chart::template(args);
    assert!(!output.status.success(), "{args:?} was accepted");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_not_a_value_is_refused() {
    for (unknown, named) in [
        ("--set=replicas=3", "replicas"),
        ("--set=operator.replica=3", "replica"),
        ("--set=prometheus.urls=http://x", "urls"),
        ("--set=metricsServer.securePort=0", "securePort"),
        ("--set=image.digest=sha256:1", "digest"),
        ("--set=watchNamespaces[0]=A", "watchNamespaces"),
        ("--set=tls.certManager.enabled=true", "issuerRef"),
        ("--set=scalings[0].name=x", "spec"),
        (
            "--set=prometheus.servers[0].name=x,prometheus.servers[0].url=http://x,prometheus.servers[0].token=secret",
            "token",
        ),
        (
            "--set=prometheus.servers[0].name=x,prometheus.servers[0].url=http://x,prometheus.servers[1].name=x,prometheus.servers[1].url=http://y",
            "two servers have the name",
        ),
        ("--set=image.repository=a b", "repository"),
        ("--set-string=image.tag=1: 2", "tag"),
        ("--set=apiServices.caBundle=a b", "caBundle"),
        (
            "--set=tls.certManager.enabled=true,tls.certManager.issuerRef.name=",
            "issuerRef",
        ),
        ("--set=operator=null", "missing property 'operator'"),
        ("--set=tls.certManager=null", "missing property 'certManager'"),
        ("--set=metricsServer.metricsPort=6443", "a port of its own"),
        (
            "--set=operator.hostNetwork=true,metricsServer.hostNetwork=true",
            "operator.metricsPort and metricsServer.metricsPort are both 8080",
        ),
        (
            "--set=operator.hostNetwork=true,metricsServer.hostNetwork=true,operator.metricsPort=6443",
            "operator.metricsPort and metricsServer.securePort are both 6443",
        ),
        (
            "--set=tls.existingSecret=own,apiServices.create=true",
            "set apiServices.caBundle to the issuer's certificate",
        ),
        // Two equal keys would be two selectors.
        (
            "--set=operator.podLabels.app\\.kubernetes\\.io/name=x",
            "podLabels",
        ),
        (
            "--set=serviceMonitor.labels.app\\.kubernetes\\.io/part-of=x",
            "serviceMonitor/labels",
        ),
    ] {
        let words = refused(&[unknown]);
        assert!(words.contains(named), "{unknown}: {words}");
    }
}

#[test]
fn a_text_stays_a_text_whatever_it_looks_like() {
    let url = "http://x: y #z\n- \"{{ .Release.Name }}\"";
    let reference = json!({"name": "1", "key": "a, b: {c}"});
    let short = values(
        "texts.yaml",
        &json!({
            "prometheus": {"url": url},
            "tls": {"existingSecret": "1e3"},
            "operator": {"priorityClassName": "a: b"},
            "watchNamespaces": ["123"],
            "scalings": [{"name": "true", "namespace": "0", "spec": {}}],
        }),
    );
    let rendered = chart::rendered(&["--namespace=123", &short]);
    for object in rendered.objects() {
        for field in ["/metadata/name", "/metadata/namespace"] {
            let value = object.pointer(field);
            assert!(value.is_none_or(Value::is_string), "{field}: {object}");
        }
    }
    let server = rendered.find("Deployment", "vas-metrics-server").unwrap();
    let env = &server["spec"]["template"]["spec"]["containers"][0]["env"];
    let env = env.as_array().unwrap();
    assert!(
        env.contains(&json!({"name": "VAS_PROMETHEUS_URL", "value": url})),
        "{env:?}"
    );
    assert!(
        env.contains(&json!({"name": "VAS_WATCH_NAMESPACE", "value": "123"})),
        "{env:?}"
    );
    let operator = rendered.find("Deployment", "vas-operator").unwrap();
    assert_eq!(operator["spec"]["template"]["spec"]["priorityClassName"], "a: b");
    let file = values(
        "servers.yaml",
        &json!({"prometheus": {"servers": [{
            "name": "123", "url": "http://x", "bearerTokenSecret": reference,
            "headers": [{"name": "1", "value": "a\n- \"b\""}],
        }]}}),
    );
    let rendered = chart::rendered(&[&file]);
    let server = rendered.find("Deployment", "vas-metrics-server").unwrap();
    let source = &server["spec"]["template"]["spec"]["volumes"][0]["projected"]["sources"][1]["secret"];
    let expected = json!({"name": "1", "items": [{"key": "a, b: {c}", "path": "123/token"}]});
    assert_eq!(*source, expected);
    let config = rendered.find("ConfigMap", "vas-prometheus").unwrap();
    let config = config["data"]["config.yaml"].as_str().unwrap();
    let config: Value = serde_saphyr::from_str(config).expect("it is YAML");
    let server = &config["prometheusServers"][0];
    assert_eq!(server["name"], "123");
    assert_eq!(server["headers"][0], json!({"name": "1", "value": "a\n- \"b\""}));
}

#[test]
fn each_option_of_a_pod_reaches_both_deployments() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let component = json!({
        "replicas": 3,
        "resources": {"requests": {"cpu": "1"}},
        "extraArgs": ["--log-format=json"],
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "extraVolumes": [{"name": "extra", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
        "annotations": {"a": "1"},
        "podAnnotations": {"b": "2"},
        "podLabels": {"c": "3"},
        "serviceAccountAnnotations": {"d": "4"},
        "priorityClassName": "high",
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "k", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}],
        "podSecurityContext": {"fsGroup": 7},
        "securityContext": {"runAsUser": 8},
        "hostNetwork": true,
        "metricsPort": 9080,
    });
    let mut server = component.clone();
    server["securePort"] = json!(7443);
    // Two pods on the network of one node need ports of their own.
    server["metricsPort"] = json!(9081);
    let file = values(
        "pod.yaml",
        &json!({
            "image": {"repository": "registry.example.com/vas", "digest": digest},
            "imagePullSecrets": [{"name": "registry"}],
            "operator": component,
            "metricsServer": server,
        }),
    );
    let rendered = chart::rendered(&[&file]);
    for (name, port) in [("vas-operator", 9080), ("vas-metrics-server", 9081)] {
        let deployment = rendered.find("Deployment", name).expect("a Deployment");
        let at = |pointer: &str| deployment.pointer(pointer).cloned().unwrap_or_default();
        let pod = |pointer: &str| at(&format!("/spec/template/spec{pointer}"));
        let container = |pointer: &str| pod(&format!("/containers/0{pointer}"));
        assert_eq!(at("/spec/replicas"), 3);
        assert_eq!(at("/metadata/annotations"), component["annotations"]);
        assert_eq!(
            at("/spec/template/metadata/annotations"),
            component["podAnnotations"]
        );
        assert_eq!(at("/spec/template/metadata/labels/c"), "3");
        for field in [
            "priorityClassName",
            "nodeSelector",
            "tolerations",
            "affinity",
            "topologySpreadConstraints",
            "hostNetwork",
        ] {
            assert_has(&pod(&format!("/{field}")), &component[field]);
        }
        assert_has(&pod("/securityContext"), &component["podSecurityContext"]);
        assert_eq!(pod("/dnsPolicy"), "ClusterFirstWithHostNet");
        assert_eq!(pod("/imagePullSecrets"), json!([{"name": "registry"}]));
        assert_eq!(pod("/volumes"), component["extraVolumes"]);
        assert_eq!(container("/image"), format!("registry.example.com/vas@{digest}"));
        assert_eq!(container("/args/1"), "--log-format=json");
        assert_has(&container("/resources"), &component["resources"]);
        assert_has(&container("/securityContext"), &component["securityContext"]);
        assert_eq!(container("/volumeMounts"), component["extraVolumeMounts"]);
        let env = container("/env");
        let env = env.as_array().expect("a list");
        assert!(env.contains(&component["extraEnv"][0]), "{name}: {env:?}");
        let bound = json!({"name": "VAS_METRICS_BIND_ADDRESS", "value": format!("[::]:{port}")});
        assert!(env.contains(&bound), "{name}: {env:?}");
        let ports = container("/ports");
        let ports = ports.as_array().expect("a list");
        assert!(ports.contains(&json!({"name": "metrics", "containerPort": port})));
        let account = rendered.find("ServiceAccount", name).expect("a ServiceAccount");
        assert_eq!(
            account["metadata"]["annotations"],
            component["serviceAccountAnnotations"]
        );
    }
    let server = rendered.find("Deployment", "vas-metrics-server").unwrap();
    let container = &server["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], 7443);
    let port = json!({"name": "VAS_SECURE_PORT", "value": "7443"});
    assert!(container["env"].as_array().unwrap().contains(&port));
}

/// Asserts that a value is there. Helm adds maps of the user to the chart's own, so there may be more in them.
#[track_caller]
fn assert_has(rendered: &Value, given: &Value) {
    match given.as_object() {
        Some(map) => map
            .iter()
            .for_each(|(key, value)| assert_has(&rendered[key], value)),
        None => assert_eq!(rendered, given),
    }
}

#[test]
fn the_tag_of_an_image_can_be_another_than_the_version() {
    let rendered = chart::rendered(&["--set=image.tag=nightly"]);
    let deployment = rendered.find("Deployment", "vas-operator").unwrap();
    let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "voiceassist/vas:nightly");
}

#[test]
fn a_certificate_of_one_s_own_is_mounted_and_read_and_the_shared_secret_is_gone() {
    let issued =
        "--set=tls.certManager.enabled=true,tls.certManager.issuerRef.name=ca,apiServices.create=true";
    for (args, secret) in [
        (vec!["--set=tls.existingSecret=own"], "own"),
        (vec![issued], "vas-metrics-server-cert"),
    ] {
        let rendered = chart::rendered(&args);
        assert!(rendered.find("Secret", "vas-metrics-server-tls").is_none());
        let role = rendered.find("Role", "vas-metrics-server").unwrap();
        assert!(!role.to_string().contains("secrets"), "{role}");
        let pod = &rendered.find("Deployment", "vas-metrics-server").unwrap()["spec"]["template"]["spec"];
        assert_eq!(
            pod["volumes"],
            json!([{"name": "tls", "secret": {"secretName": secret}}])
        );
        let env = rendered.deployment("vas-metrics-server").env("x");
        let folder = pod["containers"][0]["volumeMounts"][0]["mountPath"]
            .as_str()
            .unwrap();
        for (name, file) in [
            ("VAS_TLS_CERT_FILE", "tls.crt"),
            ("VAS_TLS_PRIVATE_KEY_FILE", "tls.key"),
        ] {
            assert!(
                env.contains(&(name.to_owned(), format!("{folder}/{file}"))),
                "{env:?}"
            );
        }
    }
    let rendered = chart::rendered(&[issued]);
    let certificate = rendered.find("Certificate", "vas-metrics-server").unwrap();
    assert_eq!(
        certificate["spec"]["dnsNames"],
        json!(["vas-metrics-server.vas-system.svc"]),
        "the name that the aggregation layer checks"
    );
    for service in rendered.of_kind("APIService") {
        assert_eq!(
            service["metadata"]["annotations"]["cert-manager.io/inject-ca-from"],
            "vas-system/vas-metrics-server"
        );
    }
    let own =
        chart::rendered(&["--set=tls.existingSecret=own,apiServices.create=true,apiServices.caBundle=YQ=="]);
    assert!(
        own.of_kind("APIService")
            .all(|service| service["spec"]["caBundle"] == "YQ==")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_test_passes_where_a_ready_server_answers_and_fails_where_none_does() {
    let rendered = chart::rendered(&[]);
    let pod = rendered.find("Pod", "vas-test").expect("a test");
    let args = pod["spec"]["containers"][0]["args"].as_array().unwrap();
    let args: Vec<_> = args.iter().map(|arg| arg.as_str().unwrap()).collect();
    let service = "http://vas-metrics-server.vas-system.svc:8080/readyz";
    assert!(args.contains(&service), "{args:?}");
    // Service addresses are not routed here, so the process asks this machine.
    let asks = |port: u16| {
        let url = format!("http://127.0.0.1:{port}/readyz");
        let args: Vec<_> = args
            .iter()
            .map(|arg| if *arg == service { url.as_str() } else { arg })
            .collect();
        let output = vas::run(&args);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, words) = asks(support::process::free_port());
    assert_eq!(code, Some(99), "{words}");
    let stack = stack().await;
    eventually(Duration::from_secs(60), "a ready server passes", || async {
        let (code, words) = asks(stack.metrics_port);
        if code == Some(0) { Ok(()) } else { Err(words) }
    })
    .await;
}

#[test]
fn every_value_has_its_place_in_the_schema() {
    let read = |file: &str| {
        std::fs::read_to_string(support::cluster::root().join(chart::CHART).join(file))
            .expect("a file of the chart")
    };
    let values: Value = serde_saphyr::from_str(&read("values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let mut missing = String::new();
    unschooled("", &values, &schema, &mut missing);
    assert!(
        missing.is_empty(),
        "not in both values.yaml and values.schema.json:{missing}"
    );
}

/// Notes the keys that the default values and the schema do not share.
fn unschooled(path: &str, values: &Value, schema: &Value, missing: &mut String) {
    let (Some(values), Some(properties)) = (values.as_object(), schema["properties"].as_object()) else {
        return;
    };
    // Labels of the user: a schema of them names only those that the chart sets itself, and refuses these.
    if !properties.is_empty() && properties.values().all(|schema| *schema == json!(false)) {
        return;
    }
    if schema["additionalProperties"] != json!(false) {
        let _ = write!(missing, " {path} (open)");
    }
    for key in values.keys().chain(properties.keys()) {
        let path = format!("{path}.{key}");
        match (values.get(key), properties.get(key)) {
            (Some(value), Some(schema)) => unschooled(&path, value, schema, missing),
            // What Helm itself gives to each chart, and what a default cannot show.
            _ if [".global", ".tls.certManager.issuerRef.name"].contains(&path.as_str())
                || path.starts_with(".tls.certManager.issuerRef.") => {}
            _ => {
                let _ = write!(missing, " {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_real_api_server_takes_what_the_options_render() {
    let server = json!({"name": "a", "url": "https://a", "bearerTokenSecret": {"name": "x", "key": "token"}});
    let file = values(
        "all.yaml",
        &json!({
            "limits": true, "externalMetrics": true, "networkPolicy": {"enabled": true}, "crds": {"install": false},
            "prometheus": {"servers": [server]}, "tls": {"existingSecret": "own"},
            "apiServices": {"create": true, "caBundle": "YQ=="},
            "imagePullSecrets": [{"name": "registry"}],
            "metricsServer": {
                "extraVolumes": [{"name": "extra", "emptyDir": {}}],
                "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
                "tolerations": [{"key": "k", "operator": "Exists"}],
                "hostNetwork": true, "securePort": 7443, "metricsPort": 9080,
            },
        }),
    );
    let rendered = chart::rendered(&["-n=default", &file]);
    let cluster = support::Cluster::shared();
    for object in rendered.objects() {
        let dry_run = [
            "apply",
            "--dry-run=server",
            "--validate=strict",
            "--warnings-as-errors",
            "-f",
            "-",
        ];
        cluster.kubectl_ok(&dry_run, Some(&object.to_string()));
    }
}
