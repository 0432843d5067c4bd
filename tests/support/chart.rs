//! The Helm chart `charts/vas`: rendered as `helm template` does, and installed in a cluster.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use super::{
    Cluster,
    cluster::{helm, root, run_dir},
    kustomization::Kustomization,
};

/// The folder of the chart.
pub const CHART: &str = "charts/vas";

/// The namespace and the name of a release that is like `manifests/install`.
pub const NAMESPACE: &str = "vas-system";
pub const RELEASE: &str = "vas";

/// The oldest Kubernetes that the chart allows.
const OLDEST: &str = "--kube-version=1.30.0";

/// Runs `helm template` with these arguments, such as `--set=limits=true`.
pub fn template(args: &[&str]) -> Output {
    template_from(Path::new(CHART), args)
}

fn template_from(chart: &Path, args: &[&str]) -> Output {
    super::turn::wait();
    let chart = chart.to_string_lossy();
    command(&["template", RELEASE, &chart, "-n", NAMESPACE, OLDEST], args)
        .output()
        .expect("helm starts")
}

/// What `helm template` renders; panics with its words if it fails or warns.
#[track_caller]
pub fn rendered(args: &[&str]) -> Kustomization {
    rendered_from(Path::new(CHART), args)
}

/// The same of a copy of the chart.
#[track_caller]
pub fn rendered_from(chart: &Path, args: &[&str]) -> Kustomization {
    let output = template_from(chart, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{args:?}: {stderr}");
    let yaml = String::from_utf8(output.stdout).expect("helm writes UTF-8");
    let objects: Vec<Value> = serde_saphyr::from_multiple(&yaml).expect("helm writes YAML");
    let objects = objects.into_iter().filter(|object| !object.is_null());
    Kustomization::of(chart, objects.collect())
}

/// Runs helm as the administrator of a cluster.
pub fn run(cluster: &Cluster, args: &[&str]) -> Output {
    command(args, &[])
        .env("KUBECONFIG", cluster.kubeconfig())
        .output()
        .expect("helm starts")
}

/// Runs helm and returns its standard output; panics with its words if it fails.
#[track_caller]
pub fn run_ok(cluster: &Cluster, args: &[&str]) -> String {
    let output = run(cluster, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {args:?} failed: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Helm in the checkout, with caches of this run.
fn command(args: &[&str], more: &[&str]) -> Command {
    let mut command = Command::new(helm());
    command.args(args).args(more).current_dir(root());
    for (variable, folder) in [
        ("HELM_CACHE_HOME", "helm/cache"),
        ("HELM_CONFIG_HOME", "helm/config"),
        ("HELM_DATA_HOME", "helm/data"),
    ] {
        command.env(variable, run_dir().join(folder));
    }
    command
}
