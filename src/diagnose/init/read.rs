//! Reads what a resource is proposed from: the workload, its pods, and its series in Prometheus.

use std::{collections::BTreeMap, str::FromStr};

use jiff::Timestamp;
use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{Pod, PodSpec},
};
use kube::{Api, Client, api::ListParams};
use serde_json::Value;

use super::{
    Counter, Facts, Gauge, SeriesSeen, Taken,
    candidates::{Purpose, ranked},
};
use crate::doctor::{
    checks::prometheus::{self as questions, Selected},
    observed::Observed,
    read::{
        self as doctor,
        prometheus::servers::{Server, servers},
        reader::{get, read as bounded, reader},
    },
    view::is_live,
};
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling};
use vas_cluster::{named_kind, read::found, scale_target};
use vas_core::{
    k8s::{
        api_version,
        label_selector::LabelSelector,
        read::{Read, Unread},
    },
    metrics::promql::Labels,
};

/// Most pods whose series are looked for.
const PODS: usize = 20;
/// Most candidates of each kind that are looked at and named.
const CANDIDATES: usize = 3;

/// What is asked for.
#[derive(Clone)]
pub struct Settings {
    /// The workload.
    pub target: TargetWord,
    /// Its namespace.
    pub namespace: String,
    /// Name of the resource; without one, that of the workload.
    pub name: Option<String>,
    /// Where Prometheus is asked, and with which labels.
    pub prometheus: doctor::Settings,
}

/// A workload as kubectl names it: `deployment/web`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetWord {
    /// The kind, as the user wrote it.
    pub kind: String,
    /// The name.
    pub name: String,
}

impl FromStr for TargetWord {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => Ok(Self {
                kind: kind.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err("a workload is KIND/NAME, for example deployment/web"),
        }
    }
}

/// Reads everything that is needed.
///
/// # Errors
/// What is wrong with the workload, in words with the fix.
pub async fn read(client: &Client, settings: &Settings) -> Result<Facts, String> {
    let namespace = &settings.namespace;
    let TargetWord { kind, name } = &settings.target;
    let reader = reader(client);
    let named = named_kind::find(&reader, kind)
        .await
        .map_err(|error| format!("cannot look up the kind {kind}: {error}"))?
        .ok_or_else(|| {
            format!(
                "the cluster serves no kind {kind}; write it as kubectl does, for example deployment/{name}"
            )
        })?;
    if !named.served.scalable {
        return Err(format!(
            "{} has no scale subresource, so no HPA can scale it; name what owns its pods, for example a Deployment",
            named.served.kind
        ));
    }
    let resource = named.served.resource(&named.api_version);
    let target = ScaleTargetRef {
        api_version: named.api_version.clone(),
        kind: named.served.kind.clone(),
        name: name.clone(),
    };
    let object: Value = found(scale_target::object(&reader, &resource, namespace, name).await)
        .map_err(|error| format!("{} {namespace}/{name}: {error}", target.kind))?
        .ok_or_else(|| {
            format!(
                "{} {namespace}/{name} does not exist; kubectl get {} -n {namespace} lists those that do",
                target.kind, resource.plural
            )
        })?;
    let scale = scale_target::scale(&reader, &resource, namespace, name)
        .await
        .map_err(|error| format!("the scale of {} {namespace}/{name}: {error}", target.kind))?;
    let selector = scale
        .status
        .and_then(|status| status.selector)
        .unwrap_or_default();
    let live = live_pods(client, namespace, &selector).await;
    let resource_name = settings.name.clone().unwrap_or_else(|| name.clone());
    let template = object.pointer("/spec/template/spec").cloned();
    let template = template.and_then(|spec| serde_json::from_value::<PodSpec>(spec).ok());
    let pods = live.as_ref().map(Vec::as_slice).unwrap_or_default();
    let (taken, resource_metrics, series) = tokio::join!(
        taken(client, namespace, &target, &resource_name),
        get(client, "/apis/metrics.k8s.io/v1beta1"),
        series(client, settings, &live),
    );
    Ok(Facts {
        name: resource_name,
        namespace: namespace.clone(),
        replicas: scale.spec.and_then(|spec| spec.replicas).unwrap_or_default(),
        pod: pods.iter().find_map(|pod| pod.spec.clone()).or(template),
        taken: taken.map_err(|why| format!("whether something scales {} already: {why}", target.kind))?,
        target,
        resource_metrics: resource_metrics.map(drop),
        series,
    })
}

async fn live_pods(client: &Client, namespace: &str, selector: &str) -> Read<Vec<Pod>> {
    let selector = LabelSelector::of_pods(selector)
        .map_err(|_| Unread::NotAsked("its scale subresource names no pods".to_owned()))?;
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let params = ListParams::default().labels(&selector.to_string());
    let pods = bounded(api.list(&params)).await?.items;
    Ok(pods.into_iter().filter(is_live).take(PODS).collect())
}

async fn taken(client: &Client, namespace: &str, target: &ScaleTargetRef, name: &str) -> Read<Option<Taken>> {
    let hpas: Api<HorizontalPodAutoscaler> = Api::namespaced(client.clone(), namespace);
    let hpas = bounded(hpas.list(&ListParams::default())).await?.items;
    let scales_it = |hpa: &HorizontalPodAutoscaler| {
        let scaled = &hpa.spec.scale_target_ref;
        let group = api_version::group(scaled.api_version.as_deref().unwrap_or_default());
        scaled.kind == target.kind
            && scaled.name == target.name
            && group == api_version::group(&target.api_version)
    };
    if let Some(hpa) = hpas.into_iter().find(scales_it) {
        return Ok(Some(Taken::Hpa(hpa.metadata.name.unwrap_or_default())));
    }
    let resources: Api<VoiceAssistScaling> = Api::namespaced(client.clone(), namespace);
    // Where the definition is not installed yet, no resource exists.
    let exists = bounded(resources.get_metadata_opt(name)).await?.is_some();
    Ok(exists.then_some(Taken::Resource))
}

/// The candidates among the series of the pods, from the Prometheus that the metrics server asks.
async fn series(client: &Client, settings: &Settings, pods: &Read<Vec<Pod>>) -> Read<SeriesSeen> {
    let pods = pods.as_ref().map_err(Clone::clone)?;
    let names: Vec<&str> = pods
        .iter()
        .filter_map(|pod| pod.metadata.name.as_deref())
        .collect();
    if names.is_empty() {
        return Err(Unread::NotAsked(
            "no pod of it is live, whose series could be looked for; scale it up and run this again"
                .to_owned(),
        ));
    }
    let why = |why: Unread| match why {
        Unread::NotAsked(why) => Unread::NotAsked(format!("{why}; --prometheus-url URL asks one directly")),
        other => other,
    };
    let server = server(client, settings).await.map_err(why)?;
    let asked = Asked {
        server: &server,
        namespace: &settings.namespace,
        pods: &names,
    };
    asked.seen().await.map_err(|error| {
        Unread::NotAsked(format!(
            "Prometheus {}: {error}; vas doctor says more",
            server.how
        ))
    })
}

async fn server(client: &Client, settings: &Settings) -> Read<Server> {
    let install = &settings.prometheus.install_namespace;
    let api: Api<Deployment> = Api::namespaced(client.clone(), install);
    let unknown = Unread::NotAsked("it is not needed here".to_owned());
    let mut observed = Observed::nothing(Timestamp::UNIX_EPOCH, install, &unknown);
    observed.metrics_server = bounded(api.get("vas-metrics-server")).await;
    let servers = servers(client, &settings.prometheus, &observed)?;
    let default = |server: &Server| server.name.as_deref().is_none_or(|name| name == "default");
    let none = || Unread::NotAsked("the configuration file has no server called default".to_owned());
    servers.into_iter().find(default).ok_or_else(none)
}

/// One Prometheus, and the pods whose series are looked for in it.
struct Asked<'a> {
    server: &'a Server,
    namespace: &'a str,
    pods: &'a [&'a str],
}

impl Asked<'_> {
    fn labels(&self) -> &Labels {
        &self.server.labels
    }

    fn of_pods(&self) -> Selected {
        let labels = self.labels();
        Selected::of_any(&labels.pod, self.pods.iter().copied())
            .with(&labels.namespace, self.namespace)
            .with_matchers(&labels.matchers)
    }

    async fn names(&self, selected: &Selected) -> Read<Vec<String>> {
        let answer = self.server.asker.ask(&questions::by_name(selected)).await?;
        let names = answer.iter().filter_map(|item| item.labels.get("__name__"));
        Ok(names.map(ToString::to_string).collect())
    }

    async fn seen(&self) -> Read<SeriesSeen> {
        let names = self.names(&self.of_pods()).await?;
        let labels = self.labels();
        let in_namespace = Selected::of_any(&labels.namespace, [self.namespace])
            .with_matchers(&labels.matchers)
            .whose_name_has("queue|backlog|waiting|pending");
        let others = self.names(&in_namespace).await?;
        let mut requests = Vec::new();
        for name in ranked(names.iter().map(String::as_str), Purpose::Requests)
            .into_iter()
            .take(CANDIDATES)
        {
            requests.push(self.counter(name).await?);
        }
        // Names alone leave it open which of several is meant; a counter with labels of requests goes first.
        requests.sort_by_key(|one| super::candidates::telling(&one.labels).is_empty());
        let gauges = |purpose| {
            let all: BTreeMap<&str, bool> = others
                .iter()
                .map(|name| (name.as_str(), false))
                .chain(names.iter().map(|name| (name.as_str(), true)))
                .collect();
            let mut gauges: Vec<Gauge> = ranked(all.keys().copied(), purpose)
                .into_iter()
                .map(|name| Gauge {
                    name: name.to_owned(),
                    of_the_pods: all.get(name).copied().unwrap_or_default(),
                })
                .collect();
            gauges.sort_by_key(|gauge| !gauge.of_the_pods);
            gauges.truncate(CANDIDATES);
            gauges
        };
        Ok(SeriesSeen {
            how: self.server.how.clone(),
            depths: gauges(Purpose::QueueDepth),
            ages: gauges(Purpose::QueueAge),
            requests,
            names: names.len(),
        })
    }

    async fn counter(&self, name: &str) -> Read<Counter> {
        let selected = self.of_pods().and_named(name);
        let sample = self.server.asker.ask(&questions::sample(&selected)).await?;
        let labels = sample.iter().flat_map(|item| item.labels.entries());
        let pod = &self.labels().pod;
        let now = questions::rate_per_pod(&selected, pod);
        let now = self.server.asker.number(&now).await?;
        let peak = questions::peak_rate_per_pod(&selected, pod);
        let peak = self.server.asker.number(&peak).await?;
        Ok(Counter {
            name: name.to_owned(),
            labels: labels.map(|(label, _)| label.to_owned()).collect(),
            peak: now.into_iter().chain(peak).reduce(f64::max),
        })
    }
}
