//! Finds the Prometheus servers, and how each is reached.

use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;

use super::asker::Asker;
use crate::doctor::{
    checks::{
        deployments,
        prometheus::{Address, ServiceAddress},
    },
    observed::Observed,
    read::{Servers, Settings, reader::TIME_LIMIT},
};
use vas_core::{
    k8s::read::{Read, Unread},
    metrics::promql::{InvalidMatcher, LabelName, Labels, Matcher, Matchers},
};
use vas_prometheus::{self, Limits};

/// Largest answer in bytes. The queries only count, so the answers are small.
const MAX_RESPONSE: usize = 4 << 20;

/// One Prometheus, and how to query it.
pub(crate) struct Server {
    /// Name of the server; `None` if only one is configured.
    pub(crate) name: Option<String>,
    pub(crate) how: String,
    pub(crate) asker: Asker,
    pub(crate) labels: Labels,
    /// Whether the metrics server adds the namespace of the resource to a query that an author wrote.
    pub(crate) bind_queries: bool,
}

/// The servers of the configuration file or the flag, else the server in the metrics server's Deployment.
pub(crate) fn servers(client: &Client, settings: &Settings, observed: &Observed) -> Read<Vec<Server>> {
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
