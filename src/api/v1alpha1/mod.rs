//! `scaling.voiceassist.io/v1alpha1`: the `VoiceAssistScaling` resource, one file per concern.
//!
//! Rules for these types: every optional field is an `Option` with `serde(default)` and
//! `skip_serializing_if`, so that server-side apply owns no field by accident and no default is stored. There
//! are no unsigned integers, no `flatten` and no untagged enums. Every list and string has a bound. Names of
//! fields are those of HPA v2, VPA v1 and PDB v1.

mod behavior;
mod crd;
mod disruption;
mod environment;
mod limits;
mod metric;
mod rules;
mod schedule;
mod spec;
mod status;
mod vertical;
mod workload;

pub use behavior::{Behavior, PolicyType, ScalingPolicy, ScalingRules, SelectPolicy};
pub use crd::crd;
pub use disruption::{Disruption, UnhealthyPodEvictionPolicy};
pub use environment::{Environment, WorkloadOverride};
pub use limits::{LimitRangeLimits, Limits, ResourceQuotaLimits};
pub use metric::{
    Aggregation, ContainerResourceSource, MatchExpression, MatchOperator, Metric, ObjectTarget, OnMissing,
    PodGaugeSource, PodsTarget, PrometheusSource, QueueAgeSource, QueueDepthSource, RequestRateSource,
    ResourceName, ResourceSource, ResourceTarget,
};
pub use schedule::Schedule;
pub use spec::{VoiceAssistScaling, VoiceAssistScalingSpec};
pub use status::{NextChange, ScheduleStatus, VoiceAssistScalingStatus, WorkloadStatus};
pub use vertical::{ContainerMode, ControlledValues, UpdateMode, Vertical, VerticalContainer};
pub use workload::{ScaleTargetRef, Workload};
