//! Asks Prometheus what it has for each metric.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use hyper::Request;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;

use super::{
    CONCURRENT, Settings,
    read::{TIME_LIMIT, read as bounded},
};
use crate::{
    core::{
        doctor::{
            deployments, hpa_read,
            observed::{Observed, Read, Unread},
            prometheus::{
                self as questions, Address, Facts, PrometheusSeen, Selected, SelectedFacts, SeriesSeen,
                ServiceAddress,
            },
            view,
        },
        model::{PrometheusMetric, Series},
        promql::{LabelName, Vector, pin_namespace},
    },
    prometheus::{self, Limits},
};

/// Largest answer: the questions count, so the answers are small.
const MAX_RESPONSE: usize = 4 << 20;
/// Questions at a time; each metric asks several after each other.
const QUESTIONS: usize = CONCURRENT / 4;
/// Namespaces that are named where the right one has no series.
const EXAMPLES: usize = 5;
/// The Prometheus of metrics that name none.
const DEFAULT_SERVER: &str = "default";

/// One Prometheus, by whichever way.
enum Source {
    Direct(prometheus::Client),
    Proxied(Client, ServiceAddress),
}

/// The labels that tell namespace and pod.
struct Labels {
    namespace: LabelName,
    pod: LabelName,
}

/// Finds it and asks it.
pub(super) async fn read(client: &Client, settings: &Settings, observed: &Observed) -> Read<PrometheusSeen> {
    let address = address(settings, observed)?;
    let source = match &address {
        Address::Url(url) => {
            let limits = Limits {
                timeout: TIME_LIMIT,
                response_size: MAX_RESPONSE,
            };
            let built = prometheus::Client::new(url, limits);
            Source::Direct(built.map_err(|error| Unread::NotAsked(error.to_string()))?)
        }
        Address::Service(service) => Source::Proxied(client.clone(), service.clone()),
    };
    let labels = labels(settings, observed)?;
    let reachable = match source.ask(questions::reachable()).await {
        Ok(_) => Ok(()),
        Err(Unread::Forbidden(words)) => {
            return Err(Unread::Forbidden(words));
        }
        Err(Unread::NotFound) => Err("the Service does not exist".to_owned()),
        Err(Unread::Failed(words) | Unread::NotAsked(words)) => Err(words),
    };
    let mut series = Vec::new();
    if reachable.is_ok() {
        let wanted: Vec<(&str, &str, &str, &str, &PrometheusMetric)> = view::workloads(observed)
            .flat_map(|view| {
                let key = &view.scaling.key;
                let metrics = view.workload.prometheus_metrics();
                metrics.map(move |(name, metric)| {
                    let workload = view.workload.name.as_str();
                    (key.namespace.as_str(), key.name.as_str(), workload, name, metric)
                })
            })
            .collect();
        let asked = wanted
            .into_iter()
            .map(|(namespace, scaling, workload, name, metric)| {
                let (source, labels) = (&source, &labels);
                async move {
                    SeriesSeen {
                        namespace: namespace.to_owned(),
                        scaling: scaling.to_owned(),
                        workload: workload.to_owned(),
                        metric: name.to_owned(),
                        series: metric.series.clone(),
                        on_missing: metric.on_missing,
                        facts: source.facts(labels, namespace, metric).await,
                    }
                }
            });
        series = stream::iter(asked).buffered(QUESTIONS).collect().await;
    }
    Ok(PrometheusSeen {
        how: address.to_string(),
        reachable,
        namespace_label: labels.namespace.to_string(),
        pod_label: labels.pod.to_string(),
        series,
    })
}

/// The flag, else what the metrics server's Deployment says.
fn address(settings: &Settings, observed: &Observed) -> Read<Address> {
    if let Some(url) = &settings.prometheus_url {
        return Ok(Address::Url(url.clone()));
    }
    let name = format!("Deployment {}/vas-metrics-server", settings.install_namespace);
    let deployment = observed.metrics_server.as_ref();
    let deployment =
        deployment.map_err(|why| Unread::NotAsked(format!("where it is, is not known: {name}: {why}")))?;
    let url = deployments::setting(Some(deployment), "--prometheus-url", "VAS_PROMETHEUS_URL");
    let url = url.ok_or_else(|| {
        Unread::NotAsked(format!(
            "{name} has no plain VAS_PROMETHEUS_URL or --prometheus-url"
        ))
    })?;
    let service = ServiceAddress::parse(url, &settings.install_namespace);
    let service = service.map_err(|error| {
        Unread::NotAsked(format!(
            "the URL in {name} cannot be reached through the API server: {error}"
        ))
    })?;
    Ok(Address::Service(service))
}

/// The flags, else what the metrics server's Deployment says, else its defaults.
fn labels(settings: &Settings, observed: &Observed) -> Read<Labels> {
    let deployment: Option<&Deployment> = observed.metrics_server.as_ref().ok();
    let of = |given: &Option<LabelName>, flag, variable, default| match given {
        Some(label) => Ok(label.clone()),
        None => deployments::setting(deployment, flag, variable)
            .unwrap_or(default)
            .parse::<LabelName>()
            .map_err(|error| {
                Unread::NotAsked(format!("{variable} of Deployment vas-metrics-server: {error}"))
            }),
    };
    Ok(Labels {
        namespace: of(
            &settings.namespace_label,
            "--namespace-label",
            "VAS_NAMESPACE_LABEL",
            "namespace",
        )?,
        pod: of(&settings.pod_label, "--pod-label", "VAS_POD_LABEL", "pod")?,
    })
}

impl Source {
    async fn ask(&self, question: &str) -> Read<Vector> {
        match self {
            Self::Direct(client) => {
                let answer = client.query(question).await;
                answer.map_err(|error| Unread::Failed(error.to_string()))
            }
            Self::Proxied(client, service) => {
                let query = format!("/api/v1/query?query={}", hpa_read::encode(question));
                let request = Request::get(service.proxy_path(&query)).body(Vec::new());
                let request = request.map_err(|error| Unread::Failed(error.to_string()))?;
                let body = bounded(client.request_text(request)).await?;
                let answer = prometheus::parse_answer(body.as_bytes());
                let answer = answer.map_err(|error| Unread::Failed(error.to_string()))?;
                Ok(answer.vector)
            }
        }
    }

    /// The one number of an answer; no series counts as none.
    async fn number(&self, question: &str) -> Read<Option<f64>> {
        Ok(self.ask(question).await?.first().map(|item| item.value))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of series"
    )]
    async fn count(&self, selected: &Selected) -> Read<u64> {
        let count = self.number(&questions::count(selected)).await?;
        Ok(count.unwrap_or_default() as u64)
    }

    async fn facts(&self, labels: &Labels, namespace: &str, metric: &PrometheusMetric) -> Read<Facts> {
        if metric.server != DEFAULT_SERVER {
            return Err(Unread::NotAsked(format!(
                "it is read from the Prometheus called {}, and one was asked",
                metric.server
            )));
        }
        match &metric.series {
            Series::Query { query } => {
                let bound = pin_namespace(query, &labels.namespace, namespace);
                let bound = bound.map_err(|error| Unread::Failed(error.to_string()))?;
                Ok(Facts::Query(self.ask(&bound).await?.len()))
            }
            Series::Gauge {
                gauge, match_labels, ..
            } => self.selected(labels, namespace, gauge, match_labels, false).await,
            Series::RequestRate {
                counter,
                match_labels,
                ..
            } => {
                self.selected(labels, namespace, counter, match_labels, true)
                    .await
            }
        }
    }

    /// Narrows the series step by step, and stops where none is left.
    async fn selected(
        &self,
        labels: &Labels,
        namespace: &str,
        name: &str,
        match_labels: &BTreeMap<String, String>,
        by_pod: bool,
    ) -> Read<Facts> {
        let named = Selected::named(name);
        let narrowed = named.clone().with_all(match_labels);
        let matched = narrowed.map_err(|error| Unread::Failed(format!("matchLabels: {error}")))?;
        let mut facts = SelectedFacts {
            all: self.count(&named).await?,
            ..SelectedFacts::default()
        };
        if facts.all == 0 {
            return Ok(Facts::Selected(facts));
        }
        facts.matched = self.count(&matched).await?;
        if facts.matched == 0 {
            for (label, value) in match_labels {
                let alone = BTreeMap::from([(label.clone(), value.clone())]);
                if let Ok(selected) = named.clone().with_all(&alone)
                    && self.count(&selected).await? == 0
                {
                    facts.empty_matchers.push(format!("{label}={value}"));
                }
            }
            return Ok(Facts::Selected(facts));
        }
        let sample = self.ask(&questions::sample(&matched)).await?;
        facts.labels = sample
            .into_iter()
            .flat_map(|item| item.labels.into_keys())
            .collect();
        let here = matched.clone().with(&labels.namespace, namespace);
        facts.in_namespace = self.count(&here).await?;
        if facts.in_namespace == 0 {
            let elsewhere = self.values(&matched, &labels.namespace).await?;
            facts.namespaces = elsewhere.into_iter().take(EXAMPLES).collect();
        } else if by_pod {
            facts.pods = self.values(&here, &labels.pod).await?;
            facts.resets = self.number(&questions::per_series_resets(&here)).await?;
        }
        Ok(Facts::Selected(facts))
    }

    /// The values of a label; empty text stands for series without it.
    async fn values(&self, selected: &Selected, label: &LabelName) -> Read<BTreeSet<String>> {
        let answer = self.ask(&questions::by_label(selected, label)).await?;
        let values = answer.into_iter();
        Ok(values
            .map(|mut item| item.labels.remove(label.as_str()).unwrap_or_default())
            .collect())
    }
}
