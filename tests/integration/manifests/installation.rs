//! The cluster that the install gets for itself, because it belongs to a cluster as a whole.
//!
//! Tests take turns on it, and each installs what it needs, so their order does not matter.

use std::{sync::LazyLock, time::Duration};

use tokio::sync::Mutex;

use crate::support::{Cluster, eventually};

/// An admission plugin that some clusters have: children may name their owner only with a right on it.
const STRICT_OWNERS: [&str; 2] = [
    "--apiserver-flag",
    "enable-admission-plugins=OwnerReferencesPermissionEnforcement",
];

/// For one test at a time.
pub static CLUSTER: LazyLock<Mutex<Cluster>> =
    LazyLock::new(|| Mutex::new(Cluster::start("install", &STRICT_OWNERS)));

pub const OPERATOR: &str = "system:serviceaccount:vas-system:vas-operator";
pub const METRICS_SERVER: &str = "system:serviceaccount:vas-system:vas-metrics-server";

/// Whether a user may do something, such as `get pods -n kube-system`.
pub fn can(cluster: &Cluster, user: &str, what: &str) -> bool {
    let mut args = vec!["auth", "can-i", "--as", user];
    args.extend(what.split(' '));
    let output = cluster.kubectl(&args, None);
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => true,
        "no" => false,
        other => panic!("{args:?}: {other}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Rights come in a moment after their role: the API server and the role aggregation watch.
pub async fn eventually_can(cluster: &Cluster, user: &str, what: &str) {
    eventually(Duration::from_secs(15), "the right is granted", || async {
        can(cluster, user, what)
            .then_some(())
            .ok_or(format!("{user} may not {what}"))
    })
    .await;
}

/// Waits until the API server knows the rights of both accounts, the aggregated ones too.
pub async fn rights_are_in_force(cluster: &Cluster) {
    eventually_can(cluster, OPERATOR, "get deployments.apps --subresource=scale -A").await;
    eventually_can(cluster, OPERATOR, "update leases/vas-operator -n vas-system").await;
    eventually_can(
        cluster,
        METRICS_SERVER,
        "update secrets/vas-metrics-server-tls -n vas-system",
    )
    .await;
}
