//! What of the caches concerns one resource, and which resources a change in them concerns: found by name, target and
//! label, without looking at everything in the namespace.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::streams::{Caches, Facts};
use crate::{
    cluster::watch::cache::{Cache, Change, Term},
    core::reconcile::{
        child::{ChildKind, Live, TargetKey},
        observed::{Claim, Target},
    },
};

/// The objects of each child kind that a plan for `own` looks at: those of its name or by it, those with its targets,
/// budgets that may select its targets' pods, and the limits of the namespace.
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
                let rivals = own.targets.iter();
                let rivals = rivals.flat_map(|target| cache.found_by(namespace, &Term::Target(target)));
                distinct(ours(cache, namespace, own).into_iter().chain(rivals))
            }
            ChildKind::PodDisruptionBudget => {
                let labels: Vec<BTreeMap<String, String>> =
                    targets.values().map(Target::pod_labels).collect();
                let terms = labels
                    .iter()
                    .flatten()
                    .map(|(name, value)| Term::Label(name, value));
                let rivals = terms.chain([Term::Pods]);
                let rivals = rivals.flat_map(|term| cache.found_by(namespace, &term));
                distinct(ours(cache, namespace, own).into_iter().chain(rivals))
            }
        };
        (*kind, found)
    };
    caches.children.iter().map(of_kind).collect()
}

/// Those that have, or had, the name of a child. Every child is named `RESOURCE` or `RESOURCE-WORKLOAD`.
fn ours(cache: &Cache<Live>, namespace: &str, own: &Claim) -> Vec<Arc<Live>> {
    let mut found = cache.named(namespace, &format!("{}-", own.name));
    found.extend(cache.get(namespace, &own.name));
    found
}

fn distinct(found: impl Iterator<Item = Arc<Live>>) -> Vec<Arc<Live>> {
    let by_name: BTreeMap<String, Arc<Live>> = found.map(|live| (live.name.clone(), live)).collect();
    by_name.into_values().collect()
}

/// The claims that a plan for `own` looks at: those of the same targets, and where there are limits, of their owners.
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
    if own.limits {
        found.extend(
            claims(resources, namespace)
                .into_iter()
                .filter(|claim| claim.limits),
        );
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

/// The claims of a namespace.
pub(super) fn claims(resources: &Cache<Facts>, namespace: &str) -> Vec<Arc<Claim>> {
    let facts = resources.in_namespace(namespace);
    facts.iter().filter_map(|facts| facts.claim.clone()).collect()
}

/// The claims to a target.
pub(super) fn claims_of(resources: &Cache<Facts>, namespace: &str, target: &TargetKey) -> Vec<Arc<Claim>> {
    let found = resources.found_by(namespace, &Term::Target(target));
    let claims = found.iter().filter_map(|facts| facts.claim.clone());
    claims.filter(|claim| claim.targets.contains(target)).collect()
}

/// The claims that a change of an object of a child kind may concern.
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
            // A child is named after its resource: `a-b-c` may be one of `a`, of `a-b` or of `a-b-c`.
            let ends = name.match_indices('-').map(|(end, _)| end).chain([name.len()]);
            let owners = ends.filter_map(|end| resources.get(namespace, name.get(..end)?));
            found.extend(owners.filter_map(|facts| facts.claim.clone()));
            found
        }
    }
}

/// The claims that a change of one claim may concern.
pub(super) fn rivals(
    resources: &Cache<Facts>,
    namespace: &str,
    before: Option<&Claim>,
    after: Option<&Claim>,
) -> Vec<Arc<Claim>> {
    let sides = || before.into_iter().chain(after);
    if sides().any(|claim| claim.limits) {
        return claims(resources, namespace);
    }
    let targets = sides().flat_map(|claim| &claim.targets);
    targets
        .flat_map(|target| claims_of(resources, namespace, target))
        .collect()
}
