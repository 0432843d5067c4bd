//! Applies `manifests/install` and `manifests/register` to a cluster whose nodes run nothing, and leads the Services to
//! this machine.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::json;

use super::{Cluster, cluster, kustomization::Kustomization, turn};

/// The folder users apply.
pub const INSTALL: &str = "manifests/install";

/// What leads the metrics API to the install.
pub const REGISTER: &str = "manifests/register";

/// The install whose operator writes LimitRanges and ResourceQuotas.
pub const INSTALL_WITH_LIMITS: &str = "tests/fixtures/install-with-limits";

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

/// The same by `kubectl apply -k`, for a cluster on which users' commands are run after this.
#[track_caller]
pub fn apply_with_kubectl(cluster: &Cluster, install: &Kustomization) {
    let folder = install.folder().display().to_string();
    cluster.kubectl_ok(&["apply", "-k", &folder], None);
    cluster.established(cluster::CRD);
    cluster.kubectl_ok(&["apply", "-k", REGISTER], None);
}

#[track_caller]
fn apply_folder(cluster: &Cluster, folder: &'static str) -> Kustomization {
    let install = rendered(folder);
    apply_rendered(cluster, &install);
    install
}

/// The same with a kustomization that was rendered already.
#[track_caller]
pub fn apply_rendered(cluster: &Cluster, install: &Kustomization) {
    cluster.apply_all("", install.objects());
    cluster.established(cluster::CRD);
    cluster.apply_all("", rendered(REGISTER).objects());
}

/// A folder of this checkout, which kubectl renders once.
#[track_caller]
pub fn rendered(folder: &'static str) -> Kustomization {
    static RENDERED: Mutex<BTreeMap<&str, Kustomization>> = Mutex::new(BTreeMap::new());
    // Before the lock, so that nobody who works waits for one who waits for a turn.
    turn::wait();
    let mut rendered = RENDERED.lock().unwrap_or_else(PoisonError::into_inner);
    rendered
        .entry(folder)
        .or_insert_with(|| Kustomization::render(folder))
        .clone()
}

/// Makes the Service `vas-metrics-server` and its APIServices lead to a metrics server on this machine that
/// listens on `port`. Service addresses are not routed here, so the Service becomes an alias of localhost.
/// The certificate is checked all the same, for the Service's own name.
#[track_caller]
pub fn route_metrics_server(cluster: &Cluster, port: u16) {
    alias_metrics_server(cluster);
    let port = json!({"spec": {"service": {"port": port}}});
    for version in ["v1beta1", "v1beta2"] {
        cluster.patch(
            "",
            "apiservice",
            &format!("{version}.custom.metrics.k8s.io"),
            &port,
        );
    }
}

/// Makes the Service `vas-metrics-server` an alias of localhost.
#[track_caller]
pub fn alias_metrics_server(cluster: &Cluster) {
    let alias = json!({"spec": {"type": "ExternalName", "externalName": "localhost"}});
    cluster.patch("vas-system", "service", "vas-metrics-server", &alias);
}

/// Adds the component `external-metrics` after [`apply`], and makes its APIService lead to that port too.
#[track_caller]
pub fn add_external_metrics(cluster: &Cluster, port: u16) -> Kustomization {
    let install = rendered(INSTALL_WITH_EXTERNAL_METRICS);
    let name = "v1beta1.external.metrics.k8s.io";
    let mut api_service = install
        .find("APIService", name)
        .expect("the component adds it")
        .clone();
    api_service["spec"]["service"]["port"] = port.into();
    let right = ["ClusterRole", "ClusterRoleBinding"].map(|kind| {
        let found = install.find(kind, "vas-metrics-server-external");
        found
            .expect("the component adds the right to its caBundle")
            .clone()
    });
    cluster.apply_all("", &right);
    cluster.apply_all("", &[api_service]);
    install
}
