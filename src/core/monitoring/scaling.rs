//! The series of one resource and its workloads, from its object and the readings of its children.
//!
//! Invariant: what is not known has no series. Only the object that is exported is read here: the texts of others
//! become labels, never names.

use serde::Deserialize;

use super::{
    exposition::Exposition,
    families::{
        Level,
        scalings::{
            SCALING_CONDITION, SCALING_GENERATION, SCALING_INFO, SCALING_OBSERVED_GENERATION,
            WORKLOAD_CONDITION, WORKLOAD_DISRUPTIONS_ALLOWED, WORKLOAD_INFO,
            WORKLOAD_METRIC_PROPOSED_REPLICAS, WORKLOAD_METRIC_TARGET, WORKLOAD_METRIC_VALUE,
            WORKLOAD_REPLICAS_CURRENT, WORKLOAD_REPLICAS_DESIRED, WORKLOAD_REPLICAS_MAX,
            WORKLOAD_REPLICAS_MIN, WORKLOAD_REPLICAS_READY, WORKLOAD_RESCALES, WORKLOAD_SERVED_METRICS,
            WORKLOAD_SUSPENDED,
        },
    },
    readings::{
        BudgetReading,
        hpa::{HpaReading, Identity, SCALING_LIMITED},
    },
};
use crate::{metrics::registration::MetricsApi, spec::model::child_name};
use vas_api::condition::SUSPENDED;

/// The reason of `ScalingLimited` where `maxReplicas` lowers what the metrics ask for.
const TOO_MANY_REPLICAS: &str = "TooManyReplicas";

/// A resource, as it is exported.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Namespace of the resource, and so of its workloads and children.
    pub namespace: &'a str,
    /// Name of the resource, which becomes the label `scaling`.
    pub name: &'a str,
    /// The generation of its spec; `None` for an object without one.
    pub generation: Option<i64>,
    /// Spec and status; `None` for an object that does not parse.
    pub content: Option<&'a Content>,
}

/// What is exported of spec and status. All else in them is skipped.
#[derive(Clone, Debug, Deserialize)]
pub struct Content {
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Deserialize)]
struct Spec {
    #[serde(default)]
    workloads: Vec<Workload>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Workload {
    name: String,
    scale_target_ref: Target,
    #[serde(default)]
    metrics: Option<Vec<Metric>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Target {
    kind: String,
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    name: String,
    #[serde(default)]
    resource: Option<ResourceSource>,
    #[serde(default)]
    container_resource: Option<ResourceSource>,
}

#[derive(Clone, Debug, Deserialize)]
struct ResourceSource {
    name: String,
    #[serde(default)]
    container: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: Option<i64>,
    environment: Option<String>,
    conditions: Option<Vec<Condition>>,
    workloads: Option<Vec<WorkloadStatus>>,
}

#[derive(Clone, Debug, Deserialize)]
struct WorkloadStatus {
    name: String,
    #[serde(default)]
    conditions: Option<Vec<Condition>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: String,
}

/// What the children of a workload tell.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// What its HPA tells; `None` where there is no HPA that the resource controls.
    pub hpa: Option<HpaReading>,
    /// What its PodDisruptionBudget tells; `None` where there is none, or its controller has not counted yet.
    pub budget: Option<BudgetReading>,
}

/// Adds the series of a resource. `readings` has those of the children with a name; children of others have to be
/// left out there.
pub fn add(exposition: &mut Exposition, resource: &Resource<'_>, readings: impl Fn(&str) -> Readings) {
    let own = [resource.namespace, resource.name];
    let status = resource.content.map(|content| &content.status);
    let environment = status
        .and_then(|status| status.environment.as_deref())
        .unwrap_or_default();
    exposition.add(SCALING_INFO, &with(own, [environment]), 1.0);
    if let Some(generation) = resource.generation {
        exposition.add(SCALING_GENERATION, &own, number(generation));
    }
    if let Some(observed) = status.and_then(|status| status.observed_generation) {
        exposition.add(SCALING_OBSERVED_GENERATION, &own, number(observed));
    }
    for condition in status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default()
    {
        let labels = [condition.type_.as_str(), &condition.status, &condition.reason];
        exposition.add(SCALING_CONDITION, &with(own, labels), 1.0);
    }
    let Some(content) = resource.content else { return };
    for workload in &content.spec.workloads {
        let hpa = child_name(resource.name, &workload.name);
        let of = Of {
            labels: [resource.namespace, resource.name, &workload.name],
            workload,
        };
        let info = [
            workload.scale_target_ref.kind.as_str(),
            &workload.scale_target_ref.name,
            &hpa,
        ];
        exposition.add(WORKLOAD_INFO, &of.with(info), 1.0);
        let statuses = content.status.workloads.iter().flatten();
        let statuses = statuses.filter(|status| status.name == workload.name);
        for condition in statuses.flat_map(|status| status.conditions.iter().flatten()) {
            of.condition(
                exposition,
                [&condition.type_, &condition.status, &condition.reason],
                false,
            );
        }
        let readings = readings(&hpa);
        if let Some(reading) = &readings.hpa {
            of.hpa(exposition, reading);
        }
        if let Some(budget) = readings.budget {
            exposition.add(WORKLOAD_REPLICAS_READY, &of.labels, number(budget.healthy));
            exposition.add(
                WORKLOAD_DISRUPTIONS_ALLOWED,
                &of.labels,
                number(budget.disruptions_allowed),
            );
        }
    }
}

/// The workload whose series are added.
struct Of<'a> {
    labels: [&'a str; 3],
    workload: &'a Workload,
}

impl<'a> Of<'a> {
    fn with<const MORE: usize>(&self, more: [&'a str; MORE]) -> Vec<&'a str> {
        self.labels.into_iter().chain(more).collect()
    }

    /// A condition: type, status and reason. `meant` says that it is as the resource wants it, whatever its status.
    fn condition(&self, exposition: &mut Exposition, labels: [&'a str; 3], meant: bool) {
        let [type_, status, _] = labels;
        let wanted = if [SCALING_LIMITED, SUSPENDED].contains(&type_) {
            "False"
        } else {
            "True"
        };
        let level = if meant || status == wanted {
            Level::Workload
        } else {
            Level::Resource
        };
        exposition.add_at(level, WORKLOAD_CONDITION, &self.with(labels), 1.0);
    }

    fn hpa(&self, exposition: &mut Exposition, hpa: &'a HpaReading) {
        let labels = &self.labels;
        let level = if hpa.suspended {
            Level::Resource
        } else {
            Level::Workload
        };
        exposition.add_at(
            level,
            WORKLOAD_SUSPENDED,
            labels,
            f64::from(u8::from(hpa.suspended)),
        );
        exposition.add(WORKLOAD_REPLICAS_MIN, labels, f64::from(hpa.min));
        exposition.add(WORKLOAD_REPLICAS_MAX, labels, f64::from(hpa.max));
        let counts = [
            (WORKLOAD_REPLICAS_CURRENT, hpa.current),
            (WORKLOAD_REPLICAS_DESIRED, hpa.desired),
        ];
        for (family, count) in counts {
            if let Some(count) = count {
                exposition.add(family, labels, f64::from(count));
            }
        }
        if let Some((status, reason)) = &hpa.limited {
            // Limited to one number is what the resource says, and no shortage.
            let fixed = hpa.min == hpa.max && &**reason == TOO_MANY_REPLICAS;
            self.condition(exposition, [SCALING_LIMITED, status, reason], fixed);
        }
        for (direction, count) in [("up", hpa.rescales.up), ("down", hpa.rescales.down)] {
            exposition.add(WORKLOAD_RESCALES, &self.with([direction]), count_of(count));
        }
        for api in MetricsApi::ALL {
            let served = u64::try_from(hpa.served(api)).unwrap_or(u64::MAX);
            exposition.add(
                WORKLOAD_SERVED_METRICS,
                &self.with([api.group()]),
                count_of(served),
            );
        }
        for metric in &hpa.metrics {
            let labels = self.with([self.name_of(&metric.identity)]);
            let numbers = [
                (WORKLOAD_METRIC_VALUE, metric.value),
                (WORKLOAD_METRIC_TARGET, metric.target),
                (WORKLOAD_METRIC_PROPOSED_REPLICAS, metric.proposed.map(f64::from)),
            ];
            for (family, number) in numbers {
                if let Some(number) = number {
                    exposition.add(family, &labels, number);
                }
            }
        }
    }

    /// The name of the metric in the resource. An HPA names a resource metric by its resource alone.
    fn name_of(&self, identity: &'a Identity) -> &'a str {
        let metrics = || self.workload.metrics.iter().flatten();
        let (known, otherwise) = match identity {
            Identity::Served(_, name) => return name,
            Identity::Resource(name) => {
                let is_it = |source: &ResourceSource| source.name == **name;
                (
                    metrics().find(|metric| metric.resource.as_ref().is_some_and(is_it)),
                    name,
                )
            }
            Identity::Container { resource, container } => {
                let is_it = |source: &ResourceSource| {
                    source.name == **resource && source.container.as_deref() == Some(container)
                };
                let found = metrics().find(|metric| metric.container_resource.as_ref().is_some_and(is_it));
                (found, resource)
            }
        };
        known.map_or(otherwise, |metric| metric.name.as_str())
    }
}

fn with<'a, const MORE: usize>(own: [&'a str; 2], more: [&'a str; MORE]) -> Vec<&'a str> {
    own.into_iter().chain(more).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn number(count: i64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a counter is a float")]
fn count_of(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
