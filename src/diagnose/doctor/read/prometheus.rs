//! Queries each Prometheus for the series of each metric that is read from it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use hyper::Request;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;

use super::{
    CONCURRENT, Servers, Settings,
    reader::{TIME_LIMIT, read as bounded},
};
use crate::doctor::{
    checks::{
        deployments,
        prometheus::{
            self as questions, Address, Facts, PrometheusSeen, Selected, SelectedFacts, SeriesSeen,
            ServiceAddress,
        },
    },
    observed::Observed,
    view,
};
use vas_api::v1alpha1::MatchExpression;
use vas_core::{
    k8s::{
        percent::encode,
        read::{Read, Unread},
    },
    metrics::promql::{InvalidMatcher, Item, LabelName, Labels, Matcher, Matchers, Vector, bind_query},
    spec::model::{PrometheusMetric, Series},
};
use vas_metrics_server::ServerSettings;
use vas_prometheus::{self, Limits};

/// Largest answer in bytes. The queries only count, so the answers are small.
const MAX_RESPONSE: usize = 4 << 20;
/// Most metrics that are checked at the same time. The queries of one metric follow each other.
const QUESTIONS: usize = CONCURRENT / 4;
/// Number of other namespaces that a finding names if the right one has no series.
const EXAMPLES: usize = 5;
/// Name of the Prometheus that metrics use if they name none.
const DEFAULT_SERVER: &str = "default";

/// One Prometheus, and how to query it.
struct Server {
    /// Name of the server; `None` if only one is configured.
    name: Option<String>,
    how: String,
    asker: Asker,
    labels: Labels,
    /// Whether the metrics server adds the namespace of the resource to a query that an author wrote.
    bind_queries: bool,
}

/// The way to a Prometheus.
enum Asker {
    Direct(vas_prometheus::Client),
    Proxied(Client, ServiceAddress),
}

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

/// The servers of the configuration file or the flag, else the server in the metrics server's Deployment.
fn servers(client: &Client, settings: &Settings, observed: &Observed) -> Read<Vec<Server>> {
    let unusable = |error: vas_prometheus::BuildError| Unread::NotAsked(error.to_string());
    let one = |how: String, asker| {
        Ok(vec![Server {
            name: None,
            how,
            asker,
            labels: labels(settings, observed)?,
            bind_queries: true,
        }])
    };
    match &settings.prometheus {
        Servers::Url(url) => {
            let limits = Limits {
                timeout: TIME_LIMIT,
                response_size: MAX_RESPONSE,
            };
            let client = vas_prometheus::Client::new(url, limits).map_err(unusable)?;
            one(Address::Url(url.clone()).to_string(), Asker::Direct(client))
        }
        Servers::OfDeployment => {
            let service = service_of_deployment(settings, observed)?;
            let how = Address::Service(service.clone()).to_string();
            one(how, Asker::Proxied(client.clone(), service))
        }
        Servers::Named(named) => named
            .iter()
            .map(|(name, settings)| {
                Ok(Server {
                    name: Some(name.clone()),
                    how: format!("at {}", settings.client.url),
                    asker: Asker::Direct(vas_prometheus::Client::build(&settings.client).map_err(unusable)?),
                    labels: settings.source.labels.clone(),
                    bind_queries: settings.source.bind_queries,
                })
            })
            .collect(),
    }
}

/// The Service that the metrics server's Deployment names.
fn service_of_deployment(settings: &Settings, observed: &Observed) -> Read<ServiceAddress> {
    let name = format!("Deployment {}/vas-metrics-server", settings.install_namespace);
    let deployment = observed.metrics_server.as_ref();
    let deployment =
        deployment.map_err(|why| Unread::NotAsked(format!("where it is, is not known: {name}: {why}")))?;
    let url = deployments::setting(Some(deployment), "--prometheus-url", "VAS_PROMETHEUS_URL");
    let url = url.ok_or_else(|| {
        let config = deployments::setting(Some(deployment), "--config", "VAS_CONFIG");
        Unread::NotAsked(match config {
            Some(_) => format!("{name} reads a configuration file; give it here too, with --config"),
            None => format!("{name} has no plain VAS_PROMETHEUS_URL or --prometheus-url"),
        })
    })?;
    ServiceAddress::parse(url, &settings.install_namespace).map_err(|error| {
        Unread::NotAsked(format!(
            "the URL in {name} cannot be reached through the API server: {error}"
        ))
    })
}

/// The labels from the flags, else from the metrics server's Deployment, else the defaults of the metrics
/// server.
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
    let namespace = of(
        &settings.namespace_label,
        "--namespace-label",
        "VAS_NAMESPACE_LABEL",
        "namespace",
    )?;
    let pod = of(&settings.pod_label, "--pod-label", "VAS_POD_LABEL", "pod")?;
    let matchers = match &settings.matchers {
        Some(matchers) => matchers.iter().cloned().collect(),
        None => matchers(deployment).map_err(unusable)?,
    };
    Labels::new(namespace, pod, matchers).map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> Unread {
    Unread::NotAsked(format!("VAS_MATCHERS of Deployment vas-metrics-server: {error}"))
}

fn matchers(deployment: Option<&Deployment>) -> Result<Matchers, InvalidMatcher> {
    let given = deployments::setting(deployment, "--matchers", "VAS_MATCHERS").unwrap_or_default();
    let each = given.split(',').filter(|one| !one.is_empty());
    each.map(str::parse::<Matcher>).collect()
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

impl Asker {
    async fn ask(&self, question: &str) -> Read<Vector> {
        match self {
            Self::Direct(client) => {
                let answer = client.query(question).await;
                answer.map_err(|error| Unread::Failed(error.to_string()))
            }
            Self::Proxied(client, service) => {
                let query = format!("/api/v1/query?query={}", encode(question));
                let request = Request::get(service.proxy_path(&query)).body(Vec::new());
                let request = request.map_err(|error| Unread::Failed(error.to_string()))?;
                let body = bounded(client.request_text(request)).await?;
                let answer = vas_prometheus::parse_answer(body.as_bytes());
                let answer = answer.map_err(|error| Unread::Failed(error.to_string()))?;
                Ok(answer.vector)
            }
        }
    }

    /// The value of an answer with at most one series; `None` if the answer is empty.
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

    /// Narrows the series step by step and stops when none is left: name, the server's own matchers,
    /// `matchLabels`, namespace. So the facts show which step loses the series.
    async fn selected(
        &self,
        labels: &Labels,
        namespace: &str,
        name: &str,
        (match_labels, match_expressions): (&BTreeMap<String, String>, &[MatchExpression]),
        by_pod: bool,
    ) -> Read<Facts> {
        let named = Selected::named(name);
        let mut facts = SelectedFacts {
            all: self.count(&named).await?,
            ..SelectedFacts::default()
        };
        if facts.all == 0 {
            return Ok(Facts::Selected(facts));
        }
        let named = named.with_matchers(&labels.matchers);
        if self.count(&named).await? == 0 {
            facts.foreign_to = Some(labels.matchers.to_string());
            return Ok(Facts::Selected(facts));
        }
        let narrowed = named.clone().with_all(match_labels);
        let narrowed = narrowed.and_then(|narrowed| narrowed.that_match(match_expressions));
        let matched = narrowed.map_err(|error| Unread::Failed(format!("matchLabels: {error}")))?;
        facts.matched = self.count(&matched).await?;
        if facts.matched == 0 {
            // Which of the labels matches nothing even alone? That one is probably mistyped.
            for (label, value) in match_labels {
                let alone = BTreeMap::from([(label.clone(), value.clone())]);
                if let Ok(selected) = named.clone().with_all(&alone)
                    && self.count(&selected).await? == 0
                {
                    facts.empty_matchers.push(format!("{label}={value}"));
                }
            }
            for expression in match_expressions {
                if let Ok(selected) = named.clone().that_match(std::slice::from_ref(expression))
                    && self.count(&selected).await? == 0
                {
                    facts
                        .empty_matchers
                        .push(format!("the expression on {}", expression.key));
                }
            }
            return Ok(Facts::Selected(facts));
        }
        let sample = self.ask(&questions::sample(&matched)).await?;
        facts.labels = sample
            .iter()
            .flat_map(|item| item.labels.entries())
            .map(|(label, _)| label.to_owned())
            .collect();
        let here = matched.clone().with(&labels.namespace, namespace);
        facts.in_namespace = self.count(&here).await?;
        if facts.in_namespace == 0 {
            let elsewhere = self.values(&matched, &labels.namespace).await?;
            facts.namespaces = elsewhere.into_iter().take(EXAMPLES).collect();
            return Ok(Facts::Selected(facts));
        }
        if by_pod {
            facts.pods = self.values(&here, &labels.pod).await?;
            facts.resets = self.number(&questions::per_series_resets(&here)).await?;
        }
        facts.clusters = self.clusters(labels, namespace, &here).await?;
        Ok(Facts::Selected(facts))
    }

    /// The label that tells clusters apart, with its values, if the series of the namespace come from several
    /// clusters.
    ///
    /// An application can have a label of the same name with several values. Then the targets of the
    /// namespace have one value of that label in `up`, because `up` has no labels of the application. So `up`
    /// decides.
    async fn clusters(
        &self,
        labels: &Labels,
        namespace: &str,
        here: &Selected,
    ) -> Read<Option<(String, BTreeSet<String>)>> {
        let several = self.by_cluster(here).await?;
        let Some((label, values)) = several.into_iter().find(|(_, values)| values.len() > 1) else {
            return Ok(None);
        };
        let targets = Selected::named("up").with_matchers(&labels.matchers);
        let targets = self
            .by_cluster(&targets.with(&labels.namespace, namespace))
            .await?;
        let of_one = targets.get(label).is_some_and(|values| values.len() == 1);
        Ok((!of_one).then(|| (label.to_owned(), values)))
    }

    /// The values of each of [`questions::CLUSTER_LABELS`]. An empty text stands for series without the
    /// label.
    async fn by_cluster(&self, selected: &Selected) -> Read<BTreeMap<&'static str, BTreeSet<String>>> {
        let answer = self.ask(&questions::by_cluster(selected)).await?;
        let value = |item: &Item, label| {
            item.labels
                .get(label)
                .map_or_else(String::new, ToString::to_string)
        };
        let values = questions::CLUSTER_LABELS
            .map(|label| (label, answer.iter().map(|item| value(item, label)).collect()));
        Ok(values.into())
    }

    /// The values of a label. An empty text stands for series without the label.
    async fn values(&self, selected: &Selected, label: &LabelName) -> Read<BTreeSet<String>> {
        let answer = self.ask(&questions::by_label(selected, label)).await?;
        let values = answer.iter().map(|item| item.labels.get(label.as_str()));
        Ok(values
            .map(|value| value.map_or_else(String::new, ToString::to_string))
            .collect())
    }
}
