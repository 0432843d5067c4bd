//! A cluster for the install alone, because the install changes what belongs to a cluster as a whole.
//!
//! Tests take turns on it, and each installs what it needs, so their order does not matter.

use std::{sync::LazyLock, time::Duration};

use tokio::sync::Mutex;

use support::{Cluster, eventually};

/// An admission plugin of some clusters: to name an owner in a child needs a right on the owner.
const STRICT_OWNERS: [&str; 2] = [
    "--apiserver-flag",
    "enable-admission-plugins=OwnerReferencesPermissionEnforcement",
];

/// The cluster, for one test at a time.
pub(super) static CLUSTER: LazyLock<Mutex<Cluster>> =
    LazyLock::new(|| Mutex::new(Cluster::start("install", &STRICT_OWNERS)));

/// Another one, for the tests that run the installation, which take the longest.
pub(super) static RUNNING: LazyLock<Mutex<Cluster>> =
    LazyLock::new(|| Mutex::new(Cluster::start("install-running", &STRICT_OWNERS)));

pub(super) const OPERATOR: &str = "system:serviceaccount:vas-system:vas-operator";
pub(super) const METRICS_SERVER: &str = "system:serviceaccount:vas-system:vas-metrics-server";

/// Whether a user may do something, such as `get pods -n kube-system`.
pub(super) fn can(cluster: &Cluster, user: &str, what: &str) -> bool {
    let mut args = vec!["auth", "can-i", "--as", user];
    args.extend(what.split(' '));
    let output = cluster.kubectl(&args, None);
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => true,
        "no" => false,
        other => panic!("{args:?}: {other}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Waits until a user has a right: the API server and the role aggregation need a moment after a role
/// changed.
pub(super) async fn eventually_can(cluster: &Cluster, user: &str, what: &str) {
    eventually(Duration::from_secs(15), "the right is granted", || async {
        can(cluster, user, what)
            .then_some(())
            .ok_or(format!("{user} may not {what}"))
    })
    .await;
}

/// Waits until both accounts have their rights, including aggregated ones.
pub(super) async fn rights_are_in_force(cluster: &Cluster) {
    eventually_can(cluster, OPERATOR, "get deployments.apps --subresource=scale -A").await;
    eventually_can(cluster, OPERATOR, "update leases/vas-operator -n vas-system").await;
    eventually_can(
        cluster,
        METRICS_SERVER,
        "update secrets/vas-metrics-server-tls -n vas-system",
    )
    .await;
}
