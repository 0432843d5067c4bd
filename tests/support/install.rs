//! Applies `manifests/install` and `manifests/register` to a cluster whose nodes run nothing, and leads the Services to
//! this machine.

use super::{Cluster, kustomization::Kustomization};

/// The folder users apply.
pub const INSTALL: &str = "manifests/install";

/// What leads the metrics API to the install.
pub const REGISTER: &str = "manifests/register";

/// The install whose operator writes LimitRanges and ResourceQuotas.
const INSTALL_WITH_LIMITS: &str = "tests/fixtures/install-with-limits";

/// The install with all optional components, and with its APIServices.
pub const INSTALL_WITH_EXTERNAL_METRICS: &str = "tests/fixtures/install-with-external-metrics";

/// Applies the install, waits until the resource is served, and registers. The APIServices lead nowhere until
/// [`route_metrics_server`].
#[track_caller]
pub fn apply(cluster: &Cluster) -> Kustomization {
    apply_folder(cluster, INSTALL)
}

/// The same with the component `limits`.
#[track_caller]
pub fn apply_with_limits(cluster: &Cluster) -> Kustomization {
    apply_folder(cluster, INSTALL_WITH_LIMITS)
}

#[track_caller]
fn apply_folder(cluster: &Cluster, folder: &str) -> Kustomization {
    let install = Kustomization::render(folder);
    apply_rendered(cluster, &install);
    install
}

/// The same with a kustomization that was rendered already.
#[track_caller]
pub fn apply_rendered(cluster: &Cluster, install: &Kustomization) {
    let folder = install.folder().display().to_string();
    cluster.kubectl_ok(&["apply", "-k", &folder], None);
    cluster.kubectl_ok(
        &[
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd/voiceassistscalings.scaling.voiceassist.io",
        ],
        None,
    );
    cluster.kubectl_ok(&["apply", "-k", REGISTER], None);
}

/// Makes the Service `vas-metrics-server` and its APIServices lead to a metrics server on this machine that
/// listens on `port`. Service addresses are not routed here, so the Service becomes an alias of localhost.
/// The certificate is checked all the same, for the Service's own name.
#[track_caller]
pub fn route_metrics_server(cluster: &Cluster, port: u16) {
    alias_metrics_server(cluster);
    let port = format!(r#"{{"spec": {{"service": {{"port": {port}}}}}}}"#);
    for version in ["v1beta1", "v1beta2"] {
        let name = format!("{version}.custom.metrics.k8s.io");
        cluster.kubectl_ok(&["patch", "apiservice", &name, "--type=merge", "-p", &port], None);
    }
}

/// Makes the Service `vas-metrics-server` an alias of localhost.
#[track_caller]
pub fn alias_metrics_server(cluster: &Cluster) {
    let alias = r#"{"spec": {"type": "ExternalName", "externalName": "localhost"}}"#;
    cluster.kubectl_ok(
        &[
            "-n",
            "vas-system",
            "patch",
            "service",
            "vas-metrics-server",
            "-p",
            alias,
        ],
        None,
    );
}

/// Adds the component `external-metrics` after [`apply`], and makes its APIService lead to that port too.
#[track_caller]
pub fn add_external_metrics(cluster: &Cluster, port: u16) -> Kustomization {
    let install = Kustomization::render(INSTALL_WITH_EXTERNAL_METRICS);
    let name = "v1beta1.external.metrics.k8s.io";
    let mut api_service = install
        .find("APIService", name)
        .expect("the component adds it")
        .clone();
    api_service["spec"]["service"]["port"] = port.into();
    let right = ["ClusterRole", "ClusterRoleBinding"].map(|kind| {
        let found = install.find(kind, "vas-metrics-server-external");
        found.expect("the component adds the right to its caBundle")
    });
    for object in right.into_iter().chain([&api_service]) {
        cluster.kubectl_ok(&["apply", "-f", "-"], Some(&object.to_string()));
    }
    install
}
