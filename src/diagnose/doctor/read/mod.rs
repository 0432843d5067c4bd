//! Reads all that `vas doctor` looks at, once, and writes nothing.
//!
//! Every read has a time limit of its own, and its failure is kept as data: what one caller may not read, or one
//! component does not answer, skips the checks that need it. What it all means is in [`crate::diagnose::doctor`].

mod installation;
mod metrics;
mod namespaces;
mod prometheus;
mod reader;
mod rights;
mod scalings;
mod targets;

use std::collections::BTreeMap;

use kube::Client;

use super::observed::{Observed, Unread};
use crate::{
    cluster::clock::Clock,
    core::metrics::promql::{LabelName, Matcher},
    metrics_server::ServerSettings,
};

/// Requests at a time. An API server answers a command like any other client.
const CONCURRENT: usize = 16;

/// What to look at.
#[derive(Clone)]
pub struct Settings {
    /// The namespace of the operator and the metrics server.
    pub install_namespace: String,
    /// The namespace whose resources are looked at; `None` for all.
    pub namespace: Option<String>,
    /// Where to ask Prometheus.
    pub prometheus: Servers,
    /// The label with the namespace; by default that of the metrics server's Deployment.
    pub namespace_label: Option<LabelName>,
    /// The label with the pod; by default that of the metrics server's Deployment.
    pub pod_label: Option<LabelName>,
    /// The matchers of every selector; by default those of the metrics server's Deployment.
    pub matchers: Option<Vec<Matcher>>,
}

/// Where to ask Prometheus. No `Debug`: secrets are among it.
#[derive(Clone)]
pub enum Servers {
    /// Where the metrics server's Deployment says, through the API server.
    OfDeployment,
    /// One, directly.
    Url(String),
    /// Those of a configuration file by their names, directly.
    Named(BTreeMap<String, ServerSettings>),
}

/// Reads everything.
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
        // Each further read would wait for its time limit, to say the same.
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
    // Read after it is known whether a resource needs it.
    installation::external(client, &mut observed).await;
    observed
}
