//! Decides which shapes are queried, and for which namespaces, where resources need more shapes than the
//! limits allow.
//!
//! A namespace claims each distinct shape that its resources need. Claims are granted as though the resources
//! came one after the other, the oldest first: by creation time, then by namespace and name, and within a
//! resource by the names of workload and metric. A claim is granted if both rules hold:
//!
//! 1. Its namespace has fewer shapes than [`ShapeLimits::per_namespace`].
//! 2. The shape is queried already (for an older claim), or its namespace has fewer than [`GUARANTEED`]
//!    shapes, or its namespace has fewer shapes than there are free in all.
//!
//! By the second rule the namespaces with the most shapes are refused first, and no crowd of them takes all
//! the room. Two examples with 1,024 shapes in all: three namespaces that want 256 each get them. Ten
//! namespaces that want everything at the same time get about 93 each. Then 94 are free, a namespace with 93
//! is close to what is free, and the 94 stay for the next namespace. A shape that several namespaces share
//! counts once for each of them, and once in all.
//!
//! Invariant: the result depends on the resources alone, not on when a replica came to know them. So all
//! replicas agree, before and after a restart. A new resource is the last in the order and changes nothing
//! for those before it. Three consequences may look like exceptions:
//!
//! - A resource that is edited keeps its age, so its new metrics go before the metrics of younger resources.
//! - A shape that an older resource gives up goes to the oldest claim that waits. That shape then counts for
//!   its namespace, so a younger claim of the same namespace may be refused.
//! - Creation times are whole seconds. Of two resources of the same second, the name decides.
//!
//! None of them takes a namespace below its guaranteed minimum.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{Plan, Shape};

/// Number of shapes that every namespace is granted, even where no room is left in all.
pub const GUARANTEED: usize = 16;

/// Limits on the number of shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeLimits {
    /// Greatest number of shapes of one namespace; at least [`GUARANTEED`].
    pub per_namespace: usize,
    /// Greatest number of distinct shapes in all. Only the guaranteed shapes of a namespace may go beyond it.
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

/// The claim of one metric of a resource to a shape. Claims sort in the order in which they are granted, so
/// the order of the fields matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim<'a> {
    /// Creation time of the resource.
    pub created: Timestamp,
    /// Namespace of the resource.
    pub namespace: &'a str,
    /// Name of the resource.
    pub name: &'a str,
    /// Name of the workload within the resource.
    pub workload: &'a str,
    /// Name of the metric of the workload.
    pub metric: &'a str,
    /// The shape that the metric needs.
    pub shape: &'a Arc<Shape>,
}

/// The limit that a refused claim has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The namespace has as many shapes as one namespace may have.
    #[error(
        "not read from Prometheus: this namespace has reached the limit of {limit} different queries \
         (--max-queries-per-namespace of vas metrics-server), and its oldest resources keep theirs"
    )]
    Namespace {
        /// Greatest number of shapes of one namespace ([`ShapeLimits::per_namespace`]).
        limit: usize,
    },
    /// Few shapes are free in all, and the namespace has its guaranteed minimum already.
    #[error(
        "not read from Prometheus: all namespaces together come near the limit of {limit} different queries \
         (--max-queries of vas metrics-server), and this one has more than the {GUARANTEED} that each is guaranteed"
    )]
    InAll {
        /// Greatest number of shapes of all namespaces ([`ShapeLimits::in_all`]).
        limit: usize,
    },
}

/// The shapes that were refused, by namespace.
pub type Refused = BTreeMap<String, BTreeMap<Arc<Shape>, Refusal>>;

/// The result: which shapes are queried, and which are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allotment {
    /// Each shape that is queried, with the namespaces that it is queried for.
    pub plan: Plan,
    /// The shapes that are not queried for a namespace although a resource there needs them.
    pub refused: Refused,
}

/// Grants or refuses each claim, within the limits.
pub fn allot<'a>(claims: impl IntoIterator<Item = Claim<'a>>, limits: ShapeLimits) -> Allotment {
    let mut claims: Vec<Claim<'a>> = claims.into_iter().collect();
    claims.sort_unstable();
    let mut granted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut allotment = Allotment::default();
    for Claim { namespace, shape, .. } in claims {
        let in_all = allotment.plan.len();
        let queried_for = allotment.plan.get_mut(shape);
        // Several metrics of a namespace may need the same shape. The oldest claim decides for all of them.
        let is_decided = queried_for
            .as_ref()
            .is_some_and(|namespaces| namespaces.contains(namespace))
            || allotment
                .refused
                .get(namespace)
                .is_some_and(|refused| refused.contains_key(shape));
        if is_decided {
            continue;
        }
        // Rule 2: what a namespace has must be less than what is free in all. So each namespace stops when
        // its own count meets the rest, and that rest is left for others.
        let own = granted.entry(namespace).or_default();
        let has_room = *own < GUARANTEED || *own < limits.in_all.saturating_sub(in_all);
        // A shape that is queried already (`queried_for`) takes no further room in all, so rule 2 holds for
        // it.
        let refusal = if *own >= limits.per_namespace {
            Refusal::Namespace {
                limit: limits.per_namespace,
            }
        } else if queried_for.is_none() && !has_room {
            Refusal::InAll { limit: limits.in_all }
        } else {
            *own += 1;
            let namespace = namespace.to_owned();
            match queried_for {
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
