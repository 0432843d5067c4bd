//! Tests of the harness itself, which every other test relies on.

use std::time::Duration;

use support::{Cluster, audit, eventually, exporter::Exporter, namespace::Namespace, prometheus::Prometheus};

const DEPLOYMENT: &str = include_str!("../fixtures/deployment.yaml");

#[tokio::test]
async fn a_deployment_becomes_ready_and_its_creation_is_in_the_audit_log() {
    let cluster = Cluster::shared();
    let namespace = Namespace::create(cluster, "harness");
    namespace.apply(DEPLOYMENT);
    eventually(Duration::from_secs(60), "two ready replicas", || async {
        let deployment = namespace.object("deployment", "api-gateway").unwrap_or_default();
        let ready = &deployment["status"]["readyReplicas"];
        if ready == 2 {
            Ok(())
        } else {
            Err(format!("{ready} ready replicas"))
        }
    })
    .await;
    let author = audit::requests(cluster)
        .into_iter()
        .find(|request| {
            request.is_write() && request.is_about("deployments") && request.in_namespace(namespace.name())
        })
        .map(|request| request.user.username);
    assert_eq!(author.as_deref(), Some("admin"));
}

#[tokio::test]
async fn prometheus_scrapes_what_an_exporter_sets() {
    let prometheus = Prometheus::start("harness").await;
    let exporter = Exporter::start().await;
    exporter.set(
        "voiceassist_queue_depth",
        &[("namespace", "n"), ("queue", "default")],
        12.0,
    );
    prometheus.register("harness", &exporter.target());
    eventually(Duration::from_secs(60), "the value is in Prometheus", || async {
        match prometheus
            .query("max by (namespace) (voiceassist_queue_depth{queue=\"default\"})")
            .await
        {
            Some(12.0) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}
