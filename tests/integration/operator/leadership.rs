//! Two replicas, one leader: who writes when the leader stops, freezes or dies.

use std::time::{Duration, Instant};

use serde_json::json;

use super::fixture::{deployment, resource, workload};
use support::{
    Cluster, audit, eventually,
    namespace::Namespace,
    process::{Process, Signal, free_port},
    vas,
    write::Bound,
};

/// The lease duration is short, so that the test is. The proportions are those of the defaults.
const LEASE: Duration = Duration::from_secs(6);

pub(super) struct Replica {
    name: &'static str,
    pub(super) process: Process,
    port: u16,
}

/// A replica under an account of its own name, so that the audit log shows which one wrote.
pub(super) fn replica(cluster: &Cluster, namespace: &Namespace<'_>, name: &'static str) -> Replica {
    let port = free_port();
    cluster.create_account(namespace.name(), name, Some(Bound::Everywhere("cluster-admin")));
    let kubeconfig = cluster.service_account_kubeconfig(namespace.name(), name);
    let args = [
        "operator".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--watch-namespace={}", namespace.name()),
        format!("--leader-elect-resource-namespace={}", namespace.name()),
        format!("--leader-elect-lease-duration={}s", LEASE.as_secs()),
        "--leader-elect-renew-deadline=4s".to_owned(),
        "--leader-elect-retry-period=1s".to_owned(),
        format!("--metrics-bind-address=127.0.0.1:{port}"),
        "--log-format=text".to_owned(),
    ];
    let env = [("POD_NAME".to_owned(), name.to_owned())];
    Replica {
        name,
        process: vas::start(name, &args, &env),
        port,
    }
}

fn holder(namespace: &Namespace<'_>) -> String {
    let lease = namespace.object("lease", "vas-operator").unwrap_or_default();
    lease["spec"]["holderIdentity"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

pub(super) async fn leads(namespace: &Namespace<'_>, name: &str) {
    eventually(Duration::from_secs(60), &format!("{name} leads"), || async {
        let holder = holder(namespace);
        if holder.starts_with(name) {
            Ok(())
        } else {
            Err(holder)
        }
    })
    .await;
}

async fn ready(replica: &Replica) {
    let url = format!("http://127.0.0.1:{}/readyz", replica.port);
    eventually(
        Duration::from_secs(60),
        &format!("{} is ready", replica.name),
        || async {
            let answer = reqwest::get(&url).await.map_err(|error| error.to_string())?;
            if answer.status().is_success() {
                Ok(())
            } else {
                Err(answer.text().await.unwrap_or_default())
            }
        },
    )
    .await;
}

/// A namespace with two replicas, the first of which leads.
async fn two_replicas<'cluster>(
    cluster: &'cluster Cluster,
    name: &str,
) -> (Namespace<'cluster>, Replica, Replica) {
    support::install_tls_provider();
    let namespace = Namespace::create(cluster, name);
    let first = replica(cluster, &namespace, "first");
    leads(&namespace, "first").await;
    let second = replica(cluster, &namespace, "second");
    ready(&first).await;
    ready(&second).await;
    namespace.apply(&deployment("worker", 0));
    namespace.apply(&resource("v", &[workload("worker")]).to_string());
    appears(&namespace).await;
    (namespace, first, second)
}

async fn appears(namespace: &Namespace<'_>) {
    eventually(Duration::from_secs(60), "the HPA exists", || async {
        namespace.object("hpa", "v-worker").ok_or("it does not")
    })
    .await;
}

async fn max_becomes(namespace: &Namespace<'_>, wanted: &str) {
    eventually(
        Duration::from_secs(60),
        &format!("maxReplicas {wanted}"),
        || async {
            let hpa = namespace.object("hpa", "v-worker").unwrap_or_default();
            let found = hpa["spec"]["maxReplicas"].to_string();
            if found == wanted { Ok(()) } else { Err(found) }
        },
    )
    .await;
}

fn with_max(max: i32) -> String {
    let mut workload = workload("worker");
    workload["maxReplicas"] = json!(max);
    resource("v", &[workload]).to_string()
}

#[tokio::test]
async fn a_killed_leader_is_replaced_within_the_lease_and_a_retry() {
    let (namespace, first, _second) = two_replicas(Cluster::shared(), "failover").await;
    let killed = Instant::now();
    first.process.signal(Signal::Kill);
    namespace.apply(&with_max(9));
    leads(&namespace, "second").await;
    let led = killed.elapsed();
    max_becomes(&namespace, "9").await;
    eprintln!(
        "kill -9: the other leads after {led:?} and has written after {:?}",
        killed.elapsed()
    );
}

#[tokio::test]
async fn a_leader_that_is_asked_to_stop_hands_over_at_once() {
    let (namespace, first, _second) = two_replicas(Cluster::shared(), "handover").await;
    let status = first.process.stop(Duration::from_secs(60)).await;
    assert!(status.success(), "{status}");
    // The Lease is released before the process ends, and does not have to expire.
    let holder = holder(&namespace);
    assert!(!holder.starts_with("first"), "{holder}");
    namespace.apply(&with_max(9));
    leads(&namespace, "second").await;
    max_becomes(&namespace, "9").await;
}

#[tokio::test]
async fn a_frozen_leader_writes_nothing_when_it_goes_on_and_ends() {
    let cluster = Cluster::shared();
    let (namespace, mut first, _second) = two_replicas(cluster, "frozen").await;
    let old = holder(&namespace);
    // A change is waiting when the leader freezes, and another one comes while it is frozen.
    namespace.apply(&with_max(7));
    first.process.signal(Signal::Stop);
    let frozen = jiff::Timestamp::now();
    leads(&namespace, "second").await;
    namespace.apply(&with_max(9));
    max_becomes(&namespace, "9").await;
    namespace.apply(&with_max(8));
    first.process.signal(Signal::Cont);
    let resumed = jiff::Timestamp::now();
    let status = first.process.wait(Duration::from_secs(60)).await;
    assert!(
        !status.success(),
        "a leader that lost its lease ends with a failure"
    );
    max_becomes(&namespace, "8").await;

    let writes = audit::writes_since(cluster, namespace.name(), frozen);
    let by = |name: &str| {
        let account = format!("system:serviceaccount:{}:{name}", namespace.name());
        writes.iter().filter(move |one| one.user.username == account)
    };
    assert!(by("second").count() > 0, "the second one has written");
    let after: Vec<_> = by("first").filter(|one| one.received >= resumed).collect();
    assert!(after.is_empty(), "{after:#?}");
    assert_ne!(holder(&namespace), old);
}

#[tokio::test]
async fn a_standby_replica_is_ready_and_exports_no_resource() {
    let (namespace, first, second) = two_replicas(Cluster::shared(), "standby").await;
    for (replica, leads) in [(&first, 1), (&second, 0)] {
        let url = format!("http://127.0.0.1:{}/metrics", replica.port);
        let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
        assert!(
            text.contains(&format!("vas_operator_leader {leads}")),
            "{}: {text}",
            replica.name
        );
        for series in [
            "vas_build_info{program=\"vas operator\",version=\"",
            "process_resident_memory_bytes ",
            "process_cpu_seconds_total ",
            "vas_operator_api_requests_total{verb=\"watch\",code=\"200\"} ",
            "vas_operator_api_requests_total{verb=\"list\",code=\"200\"} ",
            "vas_operator_watch_restarts_total{watch=\"horizontalpodautoscalers\"} ",
        ] {
            assert!(text.contains(series), "{}: {series}: {text}", replica.name);
        }
        // The fixture's resource is exported by the one that reconciles it, and by no other.
        assert_eq!(
            text.contains("scaling=\"v\""),
            leads == 1,
            "{}: {text}",
            replica.name
        );
    }
    namespace.delete("voiceassistscaling", "v");
    let url = format!("http://127.0.0.1:{}/metrics", first.port);
    eventually(
        Duration::from_secs(60),
        "what was deleted is gone at a scrape",
        || async {
            let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
            if text.contains("scaling=\"v\"") {
                Err(text)
            } else {
                Ok(())
            }
        },
    )
    .await;
}
