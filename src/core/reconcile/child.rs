//! Children in two forms: as they should be ([`Child`]) and as they are in the cluster ([`Live`]).
//!
//! A [`Live`] is a compact projection, because memory holds one for every autoscaler, budget and quota of the
//! cluster. Its content stays packed text until it is compared.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use serde_json::Value;

use super::{drift::OwnedFields, packed::Packed};
use crate::{
    k8s::{api_version, label_selector::LabelSelector},
    monitoring::readings::Reading,
};
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling};

/// The kinds of objects vas writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// A HorizontalPodAutoscaler (`autoscaling/v2`): one per workload that has metrics.
    HorizontalPodAutoscaler,
    /// A VerticalPodAutoscaler (`autoscaling.k8s.io/v1`): one per workload with `vertical`.
    VerticalPodAutoscaler,
    /// A PodDisruptionBudget (`policy/v1`): one per workload with `disruption`.
    PodDisruptionBudget,
    /// A LimitRange (`v1`): at most one per resource.
    LimitRange,
    /// A ResourceQuota (`v1`): at most one per resource.
    ResourceQuota,
}

impl ChildKind {
    /// All kinds, in the order in which they are written. The HPAs of all workloads come first, because
    /// scaling is the most urgent.
    pub const ALL: [Self; 5] = [
        Self::HorizontalPodAutoscaler,
        Self::VerticalPodAutoscaler,
        Self::PodDisruptionBudget,
        Self::LimitRange,
        Self::ResourceQuota,
    ];

    /// The Kubernetes kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::VerticalPodAutoscaler => "VerticalPodAutoscaler",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::LimitRange => "LimitRange",
            Self::ResourceQuota => "ResourceQuota",
        }
    }

    /// The resource name in request paths and RBAC rules.
    pub fn plural(self) -> &'static str {
        match self {
            Self::HorizontalPodAutoscaler => "horizontalpodautoscalers",
            Self::VerticalPodAutoscaler => "verticalpodautoscalers",
            Self::PodDisruptionBudget => "poddisruptionbudgets",
            Self::LimitRange => "limitranges",
            Self::ResourceQuota => "resourcequotas",
        }
    }

    /// API group (empty for the core group) and version that vas writes.
    pub fn group_version(self) -> (&'static str, &'static str) {
        match self {
            Self::HorizontalPodAutoscaler => ("autoscaling", "v2"),
            Self::VerticalPodAutoscaler => ("autoscaling.k8s.io", "v1"),
            Self::PodDisruptionBudget => ("policy", "v1"),
            Self::LimitRange | Self::ResourceQuota => ("", "v1"),
        }
    }
}

impl std::fmt::Display for ChildKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one child within its namespace; shown as `HorizontalPodAutoscaler voiceassist-worker`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildRef {
    /// Kind of the child.
    pub kind: ChildKind,
    /// Name of the child, in the namespace of the resource.
    pub name: String,
}

impl std::fmt::Display for ChildRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A child as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Kind and name of the child.
    pub reference: ChildRef,
    /// The workload that the child serves; `None` for LimitRange and ResourceQuota.
    pub workload: Option<String>,
    /// The object to apply, with exactly the fields that vas owns.
    pub body: Value,
}

/// Identifies a scale target. The version is left out, because `apps/v1` and `apps/v1beta1` name the same
/// object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetKey {
    group: String,
    kind: String,
    name: String,
}

impl TargetKey {
    /// The key of a reference, given by its parts.
    pub fn new(api_version: &str, kind: &str, name: &str) -> Self {
        Self {
            group: api_version::group(api_version).to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The target's name, if the target is of this group and kind.
    pub fn name_of(&self, group: &str, kind: &str) -> Option<&str> {
        (self.group == group && self.kind == kind).then_some(self.name.as_str())
    }
}

impl From<&ScaleTargetRef> for TargetKey {
    fn from(target: &ScaleTargetRef) -> Self {
        Self::new(&target.api_version, &target.kind, &target.name)
    }
}

/// A condition of an HPA, without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirroredCondition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Reason in PascalCase.
    pub reason: String,
    /// Text for people. It may hold values that change at every sync.
    pub message: String,
}

/// The conditions of an HPA that the resource's status repeats, by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirrored(Vec<(String, MirroredCondition)>);

impl Mirrored {
    /// The condition of this type.
    pub fn get(&self, type_: &str) -> Option<&MirroredCondition> {
        let found = self.0.iter().find(|(known, _)| known == type_);
        found.map(|(_, condition)| condition)
    }

    /// Adds a condition, and replaces one of the same type.
    pub fn insert(&mut self, type_: String, condition: MirroredCondition) {
        self.0.retain(|(known, _)| *known != type_);
        self.0.push((type_, condition));
        // Sorted, so that two sets are equal whatever order the server listed them in.
        self.0.sort_by(|left, right| left.0.cmp(&right.0));
        self.0.shrink_to_fit();
    }

    /// Type, status and reason of each condition. These do not change with the load; messages do.
    pub fn settled(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().map(|(type_, condition)| {
            (
                type_.as_str(),
                condition.status.as_str(),
                condition.reason.as_str(),
            )
        })
    }
}

impl FromIterator<(String, MirroredCondition)> for Mirrored {
    fn from_iter<T: IntoIterator<Item = (String, MirroredCondition)>>(conditions: T) -> Self {
        let mut mirrored = Self::default();
        for (type_, condition) in conditions {
            mirrored.insert(type_, condition);
        }
        mirrored
    }
}

/// An object of a child kind as it is in the cluster, ours or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// Name of the object.
    pub name: String,
    /// UID of the object.
    pub uid: String,
    /// The owner reference with `controller: true`: `apiVersion`, `kind`, `name` and `uid`.
    pub controller: Option<OwnerReference>,
    /// Whether `metadata.deletionTimestamp` is set: the object waits for a finalizer.
    pub deleting: bool,
    /// `metadata` (labels, owner references) and `spec`, as canonical JSON.
    pub content: Packed,
    /// The fields of the object that vas owns.
    pub owned: OwnedFields,
    /// The target that an HPA or VPA scales.
    pub target: Option<TargetKey>,
    /// The selector of a PodDisruptionBudget.
    pub selector: Option<LabelSelector>,
    /// An HPA's conditions by type.
    pub conditions: Mirrored,
    /// The replicas that an HPA last counted; `None` until it has.
    pub replicas: Option<i32>,
    /// What a child of ours tells for our own metrics; `None` for objects of others. Nothing is decided by it.
    pub reading: Option<Box<Reading>>,
}

impl Live {
    /// Whether the owner with this UID controls the object.
    pub fn is_controlled_by(&self, uid: &str) -> bool {
        self.controller.as_ref().is_some_and(|owner| owner.uid == uid)
    }

    /// Name of the resource that owns the object as its child, of whatever UID; `None` if something else owns
    /// it, or nothing.
    pub fn owning_resource(&self) -> Option<&str> {
        let owner = self.controller.as_ref()?;
        // A kind is known by its group: another group may have a kind of the same name.
        let ours = api_version::group(&owner.api_version) == VoiceAssistScaling::group(&())
            && owner.kind == VoiceAssistScaling::kind(&());
        ours.then_some(owner.name.as_str())
    }

    /// Whether the object changed its target, its pods or its controller on the way to `next`.
    pub fn moved_to(&self, next: &Self) -> bool {
        self.target != next.target || self.selector != next.selector || self.controller != next.controller
    }

    /// Whether `next` differs in anything that the operator acts on or reports. Values of metrics in an HPA's status, and
    /// all of [`Live::reading`], do not count.
    pub fn differs_from(&self, next: &Self) -> bool {
        self.uid != next.uid
            || self.deleting != next.deleting
            || self.content != next.content
            || self.owned != next.owned
            || self.replicas != next.replicas
            || !self.conditions.settled().eq(next.conditions.settled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hpa(status: &str, reason: &str, message: &str) -> Live {
        let condition = MirroredCondition {
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        Live {
            conditions: Mirrored::from_iter([("ScalingActive".to_owned(), condition)]),
            ..Live::default()
        }
    }

    #[test]
    fn a_change_of_status_reason_or_replicas_wakes_and_one_of_values_does_not() {
        let before = hpa("True", "ValidMetricFound", "1 request per second");
        assert!(!before.differs_from(&hpa("True", "ValidMetricFound", "2 requests per second")));
        assert!(before.differs_from(&hpa("False", "ValidMetricFound", "")));
        assert!(before.differs_from(&hpa("True", "FailedGetPodsMetric", "")));
        let rescaled = Live {
            replicas: Some(2),
            ..before.clone()
        };
        assert!(before.differs_from(&rescaled));
    }

    #[test]
    fn a_target_is_the_same_in_every_version_of_its_group() {
        let stable = TargetKey::new("apps/v1", "Deployment", "worker");
        assert_eq!(stable, TargetKey::new("apps/v1beta2", "Deployment", "worker"));
        assert_ne!(stable, TargetKey::new("v1", "Deployment", "worker"));
        assert_ne!(stable, TargetKey::new("apps/v1", "StatefulSet", "worker"));
    }
}
