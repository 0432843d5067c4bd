//! The installation that the README made goes to the next version by kustomize, and back, while HPAs hold replicas.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use support::cluster::{root, run_dir};

use crate::{
    images,
    stage::{INSTALLED, NAMESPACE, OVERLAY, Stage},
    users::Requests,
};

const GATEWAY: &str = "api-gateway";
const IMAGE: &str = "voiceassist/vas";
/// The tag of the next version. It is the same program: what is tested is the installation.
const NEXT: &str = "next";
/// Longer than a value is carried over, and longer than the HPA's window with the overlay of the tests.
const CARRIED: Duration = Duration::from_secs(25);

/// No object that scales is deleted or made again, and no replica goes that the load does not let go.
pub(crate) async fn to_the_next_version_and_back(stage: &Stage) -> String {
    // The README's environment is production, whose windows are minutes long.
    stage.cluster.kubectl_ok(&["apply", "-k", OVERLAY], None);
    stage.at_rest().await;
    let archive = images::archive(&format!("{IMAGE}:{NEXT}"), &images::vas_program());
    stage.cluster.load(&[archive]);
    let before = identities(stage);
    assert_eq!(
        before.len(),
        5,
        "one resource, and an HPA and a PDB for each workload: {before:?}"
    );

    let requests = Requests::send(stage, "upgraded", 450, 0);
    let (reached, _) = stage.replicas.rise(GATEWAY, 5, Duration::from_secs(240)).await;
    let began = Instant::now();
    let mut took = Vec::new();
    for (folder, tag) in [
        (next_version(), NEXT),
        (root().join("manifests/install"), env!("CARGO_PKG_VERSION")),
    ] {
        let step = Instant::now();
        tokio::task::block_in_place(|| applied(stage, &folder, tag));
        took.push(format!("{:.0} s", step.elapsed().as_secs_f64()));
        assert_eq!(identities(stage), before, "at {tag}");
    }
    tokio::time::sleep(CARRIED).await;
    stage.replicas.assert_none_fell(GATEWAY, began);
    let (sent, failed, why) = requests.end().await;
    assert_eq!(failed, 0, "of {sent} requests: {why}");
    stage.scaled_to_the_fewest().await;
    format!(
        "rollouts {}; {} objects kept their UIDs, {reached} replicas stayed; {sent} requests, none failed",
        took.join(" and "),
        before.len()
    )
}

/// A kustomization of the user's own, as docs/install.md shows it, with another tag.
fn next_version() -> PathBuf {
    let folder = run_dir().join("kustomizations/next");
    std::fs::create_dir_all(&folder).expect("a folder");
    let below = folder
        .strip_prefix(root())
        .expect("a run's folder lies in the checkout");
    let up = "../".repeat(below.components().count());
    let text = format!("resources: [{up}manifests/install]\nimages: [{{name: {IMAGE}, newTag: {NEXT}}}]\n");
    std::fs::write(folder.join("kustomization.yaml"), text).expect("a kustomization");
    folder
}

/// Applies an installation, and waits until both Deployments run nothing but its image.
fn applied(stage: &Stage, folder: &Path, tag: &str) {
    let folder = folder.to_string_lossy();
    stage.cluster.kubectl_ok(&["apply", "-k", &folder], None);
    for deployment in ["vas-operator", "vas-metrics-server"] {
        let image = stage.get(INSTALLED, &format!("deployment/{deployment}"));
        let image = &image["spec"]["template"]["spec"]["containers"][0]["image"];
        assert_eq!(*image, format!("{IMAGE}:{tag}"), "{deployment}");
        stage.rolled_out(INSTALLED, deployment);
    }
}

/// Kind, name and UID of all that scales.
fn identities(stage: &Stage) -> Vec<String> {
    let list = stage.get(NAMESPACE, "voiceassistscalings,hpa,pdb");
    let items = list["items"].as_array().expect("a list");
    let text = |item: &Value, path: &str| {
        item.pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut identities: Vec<String> = items
        .iter()
        .map(|item| {
            ["/kind", "/metadata/name", "/metadata/uid"]
                .map(|path| text(item, path))
                .join(" ")
        })
        .collect();
    identities.sort();
    identities
}
