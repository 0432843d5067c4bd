//! The install as kubectl renders it, without a cluster.

use serde_json::{Value, json};

use super::guide;
use support::{
    install::{INSTALL, INSTALL_WITH_EXTERNAL_METRICS as INSTALL_WITH_ALL, REGISTER},
    kustomization::Kustomization,
};

const DEPLOYMENTS: [&str; 2] = ["vas-operator", "vas-metrics-server"];

/// Collects every value of a key of that name, at any depth.
fn values_of<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if name == key {
                    found.push(inner);
                }
                values_of(key, inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(key, item, found)),
        _ => {}
    }
}

fn rules(install: &Kustomization) -> impl Iterator<Item = (&str, &Value)> {
    ["Role", "ClusterRole"]
        .into_iter()
        .flat_map(|kind| install.of_kind(kind))
        .flat_map(|role| {
            let name = role["metadata"]["name"].as_str().unwrap();
            role["rules"]
                .as_array()
                .into_iter()
                .flatten()
                .map(move |rule| (name, rule))
        })
}

#[test]
fn no_role_grants_a_wildcard() {
    let install = Kustomization::render(INSTALL_WITH_ALL);
    let mut seen = 0;
    for (role, rule) in rules(&install) {
        seen += 1;
        for field in ["apiGroups", "resources", "verbs"] {
            let words = rule[field].as_array().unwrap();
            assert!(
                words.iter().all(|word| !word.as_str().unwrap().contains('*')),
                "{role} grants a wildcard: {rule}"
            );
        }
    }
    assert!(seen > 10, "only {seen} rules were looked at");
}

#[test]
fn secrets_are_granted_by_name_and_only_in_our_namespace() {
    let install = Kustomization::render(INSTALL_WITH_ALL);
    let of_secrets: Vec<_> = rules(&install)
        .filter(|(_, rule)| rule["resources"].as_array().unwrap().contains(&json!("secrets")))
        .collect();
    assert_eq!(of_secrets.len(), 1, "{of_secrets:?}");
    assert_eq!(
        of_secrets[0].1["resourceNames"],
        json!(["vas-metrics-server-tls"])
    );
    let role = install
        .find("Role", of_secrets[0].0)
        .expect("a Role, not a ClusterRole");
    assert_eq!(role["metadata"]["namespace"], "vas-system");
}

#[test]
fn nobody_may_create_or_delete_an_api_service() {
    let install = Kustomization::render(INSTALL_WITH_ALL);
    for (role, rule) in rules(&install) {
        if rule["resources"]
            .as_array()
            .unwrap()
            .contains(&json!("apiservices"))
        {
            let verbs = rule["verbs"].as_array().unwrap();
            assert!(
                !verbs.contains(&json!("create")) && !verbs.contains(&json!("delete")),
                "{role} could put back what an uninstall took away, or take a foreign one away: {rule}"
            );
            assert_ne!(
                rule["resourceNames"],
                Value::Null,
                "{role} names no APIService: {rule}"
            );
        }
    }
}

#[test]
fn tls_is_never_skipped_and_the_server_itself_brings_certificate_and_ca() {
    let install = Kustomization::render(INSTALL_WITH_ALL);
    for object in install.objects() {
        let mut found = Vec::new();
        values_of("caBundle", object, &mut found);
        assert!(found.is_empty(), "{} sets caBundle", object["metadata"]["name"]);
        values_of("insecureSkipTLSVerify", object, &mut found);
        // Written out, since an APIService that another adapter made may have it set.
        let expected = if object["kind"] == "APIService" {
            vec![&json!(false)]
        } else {
            vec![]
        };
        assert_eq!(found, expected, "{}", object["metadata"]["name"]);
    }
    let secret = install.find("Secret", "vas-metrics-server-tls").unwrap();
    assert_eq!(
        secret["data"],
        Value::Null,
        "applying the install again would replace the data"
    );
    assert_eq!(secret["stringData"], Value::Null);
}

#[test]
fn both_metrics_api_versions_are_registered_and_the_newer_one_is_preferred() {
    assert_eq!(
        Kustomization::render(INSTALL).of_kind("APIService").count(),
        0,
        "the install registers while no pod runs yet"
    );
    let registered = Kustomization::render(REGISTER);
    let found: Vec<_> = registered
        .of_kind("APIService")
        .map(|service| (&service["metadata"]["name"], &service["spec"]["versionPriority"]))
        .collect();
    let expected = [
        (&json!("v1beta1.custom.metrics.k8s.io"), &json!(100)),
        (&json!("v1beta2.custom.metrics.k8s.io"), &json!(200)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn deployments_are_hardened_probed_and_redundant() {
    let install = Kustomization::render(INSTALL);
    for name in DEPLOYMENTS {
        let deployment = install.find("Deployment", name).unwrap();
        assert_eq!(deployment["spec"]["replicas"], 2, "{name}");
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        // The image names one, and OpenShift gives each namespace its own.
        assert_eq!(pod["securityContext"]["runAsUser"], Value::Null, "{name}");
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
            "{name}"
        );
        assert_eq!(pod["enableServiceLinks"], false, "{name}");
        assert!(
            !pod["topologySpreadConstraints"].as_array().unwrap().is_empty(),
            "{name}"
        );
        let container = &pod["containers"][0];
        assert_eq!(
            container["image"],
            concat!("voiceassist/vas:", env!("CARGO_PKG_VERSION")),
            "{name}"
        );
        assert_eq!(
            container["securityContext"],
            json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            }),
            "{name}"
        );
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert_ne!(container[probe]["httpGet"], Value::Null, "{name} {probe}");
        }
        assert_ne!(container["resources"]["requests"]["cpu"], Value::Null, "{name}");
        assert_ne!(
            container["resources"]["requests"]["memory"],
            Value::Null,
            "{name}"
        );
        assert_ne!(container["resources"]["limits"]["memory"], Value::Null, "{name}");

        let budget = install.find("PodDisruptionBudget", name).unwrap();
        assert_eq!(budget["spec"]["maxUnavailable"], 1, "{name}");
        assert_eq!(
            budget["spec"]["selector"]["matchLabels"], deployment["spec"]["selector"]["matchLabels"],
            "{name}"
        );
        let service = install.find("Service", name).unwrap();
        assert_eq!(
            service["spec"]["selector"], deployment["spec"]["selector"]["matchLabels"],
            "{name}"
        );
    }
}

#[test]
fn a_deployment_becomes_a_command_with_its_own_arguments_and_environment() {
    let metrics_server = Kustomization::render(INSTALL).deployment("vas-metrics-server");
    let appended = ["--secure-port=7443".to_owned()];
    assert_eq!(
        metrics_server.args(&appended),
        ["metrics-server", "--secure-port=7443"]
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        metrics_server.env("replica-a"),
        [
            pair("POD_NAME", "replica-a"),
            pair("POD_NAMESPACE", "vas-system"),
            pair("VAS_PROMETHEUS_URL", "http://prometheus.monitoring.svc:9090"),
        ]
    );
}

#[test]
#[should_panic(expected = "would not come from the manifests")]
fn a_flag_that_the_manifests_lack_cannot_be_slipped_in() {
    let operator = Kustomization::render(INSTALL).deployment("vas-operator");
    operator.args(&["--manage-limits=false".to_owned()]);
}

#[test]
fn the_guide_s_own_kustomization_sets_the_image_and_prometheus() {
    let install = guide::kustomization("Install");
    for name in DEPLOYMENTS {
        let deployment = install.find("Deployment", name).unwrap();
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            *image,
            format!("registry.example.com/team/vas:{version}"),
            "{name}"
        );
    }
    let env = install.deployment("vas-metrics-server").env("x");
    let url = "http://prometheus-operated.monitoring.svc:9090";
    assert!(
        env.contains(&("VAS_PROMETHEUS_URL".to_owned(), url.to_owned())),
        "{env:?}"
    );
}

#[test]
fn the_file_of_prometheus_servers_is_mounted_and_the_one_url_is_gone() {
    let install = guide::kustomization("Prometheus from a file");
    let env = install.deployment("vas-metrics-server").env("x");
    let file = ("VAS_CONFIG".to_owned(), "/etc/vas/config.yaml".to_owned());
    assert!(env.contains(&file), "{env:?}");
    assert!(
        !env.iter().any(|(name, _)| name == "VAS_PROMETHEUS_URL"),
        "{env:?}"
    );
    let deployment = install.find("Deployment", "vas-metrics-server").unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["volumes"][0]["secret"]["secretName"], "vas-prometheus");
    let mount = json!({"name": "prometheus", "mountPath": "/etc/vas", "readOnly": true});
    assert_eq!(pod["containers"][0]["volumeMounts"], json!([mount]));
}

#[test]
fn network_policies_choose_the_pods_and_ports_of_the_deployments() {
    let install = guide::kustomization("Network policies");
    for name in DEPLOYMENTS {
        let policy = &install.find("NetworkPolicy", name).expect("a policy")["spec"];
        let deployment = &install.find("Deployment", name).unwrap()["spec"];
        assert_eq!(policy["podSelector"], deployment["selector"], "{name}");
        assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]), "{name}");
        let ports = deployment["template"]["spec"]["containers"][0]["ports"]
            .as_array()
            .unwrap();
        let ports: Vec<_> = ports
            .iter()
            .map(|port| (&port["name"], port["name"] == "https"))
            .collect();
        let open: Vec<_> = policy["ingress"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| (&rule["ports"][0]["port"], rule["from"] == Value::Null))
            .collect();
        assert_eq!(open, ports, "{name}: each port, and only https to all");
    }
}

/// Whether the operator may write LimitRanges or ResourceQuotas.
fn grants_limits(install: &Kustomization) -> bool {
    let reads = json!(["get", "list", "watch"]);
    rules(install).any(|(_, rule)| {
        let resources = rule["resources"].as_array().unwrap();
        let limits =
            resources.contains(&json!("limitranges")) || resources.contains(&json!("resourcequotas"));
        limits && rule["verbs"] != reads
    })
}

#[test]
fn the_operator_may_and_does_write_limits_with_their_component_alone() {
    let variable = |install: &Kustomization| {
        let env = install.deployment("vas-operator").env("x");
        assert!(
            env.iter().any(|(name, _)| name == "POD_NAME"),
            "a patch took others away: {env:?}"
        );
        let mut found = env.into_iter().filter(|(name, _)| name == "VAS_MANAGE_LIMITS");
        let value = found.next().expect("it is said either way").1;
        assert_eq!(found.next(), None, "said twice");
        value
    };
    let default = Kustomization::render(INSTALL);
    assert_eq!(
        (variable(&default).as_str(), grants_limits(&default)),
        ("false", false)
    );
    let with_limits = guide::kustomization("LimitRanges and ResourceQuotas");
    assert_eq!(
        (variable(&with_limits).as_str(), grants_limits(&with_limits)),
        ("true", true)
    );
}

#[test]
fn external_metrics_are_off_unless_the_component_is_added() {
    let name = "v1beta1.external.metrics.k8s.io";
    assert!(Kustomization::render(INSTALL).find("APIService", name).is_none());
    let install = Kustomization::render(INSTALL_WITH_ALL);
    let service = &install.find("APIService", name).expect("the component adds it")["spec"]["service"];
    let ours = install
        .find("APIService", "v1beta2.custom.metrics.k8s.io")
        .unwrap();
    assert_eq!(*service, ours["spec"]["service"]);
    let mut granted = rules(&install).filter(|(_, rule)| rule["resourceNames"] == json!([name]));
    assert!(granted.next().is_some(), "the server may not write its caBundle");
}
