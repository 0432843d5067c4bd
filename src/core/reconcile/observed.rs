//! What a reconcile has read from the cluster, as plain data for [`crate::reconcile::plan`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::child::{ChildKind, Live, TargetKey};
use crate::{
    k8s::{
        label_selector::LabelSelector,
        quota::{PodRequests, Quota},
        resource_ref::ResourceRef,
    },
    spec::{environment, model::child_name},
};
use vas_api::v1alpha1::{Limits, UpdateMode, VoiceAssistScaling};

/// Everything that a reconcile read for one resource.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Which resource, and in which state of its spec.
    pub resource: ResourceRef,
    /// The claim of the resource itself.
    pub own: Claim,
    /// The claims of the other resources of the namespace.
    pub others: Vec<Arc<Claim>>,
    /// The scale target of each workload, by the name of the workload.
    pub targets: BTreeMap<String, Target>,
    /// The objects of each child kind in the namespace, whoever owns them.
    pub live: BTreeMap<ChildKind, Vec<Arc<Live>>>,
    /// What the cluster's VPA can do.
    pub vpa: VpaSupport,
    /// Whether the operator may write LimitRanges and ResourceQuotas.
    pub manage_limits: bool,
    /// The quotas of the namespace.
    pub quotas: Vec<Quota>,
    /// Whether the metrics server is registered and answers.
    pub metrics_server: MetricsServer,
}

/// What a resource lays claim to in its namespace: targets, names of children, and the namespace's limits.
/// Where several resources claim something that no resource has yet, the oldest claim wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Name of the resource.
    pub name: String,
    /// UID of the resource.
    pub uid: String,
    /// When the resource was created.
    pub created: Option<Timestamp>,
    /// The scale targets of the workloads. It is a list because a set with one entry takes ten times the
    /// memory.
    pub targets: Vec<TargetKey>,
    /// Which limits the resource asks for in the active environment.
    pub limits: LimitClaim,
    /// Names of the children that the resource may write. Those of another resource may be the same: workload
    /// `c` of resource `a-b` and workload `b-c` of resource `a` both give `a-b-c`.
    pub child_names: Vec<String>,
}

impl Claim {
    /// The claim of a resource, from its spec as written.
    pub fn of(resource: &ResourceRef, object: &VoiceAssistScaling) -> Self {
        let name = resource.name.clone();
        let created = object.metadata.creation_timestamp.as_ref();
        let workloads = &object.spec.workloads;
        let mut child_names: Vec<String> = workloads
            .iter()
            .map(|workload| child_name(&name, &workload.name))
            .collect();
        child_names.push(name.clone());
        Self {
            uid: resource.uid.clone(),
            created: created.map(|time| time.0),
            targets: workloads
                .iter()
                .map(|workload| TargetKey::from(&workload.scale_target_ref))
                .collect(),
            limits: environment::active_limits(&object.spec)
                .as_ref()
                .map(LimitClaim::of)
                .unwrap_or_default(),
            child_names,
            name,
        }
    }

    /// Whether this claim wins against `other`. Resources created in the same second are ordered by their
    /// UID, so that every replica of the operator decides alike.
    pub fn is_older_than(&self, other: &Self) -> bool {
        (self.created, &self.uid) < (other.created, &other.uid)
    }
}

/// Which objects with limits a resource asks for. A namespace takes each kind from one resource only, so two resources
/// that ask for one kind each do not conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitClaim {
    /// Whether the resource asks for a LimitRange.
    pub limit_range: bool,
    /// Whether the resource asks for a ResourceQuota.
    pub resource_quota: bool,
}

impl LimitClaim {
    /// The claim of a resource with these merged limits.
    fn of(limits: &Limits) -> Self {
        let enabled = limits.enabled != Some(false);
        Self {
            limit_range: enabled && limits.limit_range.is_some(),
            resource_quota: enabled && limits.resource_quota.is_some(),
        }
    }

    /// Whether the resource asks for an object of a kind.
    pub fn asks_for(self, kind: ChildKind) -> bool {
        match kind {
            ChildKind::LimitRange => self.limit_range,
            ChildKind::ResourceQuota => self.resource_quota,
            ChildKind::HorizontalPodAutoscaler
            | ChildKind::VerticalPodAutoscaler
            | ChildKind::PodDisruptionBudget => false,
        }
    }

    /// Whether the resource asks for any of the two objects.
    pub fn is_any(self) -> bool {
        self.limit_range || self.resource_quota
    }

    /// Whether both ask for an object of the same kind.
    pub fn conflicts_with(self, other: Self) -> bool {
        (self.limit_range && other.limit_range) || (self.resource_quota && other.resource_quota)
    }
}

/// What a read of a scale target found.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The target exists and has a `scale` subresource.
    Found {
        /// The selector of the target's pods; the error says why it cannot be used.
        selector: Result<LabelSelector, String>,
        /// The pod template; `None` if the target's kind has none, or it cannot be read.
        template: Option<PodTemplate>,
    },
    /// The target does not exist, or cannot be scaled.
    Unusable {
        /// Reason of the condition `ScaleTargetFound`.
        reason: &'static str,
        /// What is wrong, and the fix.
        message: String,
    },
    /// Several reads of the target failed, so nothing is known about it.
    Unknown {
        /// The error of the last read.
        message: String,
    },
}

/// The parts of a pod template that a plan depends on.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct PodTemplate {
    /// Labels of the pods.
    pub labels: BTreeMap<String, String>,
    /// Resources that one pod takes from a quota.
    pub requests: PodRequests,
}

impl Target {
    /// The selector of the target's pods, if it is known and can be used.
    pub fn selector(&self) -> Option<&LabelSelector> {
        match self {
            Self::Found { selector, .. } => selector.as_ref().ok(),
            Self::Unusable { .. } | Self::Unknown { .. } => None,
        }
    }

    /// The labels that each pod of the target surely has: those that the selector demands, and those of the
    /// template.
    pub fn pod_labels(&self) -> BTreeMap<String, String> {
        let known = self.selector().into_iter().flat_map(LabelSelector::known_labels);
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let mut labels: BTreeMap<String, String> = known.map(owned).collect();
        if let Self::Found {
            template: Some(template),
            ..
        } = self
        {
            labels.extend(template.labels.clone());
        }
        labels
    }
}

/// What the cluster's VPA can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VpaSupport {
    /// The cluster does not serve the VPA's CRD.
    #[default]
    Absent,
    /// The cluster serves the VPA's CRD.
    Served {
        /// The update modes that the schema of the CRD lists; `None` if it does not restrict them.
        modes: Option<BTreeSet<String>>,
    },
}

impl VpaSupport {
    /// Whether the API server accepts a VPA with this update mode.
    pub fn knows(&self, mode: UpdateMode) -> bool {
        let name = match mode {
            UpdateMode::Off => "Off",
            UpdateMode::Initial => "Initial",
            UpdateMode::Recreate => "Recreate",
            UpdateMode::InPlaceOrRecreate => "InPlaceOrRecreate",
        };
        match self {
            Self::Absent => false,
            Self::Served { modes } => modes.as_ref().is_none_or(|modes| modes.contains(name)),
        }
    }
}

/// Whether the metrics server is there to write the condition `MetricsAvailable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsServer {
    /// Its APIService is available.
    Available,
    /// Its APIService is not available, for this reason.
    Unavailable(String),
}
