//! A cluster for the install alone, because the install changes what belongs to a cluster as a whole.
//!
//! Tests take turns on it, and each installs what it needs, so their order does not matter.

use std::{convert::Infallible, time::Duration};

use support::{
    Cluster, eventually,
    shared::{Group, Held},
};

/// An admission plugin of some clusters: to name an owner in a child needs a right on the owner.
const STRICT_OWNERS: [&str; 2] = [
    "--apiserver-flag",
    "enable-admission-plugins=OwnerReferencesPermissionEnforcement",
];

/// The cluster, for one test at a time.
pub(super) async fn cluster() -> Held<Cluster> {
    static CLUSTER: Group<Cluster> = Group::new();
    CLUSTER
        .hold(async || Ok::<_, Infallible>(started("install")))
        .await
}

/// Another one, for the tests that run the installation, which take the longest.
pub(super) async fn running() -> Held<Cluster> {
    static CLUSTER: Group<Cluster> = Group::new();
    CLUSTER
        .hold(async || Ok::<_, Infallible>(started("install-running")))
        .await
}

fn started(name: &str) -> Cluster {
    Cluster::start(name, &STRICT_OWNERS)
}

pub(super) const OPERATOR: &str = "system:serviceaccount:vas-system:vas-operator";
pub(super) const METRICS_SERVER: &str = "system:serviceaccount:vas-system:vas-metrics-server";

/// Waits until a user has a right: the API server and the role aggregation need a moment after a role
/// changed.
pub(super) async fn eventually_can(cluster: &Cluster, user: &str, what: &str) {
    eventually(Duration::from_secs(60), "the right is granted", || async {
        cluster
            .can(user, what)
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
