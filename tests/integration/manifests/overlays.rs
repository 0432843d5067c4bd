//! The overlays: the example resource for one environment each, and nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{guide, installation};
use support::{install, kustomization::Kustomization};

const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "production"];

fn the_one_object(folder: &str) -> Value {
    match Kustomization::render(folder).objects() {
        [object] => object.clone(),
        objects => panic!("{folder} holds {} objects", objects.len()),
    }
}

#[test]
fn an_overlay_sets_the_namespace_and_the_environment_and_nothing_else() {
    for environment in ENVIRONMENTS {
        let mut expected = the_one_object("manifests/voiceassist");
        expected["metadata"]["namespace"] = json!(format!("voiceassist-{environment}"));
        expected["spec"]["environment"] = json!(environment);
        assert_eq!(the_one_object(&format!("overlays/{environment}")), expected);
    }
}

#[test]
fn every_environment_of_the_example_has_an_overlay() {
    let example = the_one_object("manifests/voiceassist");
    let named: Vec<_> = example["spec"]["environments"]
        .as_array()
        .expect("environments")
        .iter()
        .map(|environment| environment["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(named, ENVIRONMENTS);
}

#[tokio::test]
async fn several_environments_live_in_one_cluster() {
    let cluster = installation::cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
    let guide = guide::commands("One environment");
    for environment in ENVIRONMENTS {
        for command in &guide {
            guide::run(&cluster, &command.replace("production", environment));
        }
    }
    let all = "/apis/scaling.voiceassist.io/v1alpha1/voiceassistscalings";
    let stored = cluster.raw(all).expect("the resources can be listed");
    let stored: BTreeMap<_, _> = stored["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            (
                item["metadata"]["namespace"].as_str(),
                item["spec"]["environment"].as_str(),
            )
        })
        .collect();
    let expected = BTreeMap::from([
        (Some("voiceassist-dev"), Some("dev")),
        (Some("voiceassist-production"), Some("production")),
        (Some("voiceassist-staging"), Some("staging")),
    ]);
    assert_eq!(stored, expected);
    // No server answers for the APIServices here, and that would block the deletion of any namespace.
    cluster.kubectl_ok(&["delete", "--ignore-not-found", "-k", install::REGISTER], None);
    for environment in ENVIRONMENTS {
        let namespace = format!("voiceassist-{environment}");
        cluster.begin_delete("", "namespace", &namespace);
    }
}
