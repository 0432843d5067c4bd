//! What a HorizontalPodAutoscaler tells: bounds, replicas, conditions and metrics.

use k8s_openapi::{
    api::autoscaling::v2::{
        HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus, MetricSpec,
        MetricStatus, MetricTarget, MetricValueStatus,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde::Deserialize;
use serde_json::Value;

use super::proposed::{self, Amount};
use crate::{
    hpa::{Controller, Hpa, Milli, milli},
    metrics::registration::MetricsApi,
    reconcile::suspend::is_frozen,
};
use vas_api::condition::SCALING_ACTIVE;

/// Type of the HPA's condition that tells what limits it.
pub const SCALING_LIMITED: &str = "ScalingLimited";
/// Most metrics of an HPA that are read; an HPA of ours has at most that many.
const MAX_METRICS: usize = 64;

/// What an HPA tells.
#[derive(Clone, Debug, PartialEq)]
pub struct HpaReading {
    /// The least number of replicas that it asks for; 1 where its spec names none.
    pub min: i32,
    /// The largest number of replicas that it asks for.
    pub max: i32,
    /// Replicas as the controller counted them; `None` until it has.
    pub current: Option<i32>,
    /// Replicas that it asked for. `None` while it cannot tell: then it may say 0 though replicas run.
    pub desired: Option<i32>,
    /// Whether it may move replicas in neither direction.
    pub suspended: bool,
    /// Status and reason of the condition `ScalingLimited`.
    pub limited: Option<(Box<str>, Box<str>)>,
    /// Its metrics, in the order of the spec.
    pub metrics: Box<[MetricReading]>,
    /// How often it asked for other replicas.
    pub rescales: Rescales,
}

/// What an HPA tells of one of its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricReading {
    /// What tells it from the other metrics of the HPA.
    pub identity: Identity,
    /// Its value in the unit of the target; `None` where the HPA read none.
    pub value: Option<f64>,
    /// Its target: percent for a utilization, else an amount per pod or in all, in the unit of the value.
    pub target: Option<f64>,
    /// Replicas that it asks for by itself.
    pub proposed: Option<i32>,
}

/// What tells a metric of an HPA from its others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A resource of the whole pod, by its name.
    Resource(Box<str>),
    /// A resource of a container.
    Container {
        /// Name of the resource, as in requests: `cpu` or `memory`.
        resource: Box<str>,
        /// Name of the container, the same in each pod.
        container: Box<str>,
    },
    /// A metric that the HPA reads from this API, by its name.
    Served(MetricsApi, Box<str>),
}

/// Counts of changes of the desired replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rescales {
    /// How often it asked for more replicas than before.
    pub up: u64,
    /// How often it asked for fewer replicas than before.
    pub down: u64,
    /// What was last asked for.
    last: Option<i32>,
}

impl HpaReading {
    /// Reads an HPA; `None` if it does not parse as one.
    pub(super) fn of(spec: &Value, status: &Value) -> Option<Self> {
        // From the parsed documents as they are: a copy of each would be made for each event of a watch.
        let object = HorizontalPodAutoscaler {
            metadata: ObjectMeta::default(),
            spec: HorizontalPodAutoscalerSpec::deserialize(spec).ok()?,
            status: Option::deserialize(status).ok()?,
        };
        let status = object.status.as_ref();
        let condition = |type_: &str| {
            let conditions = status.and_then(|status| status.conditions.as_deref());
            conditions
                .unwrap_or_default()
                .iter()
                .find(|one| one.type_ == type_)
        };
        let active = condition(SCALING_ACTIVE).is_some_and(|one| one.status == "True");
        let counted = status.filter(|status| status.conditions.as_ref().is_some_and(|all| !all.is_empty()));
        let current = counted.and_then(|status| status.current_replicas);
        let desired = counted.map(|status| status.desired_replicas);
        // An HPA that finds no metric says 0 (1.37), or what it said before.
        let desired = desired.filter(|desired| active || *desired > 0 || current == Some(0));
        Some(Self {
            min: object.spec.min_replicas.unwrap_or(1),
            max: object.spec.max_replicas,
            current,
            desired,
            suspended: is_frozen(&object),
            limited: condition(SCALING_LIMITED).map(|one| {
                let reason = one.reason.as_deref().unwrap_or_default();
                (one.status.as_str().into(), reason.into())
            }),
            metrics: metrics(&object, counted.filter(|_| active)),
            rescales: Rescales {
                last: desired,
                ..Rescales::default()
            },
        })
    }

    /// Goes on counting rescales where the reading before ended. Example: 2 replicas before and 4 now is one more
    /// rescale up; a reading between them that cannot tell changes nothing.
    pub(super) fn follow(&mut self, before: &Self) {
        let mut rescales = before.rescales;
        if let (Some(last), Some(now)) = (rescales.last, self.desired) {
            rescales.up += u64::from(now > last);
            rescales.down += u64::from(now < last);
        }
        rescales.last = self.desired.or(rescales.last);
        self.rescales = rescales;
    }

    /// Number of metrics that the HPA reads from an API.
    pub fn served(&self, api: MetricsApi) -> usize {
        let metrics = self.metrics.iter();
        metrics
            .filter(|metric| matches!(metric.identity, Identity::Served(of, _) if of == api))
            .count()
    }
}

/// The metrics of an HPA. `status` is `None` where its values do not count.
fn metrics(
    object: &HorizontalPodAutoscaler,
    status: Option<&HorizontalPodAutoscalerStatus>,
) -> Box<[MetricReading]> {
    let hpa = Hpa::read(object, &Controller::default());
    let current = status.and_then(|status| status.current_replicas);
    let specs = object.spec.metrics.iter().flatten().take(MAX_METRICS);
    specs
        .zip(&hpa.metrics)
        .filter_map(|(spec, metric)| {
            let identity = identity_of(spec)?;
            let statuses = status.and_then(|status| status.current_metrics.as_deref());
            // By identity and not by position: a metric without a value has an empty entry, or none.
            let found = statuses
                .unwrap_or_default()
                .iter()
                .find(|one| is_of(one, &identity));
            let amount = found.and_then(|found| amount(target(spec)?, value(found)?));
            let proposed = amount.zip(metric.as_ref().ok()).zip(current);
            Some(MetricReading {
                value: amount.map(Amount::number),
                target: target(spec).and_then(aim),
                proposed: proposed.and_then(|((amount, metric), current)| {
                    proposed::replicas(&hpa, metric, amount, current)
                }),
                identity,
            })
        })
        .collect()
}

fn identity_of(spec: &MetricSpec) -> Option<Identity> {
    let served = |api, name: &str| Some(Identity::Served(api, name.into()));
    match spec.type_.as_str() {
        "Resource" => Some(Identity::Resource(spec.resource.as_ref()?.name.as_str().into())),
        "ContainerResource" => {
            let source = spec.container_resource.as_ref()?;
            Some(Identity::Container {
                resource: source.name.as_str().into(),
                container: source.container.as_str().into(),
            })
        }
        "Pods" => served(MetricsApi::Custom, &spec.pods.as_ref()?.metric.name),
        "Object" => served(MetricsApi::Custom, &spec.object.as_ref()?.metric.name),
        "External" => served(MetricsApi::External, &spec.external.as_ref()?.metric.name),
        _ => None,
    }
}

fn is_of(status: &MetricStatus, identity: &Identity) -> bool {
    match identity {
        Identity::Resource(resource) => status.resource.as_ref().is_some_and(|one| one.name == **resource),
        Identity::Container { resource, container } => status
            .container_resource
            .as_ref()
            .is_some_and(|one| one.name == **resource && one.container == **container),
        Identity::Served(MetricsApi::Custom, name) => {
            status.pods.as_ref().is_some_and(|one| one.metric.name == **name)
                || status
                    .object
                    .as_ref()
                    .is_some_and(|one| one.metric.name == **name)
        }
        Identity::Served(MetricsApi::External, name) => status
            .external
            .as_ref()
            .is_some_and(|one| one.metric.name == **name),
    }
}

fn target(spec: &MetricSpec) -> Option<&MetricTarget> {
    let resource = spec.resource.as_ref().map(|source| &source.target);
    let container = spec.container_resource.as_ref().map(|source| &source.target);
    let pods = spec.pods.as_ref().map(|source| &source.target);
    let object = spec.object.as_ref().map(|source| &source.target);
    let external = spec.external.as_ref().map(|source| &source.target);
    resource.or(container).or(pods).or(object).or(external)
}

fn value(status: &MetricStatus) -> Option<&MetricValueStatus> {
    let resource = status.resource.as_ref().map(|one| &one.current);
    let container = status.container_resource.as_ref().map(|one| &one.current);
    let pods = status.pods.as_ref().map(|one| &one.current);
    let object = status.object.as_ref().map(|one| &one.current);
    let external = status.external.as_ref().map(|one| &one.current);
    resource.or(container).or(pods).or(object).or(external)
}

/// The value in the unit of the target.
fn amount(target: &MetricTarget, value: &MetricValueStatus) -> Option<Amount> {
    match target.type_.as_str() {
        "Utilization" => value.average_utilization.map(Amount::Utilization),
        "AverageValue" => value.average_value.as_ref().and_then(milli).map(Amount::Average),
        "Value" => value.value.as_ref().and_then(milli).map(Amount::Total),
        _ => None,
    }
}

/// The target as a number.
fn aim(target: &MetricTarget) -> Option<f64> {
    match target.type_.as_str() {
        "Utilization" => target.average_utilization.map(f64::from),
        "AverageValue" => target.average_value.as_ref().and_then(milli).map(units),
        "Value" => target.value.as_ref().and_then(milli).map(units),
        _ => None,
    }
}

/// Milli-units as units.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(super) fn units(milli: Milli) -> f64 {
    milli as f64 / 1000.0
}

#[cfg(test)]
mod tests;
