//! VoiceAssist's own manifests: the resource and the overlays scale what they hold, the database has room for all of its pods,
//! and a real API server takes them without a word.

use std::collections::BTreeSet;

use serde_json::Value;

use super::installation;
use support::{kustomization::Kustomization, namespace::Namespace};

const FOLDER: &str = "examples/voiceassist/manifests/service";
const LOCAL: &str = "examples/voiceassist/manifests/local";

/// Builds the images that a local cluster runs.
const BUILD: &str = "examples/voiceassist/image/build.sh";

/// Connections of a process beside its pool: one that reads the depth of the queue.
const OBSERVER: u64 = 1;

/// Connections that PostgreSQL keeps for its administrators.
const RESERVED: u64 = 3;

fn container(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]["containers"][0]
}

/// The value of a variable of its first container.
fn variable(object: &Value, name: &str) -> u64 {
    let variables = container(object)["env"].as_array().expect("variables");
    let variable = variables.iter().find(|variable| variable["name"] == name);
    let value = variable.and_then(|variable| variable["value"].as_str());
    value.and_then(|value| value.parse().ok()).expect("a number")
}

/// The most replicas of a workload in any environment.
fn most_replicas(name: &str) -> u64 {
    let rendered = Kustomization::render("manifests/voiceassist");
    let spec = &rendered.objects()[0]["spec"];
    let environments = spec["environments"].as_array().expect("environments");
    let all = environments.iter().chain([spec]);
    let workloads = all.flat_map(|environment| environment["workloads"].as_array().into_iter().flatten());
    let replicas = workloads.filter(|workload| workload["name"] == name);
    replicas
        .filter_map(|workload| workload["maxReplicas"].as_u64())
        .max()
        .expect("maxReplicas")
}

/// Pods of a Deployment that may have connections at once: all replicas, one more of a rolling update, and one that ends. There
/// is no second one that ends, because the next pod is not available before the first one is gone.
fn pods(deployment: &Value, name: &str) -> u64 {
    let spec = &deployment["spec"];
    assert_eq!(spec["strategy"]["rollingUpdate"]["maxUnavailable"], 0, "{name}");
    let surge = spec["strategy"]["rollingUpdate"]["maxSurge"]
        .as_u64()
        .expect("a number of pods");
    let wait = spec["minReadySeconds"].as_u64().expect("minReadySeconds");
    let end = spec["template"]["spec"]["terminationGracePeriodSeconds"].as_u64();
    assert!(
        wait >= end.expect("a grace period"),
        "{name}: the next pod does not wait for the end of the last one"
    );
    assert!(spec["replicas"].is_null(), "{name}: the HPA sets its replicas");
    most_replicas(name) + surge + surge
}

#[test]
fn the_pools_of_all_pods_fit_into_the_database_during_a_rolling_update_and_a_migration() {
    let rendered = Kustomization::render(FOLDER);
    let mut connections = 1; // the migration
    for name in ["api-gateway", "worker"] {
        let deployment = rendered.find("Deployment", name).expect("a Deployment");
        let of_one = variable(deployment, "POOL_SIZE") + variable(deployment, "POOL_OVERFLOW") + OBSERVER;
        connections += pods(deployment, name) * of_one;
    }
    let postgres = rendered.find("StatefulSet", "postgres").expect("PostgreSQL");
    let arguments = container(postgres)["args"].as_array().expect("arguments");
    let arguments = arguments.iter().filter_map(Value::as_str);
    let most: u64 = arguments
        .filter_map(|argument| argument.strip_prefix("max_connections="))
        .find_map(|number| number.parse().ok())
        .expect("max_connections");
    assert_eq!(connections, 187, "the manifest of PostgreSQL names this number");
    assert!(connections <= most - RESERVED, "{connections} of {most}");
}

#[test]
fn a_local_cluster_takes_the_images_that_are_built_here_and_needs_no_storage() {
    let rendered = Kustomization::render(LOCAL);
    let images = rendered
        .objects()
        .iter()
        .filter_map(|object| container(object)["image"].as_str());
    let images: BTreeSet<&str> = images.collect();
    let built = [
        "voiceassist/postgres:15",
        "voiceassist/redis:7",
        "voiceassist/service:0.1.0",
    ];
    assert_eq!(images, BTreeSet::from(built));
    let postgres = rendered.find("StatefulSet", "postgres").expect("PostgreSQL");
    assert!(postgres["spec"]["volumeClaimTemplates"].is_null());
    let script = std::fs::read_to_string(support::cluster::root().join(BUILD)).expect("the script");
    for words in [
        "debian postgres 15",
        "debian redis 7",
        "voiceassist/service:$version",
    ] {
        assert!(script.contains(words), "{words}");
    }
}

#[test]
fn the_resource_scales_what_is_there() {
    let (service, resource) = (
        Kustomization::render(FOLDER),
        Kustomization::render("manifests/voiceassist"),
    );
    for workload in resource.objects()[0]["spec"]["workloads"]
        .as_array()
        .expect("workloads")
    {
        let target = &workload["scaleTargetRef"];
        let (kind, name) = (
            target["kind"].as_str().expect("a kind"),
            target["name"].as_str().expect("a name"),
        );
        let found = service.find(kind, name).expect("the target is there");
        let requests = &container(found)["resources"]["requests"];
        for metric in workload["metrics"].as_array().expect("metrics") {
            if let Some(resource) = metric["resource"]["name"].as_str() {
                assert!(requests[resource].is_string(), "{name} requests no {resource}");
            }
        }
    }
}

#[test]
fn no_secret_is_written_down_and_each_that_is_used_is_made_by_the_script() {
    let rendered = Kustomization::render(FOLDER);
    assert_eq!(rendered.of_kind("Secret").count(), 0);
    let made = secret();
    let used = rendered.objects().iter().flat_map(|object| {
        let variables = container(object)["env"].as_array().cloned().unwrap_or_default();
        variables
            .into_iter()
            .map(|variable| variable["valueFrom"]["secretKeyRef"].clone())
    });
    let used: Vec<Value> = used.filter(|reference| !reference.is_null()).collect();
    assert!(used.len() >= 6, "{used:?}");
    for reference in used {
        assert_eq!(reference["name"], made["metadata"]["name"]);
        let value = &made["stringData"][reference["key"].as_str().expect("a key")];
        assert!(
            value.as_str().is_some_and(|value| value.len() == 48),
            "{reference}: {made}"
        );
    }
}

fn secret() -> Value {
    let script = support::cluster::root().join(FOLDER).join("secret.sh");
    let output = std::process::Command::new(script)
        .output()
        .expect("the script runs");
    serde_saphyr::from_slice(&output.stdout).expect("YAML")
}

#[tokio::test]
async fn an_api_server_takes_them_in_a_namespace_with_the_strictest_rules_for_pods() {
    let cluster = installation::cluster().await;
    let namespace = Namespace::create(&cluster, "voiceassist-service");
    let strict = ["enforce", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}=restricted"));
    cluster.kubectl_ok(
        &["label", "namespace", namespace.name(), &strict[0], &strict[1]],
        None,
    );
    let secret = serde_json::to_string(&secret()).expect("JSON");
    namespace.apply(&secret);
    let output = cluster.kubectl(&["apply", "-n", namespace.name(), "-k", FOLDER], None);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    for (kind, name) in [
        ("deployment", "api-gateway"),
        ("deployment", "worker"),
        ("statefulset", "postgres"),
    ] {
        assert!(namespace.object(kind, name).is_some(), "{kind} {name}");
    }
}
