//! What a reconcile has read from the cluster, as plain data for [`crate::reconcile::plan`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::{Deserialize, Serialize};

use super::child::{ChildKind, Live, TargetKey};
use crate::{
    k8s::{
        quota::{PodRequests, Quota},
        selector,
    },
    spec::environment,
};
use vas_api::v1alpha1::{Limits, UpdateMode, VoiceAssistScaling};

/// Everything read for one resource.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource itself.
    pub own: Claim,
    /// The other resources of the namespace.
    pub others: Vec<Arc<Claim>>,
    /// What was found of each target, by workload.
    pub targets: BTreeMap<String, Target>,
    /// The objects of each child kind in the namespace, ours or not.
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

/// What a resource lays claim to in its namespace. Of what nobody has yet, the oldest claim wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Name of the resource.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its age.
    pub created: Option<Timestamp>,
    /// The targets of its workloads. A list, as a set would take ten times the memory for one.
    pub targets: Vec<TargetKey>,
    /// Whether it asks for a LimitRange or ResourceQuota.
    pub limits: bool,
    /// Its own children's names, by which it may collide with others.
    pub child_names: Vec<String>,
}

impl Claim {
    /// The claim of a resource, from its spec as written.
    pub fn of(object: &VoiceAssistScaling) -> Self {
        let metadata = &object.metadata;
        let name = metadata.name.clone().unwrap_or_default();
        let workloads = &object.spec.workloads;
        let mut child_names: Vec<String> = workloads
            .iter()
            .map(|workload| format!("{name}-{}", workload.name))
            .collect();
        child_names.push(name.clone());
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0),
            targets: workloads
                .iter()
                .map(|workload| TargetKey::from(&workload.scale_target_ref))
                .collect(),
            limits: environment::active_limits(&object.spec)
                .as_ref()
                .is_some_and(asks_for_an_object),
            child_names,
            name,
        }
    }

    /// Whether this claim goes before `other`.
    pub fn is_older_than(&self, other: &Self) -> bool {
        (self.created, &self.uid) < (other.created, &other.uid)
    }
}

/// Whether merged limits ask for a LimitRange or a ResourceQuota.
fn asks_for_an_object(limits: &Limits) -> bool {
    limits.enabled != Some(false) && (limits.limit_range.is_some() || limits.resource_quota.is_some())
}

/// What was found of a scale target.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// It is there and scales.
    Found {
        /// Which pods it has, or why that cannot be used.
        selector: Result<LabelSelector, String>,
        /// Its pod template, where it has one that can be read.
        template: Option<PodTemplate>,
    },
    /// It cannot be scaled.
    Unusable {
        /// Condition reason.
        reason: &'static str,
        /// What is wrong, and the fix.
        message: String,
    },
    /// Reading it failed again and again.
    Unknown {
        /// Why.
        message: String,
    },
}

/// What matters of a pod template.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct PodTemplate {
    /// Labels of the pods.
    pub labels: BTreeMap<String, String>,
    /// What one pod takes from a quota.
    pub requests: PodRequests,
}

impl Target {
    /// The selector, where it is known.
    pub fn selector(&self) -> Option<&LabelSelector> {
        match self {
            Self::Found { selector, .. } => selector.as_ref().ok(),
            Self::Unusable { .. } | Self::Unknown { .. } => None,
        }
    }

    /// The labels that the target's pods are known to have.
    pub fn pod_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.selector().map(selector::known_labels).unwrap_or_default();
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
    /// Its CRD is not served.
    #[default]
    Absent,
    /// Its CRD is served.
    Served {
        /// The update modes its schema lists; `None` when the schema does not restrict them.
        modes: Option<BTreeSet<String>>,
    },
}

impl VpaSupport {
    /// Whether a mode can be asked for.
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

/// Whether the metrics server can be relied on to judge metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsServer {
    /// Its APIService is available.
    Available,
    /// It is not, and why.
    Unavailable(String),
}
