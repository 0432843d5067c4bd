//! Requests of the operator, counted by the API server's audit log: for a new resource, after a restart, and
//! at rest.
//!
//! The cluster is of these tests alone and runs no controllers, so only the operator acts.

use std::{collections::BTreeMap, time::Duration};

use super::fixture::{Operated, deployment, operator, resource, workload};
use support::{Cluster, audit, eventually};

const RESOURCES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(180);

/// The operator's requests in its namespace since a moment, by verb and resource. Watches are left out,
/// because they end and begin by themselves.
fn requests(operated: &Operated<'_>, since: jiff::Timestamp) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in audit::requests(operated.cluster) {
        let object = request.object.clone().unwrap_or_default();
        let ours = request.user_agent.starts_with("vas/") && request.received >= since;
        if ours && object.namespace == operated.namespace.name() && request.verb != "watch" {
            let subresource = if object.subresource.is_empty() {
                ""
            } else {
                "/status"
            };
            *counts
                .entry(format!("{} {}{subresource}", request.verb, object.resource))
                .or_default() += 1;
        }
    }
    counts
}

/// Waits until the operator has sent no request for some seconds. Returns its requests since `since`.
async fn at_rest(operated: &Operated<'_>, since: jiff::Timestamp) -> BTreeMap<String, usize> {
    let mut last = (BTreeMap::new(), std::time::Instant::now());
    eventually(PATIENCE, "the operator is at rest", || {
        let now = requests(operated, since);
        if now != last.0 {
            last = (now, std::time::Instant::now());
        }
        let quiet = last.1.elapsed();
        async move {
            if quiet > Duration::from_secs(5) {
                Ok(())
            } else {
                Err(format!("quiet for {quiet:?}"))
            }
        }
    })
    .await;
    requests(operated, since)
}

#[tokio::test]
async fn a_new_resource_costs_its_children_a_status_an_event_and_a_get_and_a_restart_costs_lists_alone() {
    let cluster = Cluster::start("operator-costs", &[]);
    cluster.install_crd();
    cluster.component("stop", "kube-controller-manager");
    let mut operated = Operated::on(&cluster, "costs", &[]);
    let (mut deployments, mut resources) = (Vec::new(), Vec::new());
    for number in 0..RESOURCES {
        let name = format!("w{number}");
        deployments.push(deployment(&name, 0));
        resources.push(resource(&format!("v{number}"), &[workload(&name)]).to_string());
    }
    let (deployments, resources) = (deployments.join("\n---\n"), resources.join("\n---\n"));
    operated.namespace.apply(&deployments);
    let since = jiff::Timestamp::now();
    operated.namespace.apply(&resources);
    operated.all_applied(RESOURCES, PATIENCE).await;
    let cost = at_rest(&operated, since).await;
    let of = |what: &str| cost.get(what).copied().unwrap_or(0);
    assert_eq!(of("patch horizontalpodautoscalers"), RESOURCES, "{cost:?}");
    assert_eq!(of("patch poddisruptionbudgets"), RESOURCES, "{cost:?}");
    assert_eq!(of("patch voiceassistscalings/status"), RESOURCES, "{cost:?}");
    assert_eq!(of("create events"), RESOURCES, "{cost:?}");
    assert!(of("get deployments") <= RESOURCES, "{cost:?}");
    let all: usize = cost
        .iter()
        .filter(|(what, _)| !what.starts_with("list "))
        .map(|(_, count)| count)
        .sum();
    assert!(all <= 5 * RESOURCES, "{cost:?}");

    // A restart after which nothing has to be written.
    let since = jiff::Timestamp::now();
    operated.operator = operator(&cluster, operated.namespace.name(), &[]);
    eventually(PATIENCE, "a look at every resource", || async {
        let count = operated.operator.log().matches(" reconciled").count();
        if count >= RESOURCES {
            Ok(())
        } else {
            Err(format!("{count} reconciles"))
        }
    })
    .await;
    let cost = at_rest(&operated, since).await;
    assert!(cost.keys().all(|what| what.starts_with("list ")), "{cost:?}");
    assert!(cost.values().all(|lists| *lists == 1), "{cost:?}");
    assert!(cost.contains_key("list deployments"), "{cost:?}");

    // The target is deleted, and the watch reports it.
    let since = jiff::Timestamp::now();
    cluster.begin_delete(operated.namespace.name(), "deployment", "w7");
    operated
        .condition("v7", "ScaleTargetFound", "False", "NotFound")
        .await;
    let cost = at_rest(&operated, since).await;
    assert_eq!(cost.get("get deployments"), None, "{cost:?}");
}
