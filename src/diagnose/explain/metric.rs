//! Explains one metric of an HPA: its entry in the resource, its query, and the replicas that it proposes
//! alone.

use k8s_openapi::api::autoscaling::v2::MetricSpec;

use serde_json::Value;

use super::{
    Servers, Settings, Unanswered,
    report::MetricReport,
    words::{self, Unit},
};
use vas_api::v1alpha1::ResourceName;
use vas_core::{
    hpa::{
        Hpa, Metric, MetricError, Reading, RefusedMetric, Source, World,
        answer::{self, Answer},
        propose,
    },
    metrics::promql,
    spec::model::{self, Workload},
};

/// The entry of the resource from which the operator made a metric of the HPA.
pub(super) fn entry_of<'a>(spec: &MetricSpec, workload: &'a Workload) -> Option<&'a model::Metric> {
    let name = |resource: ResourceName| match resource {
        ResourceName::Cpu => "cpu",
        ResourceName::Memory => "memory",
    };
    workload.metrics.iter().find(|entry| match &entry.source {
        model::Source::Resource { name: resource, .. } => spec
            .resource
            .as_ref()
            .is_some_and(|spec| spec.name == name(*resource)),
        model::Source::ContainerResource {
            name: resource,
            container,
            ..
        } => spec
            .container_resource
            .as_ref()
            .is_some_and(|spec| spec.name == name(*resource) && spec.container == *container),
        model::Source::Prometheus(_) => metric_name(spec) == Some(&entry.name),
    })
}

fn metric_name(spec: &MetricSpec) -> Option<&str> {
    let pods = spec.pods.as_ref().map(|spec| &spec.metric);
    let object = spec.object.as_ref().map(|spec| &spec.metric);
    let external = spec.external.as_ref().map(|spec| &spec.metric);
    pods.or(object).or(external).map(|metric| metric.name.as_str())
}

/// The query of an entry, or a text that says why there is none. `None` for metrics that are not from
/// Prometheus.
pub(super) fn query(entry: &model::Metric, namespace: &str, settings: &Settings) -> Option<String> {
    let model::Source::Prometheus(prometheus) = &entry.source else {
        return None;
    };
    let shape = match &settings.prometheus {
        Servers::One(labels) => promql::shape(labels, namespace, prometheus),
        Servers::Named(sources) => sources.shape(namespace, prometheus),
    };
    Some(match shape {
        Ok(shape) => shape.value,
        Err(error) => format!("none: {error}"),
    })
}

/// The report of a metric without its values and its proposal.
pub(super) fn report(
    spec: &MetricSpec,
    entry: Option<&model::Metric>,
    query: Option<String>,
) -> MetricReport {
    let resource = spec.resource.as_ref().map(|spec| spec.name.clone());
    let container = spec.container_resource.as_ref();
    let container = container.map(|spec| format!("{} of container {}", spec.name, spec.container));
    let own = || metric_name(spec).map(str::to_owned).or(resource).or(container);
    MetricReport {
        name: entry
            .map(|entry| entry.name.clone())
            .or_else(own)
            .unwrap_or_default(),
        type_: spec.type_.clone(),
        api: match spec.type_.as_str() {
            "Resource" | "ContainerResource" => "metrics.k8s.io",
            "External" => "external.metrics.k8s.io",
            _ => "custom.metrics.k8s.io",
        },
        query,
        value: None,
        target: String::new(),
        ratio: None,
        sampled: None,
        age_seconds: None,
        pods: None,
        proposal: None,
        outcome: None,
        decides: false,
        error: None,
    }
}

/// Fills in the values and the proposal of a report, and returns the reading. `pods` are the names of the cohorts.
pub(super) fn judge(
    line: &mut MetricReport,
    hpa: &Hpa,
    metric: Option<&Result<Metric, RefusedMetric>>,
    answer: Option<&Result<Value, Unanswered>>,
    pods: &[String],
    world: &World<'_>,
) -> Result<Reading, Unanswered> {
    let missing = |words: &str| Unanswered::Missing(words.to_owned());
    let metric = metric.ok_or_else(|| missing("it is not in the HPA"))?;
    let metric = metric.as_ref().map_err(|refused| missing(&refused.to_string()))?;
    let unit = Unit::of(&metric.source);
    line.target = words::target(unit, metric.target);
    let answer = answer.ok_or_else(|| missing("it was not read"))?;
    let answer = answer.as_ref().map_err(Clone::clone)?;
    let Answer { reading, sampled } =
        answer::read(metric, answer, pods).map_err(|error| missing(&error.to_string()))?;
    line.sampled = sampled;
    line.age_seconds = sampled.map(|at| (world.now.as_second() - at.as_second()).max(0));
    let proposal = match propose(hpa, metric, &reading, world) {
        Ok(proposal) => proposal,
        Err(error) => {
            line.error = Some(words_of(error, metric, pods, world));
            return Ok(reading);
        }
    };
    line.value = Some(words::measured(
        unit,
        proposal.measured,
        metric.target,
        world.status,
    ));
    line.ratio = Some(proposal.ratio).filter(|ratio| ratio.is_finite());
    line.pods = proposal.pods;
    line.outcome = Some(proposal.outcome);
    line.proposal = Some(proposal.replicas);
    Ok(reading)
}

/// Why a value leads to no proposal, with the names of what is to blame.
fn words_of(error: MetricError, metric: &Metric, pods: &[String], world: &World<'_>) -> String {
    let MetricError::MissingRequest { cohort } = error else {
        return error.to_string();
    };
    let (resource, container) = match &metric.source {
        Source::Resource { resource } => (resource.as_str(), None),
        Source::ContainerResource { resource, container } => (resource.as_str(), Some(container.as_str())),
        Source::Pods | Source::Object | Source::External => ("", None),
    };
    let requests = world.cohorts.get(cohort).map(|cohort| &cohort.pod.requests);
    let container =
        requests.and_then(|requests| requests.lacking(resource, container, world.controller.gates));
    let container = match container {
        Some(name) if !name.is_empty() => format!("container {name} of "),
        _ => String::new(),
    };
    let pod = pods.get(cohort).map_or("", String::as_str);
    format!("missing request for {resource} in {container}pod {pod}")
}
