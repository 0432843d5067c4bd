//! Which cached objects one resource depends on, and which resources a changed object affects. Both are found
//! by name, target and label.
//!
//! Invariant: no lookup walks all objects of a namespace, except for limits and budgets. With 10,000
//! resources in a namespace such a walk per resource would be 100 million steps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    cache::{Cache, Change, Term},
    caches::Caches,
    facts::Facts,
};
use vas_core::reconcile::{
    child::{ChildKind, Live, TargetKey},
    observed::{Claim, Target},
};

/// The existing objects of each child kind that a plan for `own` looks at: its own children, HPAs and VPAs
/// with one of its targets, budgets that may select the pods of its targets, and all limits of the namespace.
pub(super) fn live(
    caches: &Caches,
    namespace: &str,
    own: &Claim,
    targets: &BTreeMap<String, Target>,
) -> BTreeMap<ChildKind, Vec<Arc<Live>>> {
    let of_kind = |(kind, cache): (&ChildKind, &Arc<Cache<Live>>)| {
        let found = match kind {
            ChildKind::LimitRange | ChildKind::ResourceQuota => cache.in_namespace(namespace),
            ChildKind::HorizontalPodAutoscaler | ChildKind::VerticalPodAutoscaler => {
                let conflicting = own.targets.iter();
                let conflicting =
                    conflicting.flat_map(|target| cache.found_by(namespace, &Term::Target(target)));
                distinct(ours(cache, namespace, own).into_iter().chain(conflicting))
            }
            ChildKind::PodDisruptionBudget => {
                let labels: Vec<BTreeMap<String, String>> =
                    targets.values().map(Target::pod_labels).collect();
                let terms = labels
                    .iter()
                    .flatten()
                    .map(|(name, value)| Term::Label(name, value));
                // A budget without `matchLabels` may select any pod, so each of those is a candidate.
                let conflicting = terms.chain([Term::Pods]);
                let conflicting = conflicting.flat_map(|term| cache.found_by(namespace, &term));
                distinct(ours(cache, namespace, own).into_iter().chain(conflicting))
            }
        };
        (*kind, found)
    };
    caches.children.iter().map(of_kind).collect()
}

/// The objects whose name is that of a child of `own`, also of a workload that `own` no longer has. Every
/// child is named `RESOURCE` or `RESOURCE-WORKLOAD`.
fn ours(cache: &Cache<Live>, namespace: &str, own: &Claim) -> Vec<Arc<Live>> {
    let mut found = cache.named(namespace, &format!("{}-", own.name));
    found.extend(cache.get(namespace, &own.name));
    found
}

fn distinct(found: impl Iterator<Item = Arc<Live>>) -> Vec<Arc<Live>> {
    let by_name: BTreeMap<String, Arc<Live>> = found.map(|live| (live.name.clone(), live)).collect();
    by_name.into_values().collect()
}

/// The claims of other resources that a plan for `own` looks at: those to the same targets, those to limits
/// of a kind that `own` claims, and those of the owners of existing limits.
pub(super) fn others(
    caches: &Caches,
    namespace: &str,
    own: &Claim,
    live: &BTreeMap<ChildKind, Vec<Arc<Live>>>,
) -> Vec<Arc<Claim>> {
    let resources = &caches.resources;
    let mut found: Vec<Arc<Claim>> = own
        .targets
        .iter()
        .flat_map(|target| claims_of(resources, namespace, target))
        .collect();
    if own.limits.is_any() {
        let claims = claims(resources, namespace).into_iter();
        found.extend(claims.filter(|claim| claim.limits.conflicts_with(own.limits)));
    }
    let limits = [ChildKind::LimitRange, ChildKind::ResourceQuota];
    let limits = limits.iter().filter_map(|kind| live.get(kind)).flatten();
    let owners: BTreeSet<&str> = limits
        .filter_map(|live| live.controller.as_ref())
        .map(|owner| owner.name.as_str())
        .collect();
    let owners = owners
        .into_iter()
        .filter_map(|name| resources.get(namespace, name));
    found.extend(owners.filter_map(|facts| facts.claim.clone()));
    found.retain(|claim| claim.uid != own.uid);
    found.sort_by(|left, right| left.name.cmp(&right.name));
    found.dedup_by(|left, right| left.uid == right.uid);
    found
}

/// The claims of all resources of a namespace.
pub(super) fn claims(resources: &Cache<Facts>, namespace: &str) -> Vec<Arc<Claim>> {
    let facts = resources.in_namespace(namespace);
    facts.iter().filter_map(|facts| facts.claim.clone()).collect()
}

/// The claims to one target.
pub(super) fn claims_of(resources: &Cache<Facts>, namespace: &str, target: &TargetKey) -> Vec<Arc<Claim>> {
    let found = resources.found_by(namespace, &Term::Target(target));
    // The cache finds by hash, so two targets can share an entry: compare the target itself.
    let claims = found.iter().filter_map(|facts| facts.claim.clone());
    claims.filter(|claim| claim.targets.contains(target)).collect()
}

/// The claims that a changed object of a child kind may affect.
pub(super) fn claims_beside(
    resources: &Cache<Facts>,
    kind: ChildKind,
    change: &Change<Live>,
) -> Vec<Arc<Claim>> {
    let (namespace, name) = &change.key;
    match kind {
        ChildKind::PodDisruptionBudget | ChildKind::LimitRange | ChildKind::ResourceQuota => {
            claims(resources, namespace)
        }
        ChildKind::HorizontalPodAutoscaler | ChildKind::VerticalPodAutoscaler => {
            let sides = change.before.iter().chain(&change.after);
            let targets = sides.filter_map(|live| live.target.as_ref());
            let mut found: Vec<_> = targets
                .flat_map(|target| claims_of(resources, namespace, target))
                .collect();
            // A child is named after its resource: `a-b-c` can be a child of `a`, of `a-b` or of `a-b-c`.
            let ends = name.match_indices('-').map(|(end, _)| end).chain([name.len()]);
            let owners = ends.filter_map(|end| resources.get(namespace, name.get(..end)?));
            found.extend(owners.filter_map(|facts| facts.claim.clone()));
            found
        }
    }
}

/// The claims that conflict, or did conflict, with a claim that changed. A claim to limits can conflict with
/// any claim of its namespace.
pub(super) fn conflicting(
    resources: &Cache<Facts>,
    namespace: &str,
    before: Option<&Claim>,
    after: Option<&Claim>,
) -> Vec<Arc<Claim>> {
    let sides = || before.into_iter().chain(after);
    if sides().any(|claim| claim.limits.is_any()) {
        return claims(resources, namespace);
    }
    let targets = sides().flat_map(|claim| &claim.targets);
    targets
        .flat_map(|target| claims_of(resources, namespace, target))
        .collect()
}
