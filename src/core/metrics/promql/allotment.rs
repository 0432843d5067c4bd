//! Which questions are asked at all, and for whom, where resources ask for more than there is room for.
//!
//! A namespace's claims are the distinct shapes that its resources need. Claims are granted as though the resources
//! came one after the other, the oldest first: by creation time, then by namespace and name, within a resource by the
//! names of workload and metric. A claim is granted
//!
//! 1. while its namespace has fewer shapes than [`ShapeLimits::per_namespace`], and
//! 2. if the shape is asked already (for an older claim), or its namespace has fewer than [`GUARANTEED`] shapes, or it
//!    has fewer shapes than there is room left in all.
//!
//! By the second rule the namespaces with most are the first to be refused, and no crowd of them takes all the room:
//! of 1,024 shapes, three namespaces that want 256 each get them; ten that want everything get about 93 each, and
//! 94 stay free for the next one. A shape of several namespaces counts once for each of them, and once in all.
//!
//! What is granted depends on the resources alone, not on when a replica came to know them, so all replicas agree,
//! before and after a restart. A new resource is the last in the order and changes nothing for those before it. Three
//! things follow from this that may look like exceptions: a resource that is edited keeps its age, so what it asks
//! for additionally goes before what younger resources ask; a place that an older resource gives up goes to the
//! oldest claim that waits, which can count against a younger one of the same namespace; and creation times are whole
//! seconds, within which the name decides. None of them takes a namespace below its guaranteed minimum.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{Plan, Shape};

/// Shapes that every namespace is granted, also where there is no room left in all.
pub const GUARANTEED: usize = 16;

/// How many shapes there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeLimits {
    /// Of one namespace; at least [`GUARANTEED`].
    pub per_namespace: usize,
    /// In all, beside what is guaranteed to each namespace.
    pub in_all: usize,
}

impl Default for ShapeLimits {
    /// One resource of 16 workloads with 16 metrics each fits into a namespace.
    fn default() -> Self {
        Self {
            per_namespace: 256,
            in_all: 1024,
        }
    }
}

/// That a metric of a resource needs a shape. The order is that in which claims are granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim<'a> {
    /// When the resource was created.
    pub created: Timestamp,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The workload within it.
    pub workload: &'a str,
    /// The metric of the workload.
    pub metric: &'a str,
    /// What the metric needs.
    pub shape: &'a Arc<Shape>,
}

/// The limit that a refused claim has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The namespace has as many as one may have.
    #[error(
        "not read from Prometheus: this namespace has reached the limit of {limit} different queries \
         (--max-queries-per-namespace of vas metrics-server), and its oldest resources keep theirs"
    )]
    Namespace {
        /// [`ShapeLimits::per_namespace`].
        limit: usize,
    },
    /// There is little room left in all, and the namespace has more than its guaranteed minimum.
    #[error(
        "not read from Prometheus: all namespaces together come near the limit of {limit} different queries \
         (--max-queries of vas metrics-server), and this one has more than the {GUARANTEED} that each is guaranteed"
    )]
    InAll {
        /// [`ShapeLimits::in_all`].
        limit: usize,
    },
}

/// The claims that were refused, by namespace.
pub type Refused = BTreeMap<String, BTreeMap<Arc<Shape>, Refusal>>;

/// What is asked, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allotment {
    /// Each shape that is asked, with the namespaces that it is asked for.
    pub plan: Plan,
    /// What nobody asks for these namespaces, though a resource there needs it.
    pub refused: Refused,
}

/// Grants claims within the limits.
pub fn allot<'a>(claims: impl IntoIterator<Item = Claim<'a>>, limits: ShapeLimits) -> Allotment {
    let mut claims: Vec<Claim<'a>> = claims.into_iter().collect();
    claims.sort_unstable();
    let mut granted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut allotment = Allotment::default();
    for Claim { namespace, shape, .. } in claims {
        let in_all = allotment.plan.len();
        let asked_for = allotment.plan.get_mut(shape);
        let is_decided = asked_for
            .as_ref()
            .is_some_and(|namespaces| namespaces.contains(namespace))
            || allotment
                .refused
                .get(namespace)
                .is_some_and(|refused| refused.contains_key(shape));
        if is_decided {
            continue;
        }
        let own = granted.entry(namespace).or_default();
        let has_room = *own < GUARANTEED || *own < limits.in_all.saturating_sub(in_all);
        let refusal = if *own >= limits.per_namespace {
            Refusal::Namespace {
                limit: limits.per_namespace,
            }
        } else if asked_for.is_none() && !has_room {
            Refusal::InAll { limit: limits.in_all }
        } else {
            *own += 1;
            let namespace = namespace.to_owned();
            match asked_for {
                Some(namespaces) => {
                    namespaces.insert(namespace);
                }
                None => {
                    allotment.plan.insert(shape.clone(), BTreeSet::from([namespace]));
                }
            }
            continue;
        };
        let refused = allotment.refused.entry(namespace.to_owned()).or_default();
        refused.insert(shape.clone(), refusal);
    }
    allotment
}

#[cfg(test)]
mod tests;
