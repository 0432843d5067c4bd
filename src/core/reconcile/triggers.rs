//! Finds the resources that must be reconciled because an object of the cluster changed.

use std::collections::BTreeSet;

use super::{
    child::{ChildKind, Live},
    observed::Claim,
};

/// Names of the resources that must be reconciled after an object changed from `before` to `after`. `claims`
/// are those of the namespace of the object. `before` is `None` for a new object, `after` for a deleted one.
///
/// A child of vas affects its owner. If the child is deleted or turns to other pods, resources that it
/// blocked are affected too. So they are if the object belongs to somebody else.
pub fn affected_by<'a>(
    kind: ChildKind,
    before: Option<&Live>,
    after: Option<&Live>,
    claims: impl Iterator<Item = &'a Claim>,
) -> BTreeSet<String> {
    if let (Some(before), Some(after)) = (before, after)
        && !before.differs_from(after)
    {
        return BTreeSet::new();
    }
    // Both sides count: a child that is handed over affects the former owner and the new one.
    let sides = || before.into_iter().chain(after);
    let mut names: BTreeSet<String> = sides()
        .filter_map(Live::owning_resource)
        .map(str::to_owned)
        .collect();
    let foreign = sides().any(|live| live.owning_resource().is_none());
    let moved = before
        .zip(after)
        .is_some_and(|(before, after)| before.moved_to(after));
    // A child of vas that stays where it was blocks the same resources as before, so those need no look.
    if foreign || moved || after.is_none() {
        names.extend(
            claims
                .filter(|claim| sides().any(|live| may_block(kind, live, claim)))
                .map(|claim| claim.name.clone()),
        );
    }
    names
}

/// Whether an object may keep the resource with this claim from writing a child.
fn may_block(kind: ChildKind, live: &Live, claim: &Claim) -> bool {
    let same_target = live
        .target
        .as_ref()
        .is_some_and(|target| claim.targets.contains(target));
    let same_name = claim.child_names.contains(&live.name);
    same_target
        || same_name
        || match kind {
            // Whether a budget selects a workload's pods is known only once the targets are read, and every
            // quota of the namespace counts for `QuotaSufficient`. So both affect every resource.
            ChildKind::PodDisruptionBudget | ChildKind::ResourceQuota => true,
            ChildKind::LimitRange => claim.limits.limit_range,
            ChildKind::HorizontalPodAutoscaler | ChildKind::VerticalPodAutoscaler => false,
        }
}

/// Names of the other resources of a namespace that must be reconciled after one resource's claim changed
/// from `before` to `after`: those with a claim on the same target, or on limits of the same kind.
pub fn conflicting<'a>(
    before: Option<&Claim>,
    after: Option<&Claim>,
    claims: impl Iterator<Item = &'a Claim>,
) -> BTreeSet<String> {
    let sides = || before.into_iter().chain(after);
    claims
        .filter(|claim| sides().all(|side| side.uid != claim.uid))
        .filter(|claim| {
            sides().any(|side| {
                side.limits.conflicts_with(claim.limits)
                    || side.targets.iter().any(|target| claim.targets.contains(target))
            })
        })
        .map(|claim| claim.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::{child::TargetKey, desired::meta::owner_reference, observed::LimitClaim};

    fn claim(name: &str, target: &str, limits: bool) -> Claim {
        Claim {
            name: name.to_owned(),
            uid: format!("uid-{name}"),
            created: None,
            targets: vec![TargetKey::new("apps/v1", "Deployment", target)],
            limits: LimitClaim {
                limit_range: limits,
                resource_quota: limits,
            },
            child_names: vec![format!("{name}-w"), name.to_owned()],
        }
    }

    fn live(name: &str, owner: Option<&str>, target: &str, content: &str) -> Live {
        Live {
            name: name.to_owned(),
            uid: "1".to_owned(),
            controller: owner.map(|owner| owner_reference(owner, "uid")),
            content: content.into(),
            target: Some(TargetKey::new("apps/v1", "Deployment", target)),
            ..Live::default()
        }
    }

    fn woken(kind: ChildKind, before: Option<&Live>, after: Option<&Live>) -> Vec<String> {
        let claims = [claim("a", "gateway", false), claim("b", "worker", true)];
        affected_by(kind, before, after, claims.iter())
            .into_iter()
            .collect()
    }

    const HPA: ChildKind = ChildKind::HorizontalPodAutoscaler;

    #[test]
    fn a_changed_child_wakes_its_owner_alone() {
        let (before, after) = (
            live("a-w", Some("a"), "gateway", "1"),
            live("a-w", Some("a"), "gateway", "2"),
        );
        assert_eq!(woken(HPA, Some(&before), Some(&after)), ["a"]);
        assert!(woken(HPA, Some(&before), Some(&before.clone())).is_empty());
    }

    #[test]
    fn an_autoscaler_that_goes_wakes_whoever_waits_for_its_target() {
        assert_eq!(
            woken(HPA, Some(&live("by-hand", None, "worker", "")), None),
            ["b"]
        );
        assert_eq!(
            woken(HPA, Some(&live("x-w", Some("x"), "worker", "")), None),
            ["b", "x"]
        );
    }

    #[test]
    fn a_child_that_turns_to_another_target_wakes_whoever_waits_for_the_first() {
        let (before, after) = (
            live("a-w", Some("a"), "worker", "1"),
            live("a-w", Some("a"), "gateway", "2"),
        );
        assert_eq!(woken(HPA, Some(&before), Some(&after)), ["a", "b"]);
    }

    #[test]
    fn a_child_that_is_handed_over_wakes_both_owners_and_whoever_waits() {
        let (before, after) = (
            live("x-w", Some("x"), "worker", "1"),
            live("x-w", Some("y"), "worker", "2"),
        );
        assert_eq!(woken(HPA, Some(&before), Some(&after)), ["b", "x", "y"]);
    }

    #[test]
    fn a_budget_that_turns_to_other_pods_wakes_the_namespace() {
        let before = live("x-w", Some("x"), "none", "1");
        let after = Live {
            selector: Some("app=else".parse().unwrap()),
            content: "2".into(),
            ..before.clone()
        };
        assert_eq!(
            woken(ChildKind::PodDisruptionBudget, Some(&before), Some(&after)),
            ["a", "b", "x"]
        );
    }

    #[test]
    fn an_object_that_had_a_childs_name_wakes_its_resource_when_it_goes() {
        assert_eq!(woken(HPA, Some(&live("a-w", None, "other", "")), None), ["a"]);
    }

    #[test]
    fn an_owner_of_the_same_kind_in_another_group_is_foreign() {
        let mut other = live("a-w", Some("x"), "worker", "");
        let owner = other.controller.as_mut().unwrap();
        owner.api_version = "scaling.example.com/v1".to_owned();
        assert_eq!(woken(HPA, None, Some(&other)), ["a", "b"]);
    }

    #[test]
    fn a_foreign_budget_concerns_the_whole_namespace() {
        let budget = live("by-hand", None, "none", "");
        assert_eq!(
            woken(ChildKind::PodDisruptionBudget, None, Some(&budget)),
            ["a", "b"]
        );
    }

    #[test]
    fn a_limit_range_wakes_who_asks_for_one_and_a_quota_wakes_the_namespace() {
        let limits = live("by-hand", None, "none", "");
        assert_eq!(woken(ChildKind::LimitRange, Some(&limits), None), ["b"]);
        assert_eq!(woken(ChildKind::ResourceQuota, Some(&limits), None), ["a", "b"]);
    }

    #[test]
    fn a_claim_that_goes_wakes_those_it_was_in_the_way_of() {
        let claims = [
            claim("a", "gateway", false),
            claim("b", "gateway", true),
            claim("c", "worker", true),
        ];
        let woken = conflicting(Some(&claims[0]), None, claims.iter());
        assert_eq!(woken.into_iter().collect::<Vec<_>>(), ["b"]);
        let woken = conflicting(Some(&claims[1]), None, claims.iter());
        assert_eq!(woken.into_iter().collect::<Vec<_>>(), ["a", "c"]);
        // A quota and a LimitRange are not in each other's way.
        let mut quota = claim("d", "else", true);
        quota.limits.limit_range = false;
        let mut limit_range = claim("e", "other", true);
        limit_range.limits.resource_quota = false;
        let others = [limit_range, claim("f", "third", true)];
        let woken = conflicting(Some(&quota), None, others.iter());
        assert_eq!(woken.into_iter().collect::<Vec<_>>(), ["f"]);
    }
}
