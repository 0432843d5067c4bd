//! The part of the JSON document on the cluster. Moments are seconds since the run began.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    autoscaling::elasticity::Elasticity,
    model::{
        chain::{Chain, Link, LinkKind},
        scaling::{Bounds, Budget, Event, EventKind, Memory, MetricSeen, Replicas, Scaling},
    },
    report::Workload,
};

/// One workload that was watched.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Workload")]
pub(super) struct WorkloadRow {
    /// Namespace of the scale target.
    pub(super) namespace: String,
    /// The scale target, such as `deployment/api-gateway`.
    pub(super) target: String,
    /// Name of the HorizontalPodAutoscaler.
    pub(super) hpa: String,
    /// `minReplicas` of that HPA.
    pub(super) min_replicas: u32,
    /// `maxReplicas` of that HPA.
    pub(super) max_replicas: u32,
    /// Replicas at each change, in order of time; the first entry is the state at the start.
    pub(super) replicas: Vec<ReplicasRow>,
    /// Metrics of the HPA at each change.
    pub(super) metrics: Vec<MetricRow>,
    /// Changes of conditions of the HPA, events of pods, and other kinds of events.
    pub(super) events: Vec<EventRow>,
    /// Status of the PodDisruptionBudget at each change; empty without one.
    pub(super) budget: Vec<BudgetRow>,
    /// Memory of the pods, sampled every few seconds; empty where the cluster has no resource metrics.
    pub(super) memory: Vec<MemoryRow>,
    /// The time-to-scale chain of each scale-up.
    pub(super) chains: Vec<ChainRow>,
    /// How well the replicas followed the demand; `null` where the capacity of one replica is unknown.
    pub(super) elasticity: Option<ElasticityRow>,
}

/// Replica counts that hold from one moment to the next entry.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Replicas")]
pub(super) struct ReplicasRow {
    /// Seconds since the run began, from which these counts hold.
    pub(super) at: f64,
    /// Replicas that the HPA desires.
    pub(super) desired: u32,
    /// Replicas that the scale target asks for.
    pub(super) current: u32,
    /// Pods that are Ready.
    pub(super) ready: u32,
}

/// A metric as the HPA's status shows it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Metric")]
pub(super) struct MetricRow {
    /// Seconds since the run began.
    pub(super) at: f64,
    /// Name of the metric.
    pub(super) name: String,
    /// The current value divided by the target; `null` while the HPA has no value.
    pub(super) ratio: Option<f64>,
}

/// Status of a PodDisruptionBudget, from one moment to the next entry.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Budget")]
pub(super) struct BudgetRow {
    /// Seconds since the run began, from which this status holds.
    pub(super) at: f64,
    /// Pods that may be disrupted.
    pub(super) allowed: u32,
    /// Pods that have to stay healthy.
    pub(super) wanted: u32,
}

/// Memory at one moment, as the resource metrics API (metrics.k8s.io) reports it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Memory")]
pub(super) struct MemoryRow {
    /// Seconds since the run began.
    pub(super) at: f64,
    /// Bytes in use, averaged over the pods.
    pub(super) bytes_per_pod: f64,
}

/// One event of the pods, the HPA, the VPA or the PodDisruptionBudget.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Event")]
pub(super) struct EventRow {
    /// Seconds since the run began.
    pub(super) at: f64,
    /// The kind of event.
    #[serde(with = "EventKindRow")]
    pub(super) kind: EventKind,
    /// Name of the object: of a pod, or of a condition.
    pub(super) object: String,
    /// Details for people; may be empty.
    pub(super) words: String,
}

/// Kinds of events.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(remote = "EventKind", rename_all = "snake_case")]
enum EventKindRow {
    PodCreated,
    PodScheduled,
    PodStarted,
    PodReady,
    PodUnready,
    PodTerminating,
    PodGone,
    HpaCondition,
    VpaRecommendation,
    DisruptionRoom,
    PodRefused,
}

/// The time-to-scale chain of one scale-up: each event from the rise of the load to enough Ready replicas.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Chain")]
pub(super) struct ChainRow {
    /// Desired replicas before the scale-up.
    pub(super) from: u32,
    /// Desired replicas after the scale-up.
    pub(super) to: u32,
    /// Seconds from the load step until all new pods are Ready; `null` unless both were seen.
    pub(super) time_to_scale: Option<f64>,
    /// The link that took longest; `null` where no link has a duration.
    pub(super) slowest: Option<SlowestRow>,
    /// What to change to make the slowest link faster.
    pub(super) hint: Option<String>,
    /// One link for each kind of event, in their order.
    pub(super) links: Vec<LinkRow>,
}

/// The kind of the slowest link.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "Slowest")]
pub(super) struct SlowestRow(#[serde(with = "LinkKindRow")] LinkKind);

/// One event of a scale-up.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Link")]
pub(super) struct LinkRow {
    /// The kind of event.
    #[serde(with = "LinkKindRow")]
    pub(super) kind: LinkKind,
    /// Seconds since the run began; `null` where the event was not seen.
    pub(super) at: Option<f64>,
    /// Seconds since the last earlier link that was seen. `null` for the first link, and where this one was
    /// not seen.
    pub(super) seconds: Option<f64>,
}

/// Kinds of events of a scale-up, in their order.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(remote = "LinkKind", rename_all = "snake_case")]
enum LinkKindRow {
    LoadStep,
    MetricVisible,
    Desired,
    PodCreated,
    Scheduled,
    Started,
    Ready,
    Recovered,
}

/// Elasticity figures of SPEC-RG-2016-01; lower is better, zero is ideal.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Elasticity")]
pub(super) struct ElasticityRow {
    /// Under-provisioning accuracy, in percent of the demand.
    pub(super) under_accuracy_percent: f64,
    /// Over-provisioning accuracy, in percent of the demand; has no upper bound.
    pub(super) over_accuracy_percent: f64,
    /// Share of the time with fewer replicas than needed, in percent.
    pub(super) under_timeshare_percent: f64,
    /// Share of the time with more replicas than needed, in percent.
    pub(super) over_timeshare_percent: f64,
    /// Share of the time in which replicas and demand moved in different ways, in percent.
    pub(super) instability_percent: f64,
    /// Hours of Ready replicas.
    pub(super) replica_hours: f64,
    /// Hours of needed replicas.
    pub(super) demand_hours: f64,
}

impl From<&Workload> for WorkloadRow {
    fn from(workload: &Workload) -> Self {
        let scaling = &workload.scaling;
        let replicas = |seen: &Replicas| ReplicasRow {
            at: seen.at,
            desired: seen.desired,
            current: seen.current,
            ready: seen.ready,
        };
        let metric = |seen: &MetricSeen| MetricRow {
            at: seen.at,
            name: seen.name.clone(),
            // JSON has no infinity.
            ratio: seen.ratio.filter(|ratio| ratio.is_finite()),
        };
        let event = |event: &Event| EventRow {
            at: event.at,
            kind: event.kind,
            object: event.object.clone(),
            words: event.words.clone(),
        };
        let budget = |seen: &Budget| BudgetRow {
            at: seen.at,
            allowed: seen.allowed,
            wanted: seen.wanted,
        };
        let memory = |seen: &Memory| MemoryRow {
            at: seen.at,
            bytes_per_pod: seen.bytes_per_pod,
        };
        Self {
            namespace: scaling.namespace.clone(),
            target: scaling.target.clone(),
            hpa: scaling.hpa.clone(),
            min_replicas: scaling.bounds.min,
            max_replicas: scaling.bounds.max,
            replicas: scaling.replicas.iter().map(replicas).collect(),
            metrics: scaling.metrics.iter().map(metric).collect(),
            events: scaling.events.iter().map(event).collect(),
            budget: scaling.budget.iter().map(budget).collect(),
            memory: scaling.memory.iter().map(memory).collect(),
            chains: workload.chains.iter().map(ChainRow::from).collect(),
            elasticity: workload.elasticity.map(ElasticityRow::from),
        }
    }
}

impl From<WorkloadRow> for Workload {
    fn from(row: WorkloadRow) -> Self {
        let replicas = |row: ReplicasRow| Replicas {
            at: row.at,
            desired: row.desired,
            current: row.current,
            ready: row.ready,
        };
        let metric = |row: MetricRow| MetricSeen {
            at: row.at,
            name: row.name,
            ratio: row.ratio,
        };
        let event = |row: EventRow| Event {
            at: row.at,
            kind: row.kind,
            object: row.object,
            words: row.words,
        };
        let budget = |row: BudgetRow| Budget {
            at: row.at,
            allowed: row.allowed,
            wanted: row.wanted,
        };
        let memory = |row: MemoryRow| Memory {
            at: row.at,
            bytes_per_pod: row.bytes_per_pod,
        };
        Self {
            scaling: Scaling {
                namespace: row.namespace,
                target: row.target,
                hpa: row.hpa,
                bounds: Bounds {
                    min: row.min_replicas,
                    max: row.max_replicas,
                },
                replicas: row.replicas.into_iter().map(replicas).collect(),
                metrics: row.metrics.into_iter().map(metric).collect(),
                events: row.events.into_iter().map(event).collect(),
                budget: row.budget.into_iter().map(budget).collect(),
                memory: row.memory.into_iter().map(memory).collect(),
            },
            chains: row.chains.into_iter().map(Chain::from).collect(),
            elasticity: row.elasticity.map(Elasticity::from),
        }
    }
}

impl From<&Chain> for ChainRow {
    fn from(chain: &Chain) -> Self {
        let link = |link: &Link| LinkRow {
            kind: link.kind,
            at: link.at,
            seconds: link.seconds,
        };
        Self {
            from: chain.from,
            to: chain.to,
            time_to_scale: chain.time_to_scale(),
            slowest: chain.slowest().map(|link| SlowestRow(link.kind)),
            hint: chain.hint.clone(),
            links: chain.links.iter().map(link).collect(),
        }
    }
}

impl From<ChainRow> for Chain {
    fn from(row: ChainRow) -> Self {
        let link = |row: LinkRow| Link {
            kind: row.kind,
            at: row.at,
            seconds: row.seconds,
        };
        Self {
            from: row.from,
            to: row.to,
            links: row.links.into_iter().map(link).collect(),
            hint: row.hint,
        }
    }
}

impl From<Elasticity> for ElasticityRow {
    fn from(figures: Elasticity) -> Self {
        Self {
            under_accuracy_percent: figures.under_accuracy,
            over_accuracy_percent: figures.over_accuracy,
            under_timeshare_percent: figures.under_timeshare,
            over_timeshare_percent: figures.over_timeshare,
            instability_percent: figures.instability,
            replica_hours: figures.replica_hours,
            demand_hours: figures.demand_hours,
        }
    }
}

impl From<ElasticityRow> for Elasticity {
    fn from(row: ElasticityRow) -> Self {
        Self {
            under_accuracy: row.under_accuracy_percent,
            over_accuracy: row.over_accuracy_percent,
            under_timeshare: row.under_timeshare_percent,
            over_timeshare: row.over_timeshare_percent,
            instability: row.instability_percent,
            replica_hours: row.replica_hours,
            demand_hours: row.demand_hours,
        }
    }
}
