//! Reads everything that `vas doctor` checks, once, and writes nothing.
//!
//! Each read has its own time limit, and its failure is kept as data: only the checks that need a failed read
//! are skipped. Must not: judge what it reads; [`crate::doctor`] does.

mod installation;
mod metrics;
mod namespaces;
pub(crate) mod prometheus;
pub(crate) mod reader;
mod rights;
mod scalings;
mod targets;

use std::collections::BTreeMap;

use kube::Client;

use super::observed::Observed;
use vas_cluster::clock::Clock;
use vas_core::{
    k8s::read::Unread,
    metrics::promql::{LabelName, Matcher},
};
use vas_metrics_server::ServerSettings;

/// Most requests at the same time, so that the command does not load the API server more than other clients
/// do.
const CONCURRENT: usize = 16;

/// What to read, and where.
#[derive(Clone)]
pub struct Settings {
    /// The namespace of the operator and the metrics server.
    pub install_namespace: String,
    /// The namespace whose resources are read; `None` for all.
    pub namespace: Option<String>,
    /// The Prometheus servers to query.
    pub prometheus: Servers,
    /// The label that holds the namespace; `None` takes it from the metrics server's Deployment.
    pub namespace_label: Option<LabelName>,
    /// The label that holds the pod; `None` takes it from the metrics server's Deployment.
    pub pod_label: Option<LabelName>,
    /// The matchers to add to every selector; `None` takes them from the metrics server's Deployment.
    pub matchers: Option<Vec<Matcher>>,
}

/// The Prometheus servers to query. Not `Debug`, because the settings contain secrets.
#[derive(Clone)]
pub enum Servers {
    /// The server of the metrics server's Deployment, through the API server.
    OfDeployment,
    /// The server at this URL, directly.
    Url(String),
    /// The servers of a configuration file by name, directly.
    Named(BTreeMap<String, ServerSettings>),
}

/// Reads everything that the checks look at. What cannot be read is a value that says why.
pub async fn observe(client: &Client, settings: &Settings, clock: &dyn Clock) -> Observed {
    let (server, server_time) = installation::server(client).await;
    let unreachable = Unread::NotAsked("the API server does not answer".to_owned());
    let mut observed = Observed::nothing(
        server_time.unwrap_or_else(|| clock.now()),
        &settings.install_namespace,
        &unreachable,
    );
    observed.namespace.clone_from(&settings.namespace);
    let gone = matches!(server, Err(Unread::Failed(_)));
    observed.server = server;
    if gone {
        // The API server does not answer: every further read would only wait for its time limit.
        return observed;
    }
    let (installed, scalings) = tokio::join!(
        installation::read(client, &settings.install_namespace),
        scalings::read(client, settings.namespace.as_deref(), observed.now),
    );
    installed.put_into(&mut observed);
    observed.scalings = scalings;
    let (rights, namespaces) = tokio::join!(
        rights::read(client, &observed),
        namespaces::read(client, &observed),
    );
    observed.rights = rights;
    observed.namespaces = namespaces;
    let (reads, prometheus) = tokio::join!(
        metrics::read(client, &observed),
        prometheus::read(client, settings, &observed),
    );
    observed.metric_reads = reads;
    observed.prometheus = prometheus;
    // The resources are read by now, so it is known whether one of them needs this APIService.
    installation::external(client, &mut observed).await;
    observed
}
