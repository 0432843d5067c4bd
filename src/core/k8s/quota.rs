//! Whether the namespace's quotas leave room for every workload at `maxReplicas`.
//!
//! Only fixed numbers count: hard limits, pod templates and `maxReplicas`, not what is used at the moment, so
//! that the verdict does not move with every pod. It errs on the side of silence: other pods in the
//! namespace take room too.

use std::{collections::BTreeMap, fmt};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quantity::{self, Amount};

/// What one pod takes, by the names quotas use: `requests.cpu`, `limits.memory`.
pub type PodRequests = BTreeMap<String, Quantity>;

/// A ResourceQuota of the namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quota {
    /// Its name.
    pub name: String,
    /// Its limits.
    pub hard: BTreeMap<String, Quantity>,
}

/// A workload at its largest.
#[derive(Clone, Debug, PartialEq)]
pub struct AtMost<'a> {
    /// `maxReplicas`.
    pub replicas: i32,
    /// What one pod takes; empty if unknown.
    pub requests: &'a PodRequests,
}

/// A limit that workloads would pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Which quota, and what it allows of what.
    pub allowed: String,
    /// What the workloads need of it.
    pub needed: String,
}

impl fmt::Display for Shortage {
    /// As a sentence about all workloads of a resource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { allowed, needed } = self;
        write!(f, "{allowed}, and the workloads at maxReplicas need {needed}")
    }
}

/// The first limit, in the order of names, that the workloads together would pass.
pub fn shortage(quotas: &[Quota], workloads: &[AtMost<'_>]) -> Option<Shortage> {
    quotas.iter().find_map(|quota| {
        quota.hard.iter().find_map(|(resource, hard)| {
            let room = quantity::parse(hard).ok()?;
            let needed = total(resource, workloads);
            (needed > room).then(|| Shortage {
                allowed: format!("ResourceQuota {} allows {resource} {}", quota.name, hard.0),
                needed: show(needed),
            })
        })
    })
}

fn total(resource: &str, workloads: &[AtMost<'_>]) -> Amount {
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

/// `cpu` and `memory` are short for their requests.
fn quota_name(resource: &str) -> &str {
    match resource {
        "cpu" => "requests.cpu",
        "memory" => "requests.memory",
        other => other,
    }
}

/// Milli-units where needed, whole units otherwise.
fn show(amount: Amount) -> String {
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
