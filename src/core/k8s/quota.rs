//! Checks whether the namespace's quotas leave room for every workload at `maxReplicas`.
//!
//! Only fixed numbers count: hard limits, pod templates and `maxReplicas`. The present usage does not count,
//! so the result does not change with every pod. Other pods of the namespace need room too, so a shortage may
//! go unreported.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quantity::{self, Amount};

/// What one pod counts for in a quota, by the names that quotas use: `requests.cpu`, `limits.memory`.
pub type PodRequests = BTreeMap<String, Quantity>;

/// A ResourceQuota of the namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quota {
    /// Name of the ResourceQuota.
    pub name: String,
    /// The limits (`spec.hard`) by resource, for example `requests.cpu: 20`.
    pub hard: BTreeMap<String, Quantity>,
}

/// A workload at its largest, or what it may still grow by.
#[derive(Clone, Debug, PartialEq)]
pub struct AtMost<'a> {
    /// Number of pods: `maxReplicas`, or `maxReplicas` less those that exist.
    pub replicas: i32,
    /// What one pod counts for; empty if unknown.
    pub requests: &'a PodRequests,
}

/// A hard limit that is too small for the workloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The quota, the resource and the hard limit: `ResourceQuota q allows pods 9`.
    pub allowed: String,
    /// The amount that the workloads need.
    pub needed: String,
}

impl fmt::Display for Shortage {
    /// As a sentence about all workloads of a resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { allowed, needed } = self;
        write!(f, "{allowed}, and the workloads at maxReplicas need {needed}")
    }
}

/// The first hard limit that is too small for all workloads together, in the order of the resource names.
pub fn shortage(quotas: &[Quota], workloads: &[AtMost<'_>]) -> Option<Shortage> {
    quotas.iter().find_map(|quota| {
        quota.hard.iter().find_map(|(resource, hard)| {
            let room = quantity::parse(hard).ok()?;
            // A resource that no template requests needs 0, which every quota allows.
            let needed = needed(resource, workloads);
            (needed > room).then(|| Shortage {
                allowed: format!("ResourceQuota {} allows {resource} {}", quota.name, hard.0),
                needed: shown(needed),
            })
        })
    })
}

/// What the pods of all workloads together count for under a quota's resource.
pub fn needed(resource: &str, workloads: &[AtMost<'_>]) -> Amount {
    workloads.iter().fold(Amount::ZERO, |sum, workload| {
        let one = match resource {
            "pods" | "count/pods" => quantity::parse_str("1").ok(),
            _ => workload
                .requests
                .get(quota_name(resource))
                .and_then(|amount| quantity::parse(amount).ok()),
        };
        one.map_or(sum, |one| sum.plus(one.times(workload.replicas)))
    })
}

/// The full name of a quota's resource. `cpu` is short for `requests.cpu`, and `memory` for
/// `requests.memory`.
fn quota_name(resource: &str) -> &str {
    match resource {
        "cpu" => "requests.cpu",
        "memory" => "requests.memory",
        other => other,
    }
}

/// The amount in whole units, or in milli-units if it has a fraction.
pub fn shown(amount: Amount) -> String {
    amount
        .whole()
        .map_or_else(|| format!("{}m", amount.milli_ceil()), |whole| whole.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantities(pairs: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
        pairs
            .iter()
            .map(|(name, amount)| ((*name).to_owned(), Quantity((*amount).to_owned())))
            .collect()
    }

    fn quota(pairs: &[(&str, &str)]) -> Vec<Quota> {
        vec![Quota {
            name: "team".to_owned(),
            hard: quantities(pairs),
        }]
    }

    #[test]
    fn all_workloads_together_must_fit() {
        let requests = quantities(&[("requests.cpu", "500m")]);
        let ten = [
            AtMost {
                replicas: 6,
                requests: &requests,
            },
            AtMost {
                replicas: 4,
                requests: &requests,
            },
        ];
        assert_eq!(shortage(&quota(&[("requests.cpu", "5")]), &ten), None);
        assert_eq!(
            shortage(&quota(&[("cpu", "4500m")]), &ten)
                .map(|shortage| shortage.to_string())
                .as_deref(),
            Some("ResourceQuota team allows cpu 4500m, and the workloads at maxReplicas need 5")
        );
        assert_eq!(shortage(&quota(&[("pods", "10")]), &ten), None);
        assert!(shortage(&quota(&[("pods", "9")]), &ten).is_some());
    }

    #[test]
    fn what_is_not_known_is_not_complained_about() {
        let requests = PodRequests::new();
        let workloads = [AtMost {
            replicas: 100,
            requests: &requests,
        }];
        assert_eq!(
            shortage(
                &quota(&[("requests.cpu", "1"), ("count/secrets", "1")]),
                &workloads
            ),
            None
        );
    }
}
