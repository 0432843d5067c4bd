//! Queries each Prometheus for the series of each metric that is read from it.

pub(crate) mod asker;
pub(crate) mod servers;

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use kube::Client;

use self::servers::{Server, servers};
use super::{CONCURRENT, Servers, Settings};
use crate::doctor::{
    checks::prometheus::{self as questions, Facts, PrometheusSeen, SeriesSeen},
    observed::Observed,
    view,
};
use vas_core::{
    k8s::read::{Read, Unread},
    metrics::promql::bind_query,
    spec::model::{PrometheusMetric, Series},
};
use vas_metrics_server::ServerSettings;

/// Most metrics that are checked at the same time. The queries of one metric follow each other.
const QUESTIONS: usize = CONCURRENT / 4;
/// Name of the Prometheus that metrics use if they name none.
const DEFAULT_SERVER: &str = "default";

/// One metric to check.
struct CheckedMetric<'a> {
    namespace: &'a str,
    scaling: &'a str,
    workload: &'a str,
    name: &'a str,
    metric: &'a PrometheusMetric,
}

/// Finds the Prometheus servers and queries each.
pub(super) async fn read(
    client: &Client,
    settings: &Settings,
    observed: &Observed,
) -> Read<Vec<PrometheusSeen>> {
    let servers = servers(client, settings, observed)?;
    let wanted: Vec<CheckedMetric<'_>> = view::workloads(observed)
        .flat_map(|view| {
            let key = &view.scaling.key;
            let metrics = view.workload.prometheus_metrics();
            metrics.map(move |(name, metric)| CheckedMetric {
                namespace: &key.namespace,
                scaling: &key.name,
                workload: &view.workload.name,
                name,
                metric,
            })
        })
        .collect();
    let mut seen = Vec::new();
    // One server after the other, and a few metrics of a server at a time: doctor must not be a load that
    // Prometheus would notice.
    for server in &servers {
        seen.push(server.seen(&wanted).await?);
    }
    if let (Servers::Named(named), Some(first)) = (&settings.prometheus, seen.first_mut()) {
        // A metric that names an unknown server belongs to none, so it is reported with the first one.
        let nowhere = wanted
            .iter()
            .filter(|wanted| !named.contains_key(&wanted.metric.server));
        first
            .series
            .extend(nowhere.map(|wanted| wanted.seen(Err(unknown(named, &wanted.metric.server)))));
    }
    Ok(seen)
}

fn unknown(named: &BTreeMap<String, ServerSettings>, server: &str) -> Unread {
    let known: Vec<&str> = named.keys().map(String::as_str).collect();
    Unread::Failed(format!(
        "prometheusServer {server} is not in the configuration file, which has {}",
        known.join(", ")
    ))
}

impl CheckedMetric<'_> {
    fn seen(&self, facts: Read<Facts>) -> SeriesSeen {
        SeriesSeen {
            namespace: self.namespace.to_owned(),
            scaling: self.scaling.to_owned(),
            workload: self.workload.to_owned(),
            metric: self.name.to_owned(),
            series: self.metric.series.clone(),
            on_missing: self.metric.on_missing,
            facts,
        }
    }
}

impl Server {
    /// Checks the metrics that are read from this server.
    async fn seen(&self, wanted: &[CheckedMetric<'_>]) -> Read<PrometheusSeen> {
        let reachable = match self.asker.ask(questions::reachable()).await {
            Ok(_) => Ok(()),
            Err(Unread::Forbidden(words)) => {
                return Err(Unread::Forbidden(words));
            }
            // Kubernetes 1.34 also answers 404 for a Service without endpoints.
            Err(Unread::NotFound) => Err("the Service does not exist, or has no endpoints".to_owned()),
            Err(Unread::Failed(words) | Unread::NotAsked(words)) => Err(words),
        };
        let mut series = Vec::new();
        if reachable.is_ok() {
            let mine = |wanted: &&CheckedMetric<'_>| {
                self.name
                    .as_ref()
                    .is_none_or(|name| *name == wanted.metric.server)
            };
            let asked = wanted.iter().filter(mine);
            let asked = asked.map(|wanted| async move { wanted.seen(self.facts(wanted).await) });
            series = stream::iter(asked).buffered(QUESTIONS).collect().await;
        }
        Ok(PrometheusSeen {
            name: self.name.clone(),
            how: self.how.clone(),
            reachable,
            namespace_label: self.labels.namespace.to_string(),
            pod_label: self.labels.pod.to_string(),
            series,
        })
    }

    async fn facts(&self, wanted: &CheckedMetric<'_>) -> Read<Facts> {
        let (namespace, metric) = (wanted.namespace, wanted.metric);
        if self.name.is_none() && metric.server != DEFAULT_SERVER {
            return Err(Unread::NotAsked(format!(
                "it is read from the Prometheus called {}; give --config to have it asked",
                metric.server
            )));
        }
        match &metric.series {
            Series::Query { query } | Series::PodQuery { query } => {
                let bound_to = self.bind_queries.then_some(namespace);
                let bound = bind_query(&self.labels, bound_to, query);
                let bound = bound.map_err(|error| Unread::Failed(error.to_string()))?;
                Ok(Facts::Query(self.asker.ask(&bound).await?.len()))
            }
            Series::Gauge {
                gauge, match_labels, ..
            } => {
                let labels = &self.labels;
                self.asker
                    .selected(labels, namespace, gauge, (match_labels, &[]), false)
                    .await
            }
            Series::PodGauge {
                gauge, match_labels, ..
            } => {
                let labels = &self.labels;
                self.asker
                    .selected(labels, namespace, gauge, (match_labels, &[]), true)
                    .await
            }
            Series::RequestRate {
                counter,
                match_labels,
                match_expressions,
                window: _,
            } => {
                let labels = &self.labels;
                self.asker
                    .selected(
                        labels,
                        namespace,
                        counter,
                        (match_labels, match_expressions),
                        true,
                    )
                    .await
            }
        }
    }
}
