//! A cluster of its own: the server without resources and without Prometheus, with a resource, and
//! uninstalled. Whatever its state is, the work of others in the cluster must go on.

use std::time::Duration;

use futures::future::select_all;
use reqwest::StatusCode;

use super::{access, clients};
use support::{
    Cluster, api::condition, eventually, eventually::throughout, install, namespace::Namespace,
    process::free_port, vas,
};

const RESOURCE: &str = include_str!("../../fixtures/minimal.yaml");
const SERVICES: [&str; 2] = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];

/// Everyday commands in a cluster, which fail where discovery is broken.
fn all_is_well(cluster: &Cluster, when: &str) {
    let listed = cluster.kubectl(&["api-resources"], None);
    let stderr = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success() && stderr.is_empty(), "{when}: {stderr}");
    for path in ["/apis", "/openapi/v2", "/openapi/v3"] {
        cluster.raw(path).expect(path);
    }
    for form in [&["discovery"][..], &["--legacy", "discovery"]] {
        let found = clients::run(&cluster.kubeconfig(), form);
        assert!(found.is_ok(), "{when}: {form:?}: {found:?}");
    }
    let namespace = Namespace::create(cluster, "short-lived");
    cluster.delete("", "namespace", namespace.name());
}

fn administered(cluster: &Cluster, args: &[&str]) -> String {
    let output = vas::administer(cluster, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{args:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn available(cluster: &Cluster) -> Result<(), String> {
    for name in SERVICES {
        let path = format!("/apis/apiregistration.k8s.io/v1/apiservices/{name}");
        let said = condition(&cluster.raw(&path)?, "Available");
        if !said.starts_with("True") {
            return Err(format!("{name}: {said}"));
        }
    }
    Ok(())
}

/// Five requests at once, of which all but the first to be answered are dropped: the API server checks
/// availability so.
async fn probe(cluster: &Cluster, port: u16, http1: bool) {
    let builder = access::builder(cluster, port, Some("front-proxy-client"));
    let builder = if http1 { builder.http1_only() } else { builder };
    let client = builder.build().expect("a client");
    let url = format!("https://vas-metrics-server.vas-system.svc:{port}/apis/custom.metrics.k8s.io/v1beta2");
    let asked = (0..5).map(|_| {
        let request = client
            .get(&url)
            .header("X-Remote-User", "system:kube-aggregator")
            .header("X-Remote-Group", "system:masters");
        Box::pin(request.send())
    });
    let (first, _, _) = select_all(asked).await;
    assert_eq!(first.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_suffers_from_the_server_with_or_without_resources_or_once_it_is_uninstalled() {
    let cluster = Cluster::start("uninstall", &[]);
    let install = install::apply(&cluster);
    let (port, metrics_port) = (free_port(), free_port());
    let server = install.deployment("vas-metrics-server").start(
        &cluster,
        "vas-metrics-server-0",
        &[
            format!("--secure-port={port}"),
            format!("--metrics-bind-address=127.0.0.1:{metrics_port}"),
            // No program listens on this port.
            format!("--prometheus-url=http://127.0.0.1:{}", free_port()),
        ],
    );
    install::alias_metrics_server(&cluster);
    let port_of_service = format!("--service-port={port}");
    administered(&cluster, &["unregister"]);
    let registered = administered(&cluster, &["register", &port_of_service]);
    for name in SERVICES {
        assert!(
            registered.contains(&format!("apiservice/{name} created")),
            "{registered}"
        );
    }
    eventually(
        Duration::from_secs(60),
        "the APIServices are available",
        || async { available(&cluster) },
    )
    .await;
    // Before this point, the CRD may have been too new to be watched.
    let started = server.log().lines().count();
    all_is_well(&cluster, "no resource, no Prometheus");

    for http1 in [true, false, true, false] {
        probe(&cluster, port, http1).await;
    }
    // The API server itself checks every thirty seconds.
    throughout(
        Duration::from_secs(35),
        "available, and a log without complaints",
        || async {
            let log = server.log();
            let complaint = log
                .lines()
                .skip(started)
                .find(|line| line.contains("WARN") || line.contains("ERROR"));
            complaint.map_or(Ok(()), |line| Err(line.to_owned()))?;
            available(&cluster)
        },
    )
    .await;

    let namespace = Namespace::create(&cluster, "with-a-resource");
    namespace.apply(RESOURCE);
    all_is_well(&cluster, "a resource, no Prometheus");
    cluster.delete("", "namespace", namespace.name());

    // In the order of docs/install.md. This process stands for the pods of the Deployment.
    cluster.kubectl_ok(
        &["delete", "voiceassistscalings", "--all", "--all-namespaces"],
        None,
    );
    let unregistered = administered(&cluster, &["unregister"]);
    for name in SERVICES {
        assert!(
            unregistered.contains(&format!("apiservice/{name} deleted")),
            "{unregistered}"
        );
    }
    assert!(server.stop(Duration::from_secs(60)).await.success());
    cluster.kubectl_ok(
        &[
            "delete",
            "-k",
            install::INSTALL,
            "--ignore-not-found",
            "--timeout=90s",
        ],
        None,
    );
    eventually(Duration::from_secs(60), "discovery has forgotten us", || async {
        let found = clients::run(&cluster.kubeconfig(), &["discovery"])?;
        if found.to_string().contains("custom.metrics.k8s.io") {
            Err("it still lists custom.metrics.k8s.io")
        } else {
            Ok(())
        }
        .map_err(str::to_owned)
    })
    .await;
    all_is_well(&cluster, "uninstalled");
}
