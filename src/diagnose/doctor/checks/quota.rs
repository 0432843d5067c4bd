//! Checks that the ResourceQuotas leave room for growth. What is used now counts here; the operator's
//! condition compares only the limits.
//!
//! Example: a quota of 20 cores of which 16 are used, and a workload at 2 of at most 8 replicas with 1 core
//! each. The 6 more replicas need 6 cores, but 4 are left.

use k8s_openapi::api::core::v1::ResourceQuota;

use crate::doctor::{
    Finding,
    observed::{NamespaceSeen, Observed},
    view,
};
use vas_core::k8s::{
    pod_template,
    quantity::{self, Amount},
    quota::{AtMost, PodRequests, needed, shown},
};

/// Checks each quota of each namespace that has a resource.
pub(in crate::doctor) fn check(observed: &Observed) -> Vec<Finding> {
    observed
        .namespaces
        .iter()
        .flat_map(|(namespace, seen)| of(namespace, seen, observed))
        .collect()
}

fn of(namespace: &str, seen: &NamespaceSeen, observed: &Observed) -> Vec<Finding> {
    let quotas = match &seen.quotas {
        Ok(quotas) => quotas,
        Err(why) => {
            return vec![Finding::skipped(
                format!("ResourceQuotas of namespace {namespace}"),
                why.to_string(),
            )];
        }
    };
    if quotas.is_empty() {
        return vec![Finding::ok(
            format!("Namespace {namespace}"),
            "has no ResourceQuota",
        )];
    }
    // Per workload: the number of pods it can still grow by, and the requests of one pod.
    let growth: Vec<(i32, PodRequests)> = view::workloads(observed)
        .filter(|view| view.scaling.key.namespace == namespace)
        .filter_map(|view| {
            let target = view.target().ok()?;
            let requests = pod_template::read(&target.object)?.requests;
            Some(((view.workload.widest().max - target.replicas).max(0), requests))
        })
        .collect();
    let growth: Vec<AtMost<'_>> = growth
        .iter()
        .map(|(replicas, requests)| AtMost {
            replicas: *replicas,
            requests,
        })
        .collect();
    quotas
        .iter()
        .map(|quota| {
            let name = quota.metadata.name.as_deref().unwrap_or_default();
            let object = format!("ResourceQuota {namespace}/{name}");
            match shortage(quota, &growth) {
                Some(message) => Finding::warning(object, message)
                    .fix("raise the quota, lower maxReplicas, or lower the requests of the pods"),
                None => Finding::ok(object, "leaves room for every workload at maxReplicas"),
            }
        })
        .collect()
}

fn shortage(quota: &ResourceQuota, growth: &[AtMost<'_>]) -> Option<String> {
    // A quota with scopes counts only some pods, and it is not known here which.
    let spec = quota.spec.as_ref()?;
    if spec.scope_selector.is_some() || spec.scopes.as_ref().is_some_and(|scopes| !scopes.is_empty()) {
        return None;
    }
    let used = quota.status.as_ref().and_then(|status| status.used.as_ref());
    spec.hard.iter().flatten().find_map(|(resource, hard)| {
        let used = used.and_then(|used| used.get(resource));
        let now = used.map_or(Ok(Amount::ZERO), quantity::parse).ok()?;
        let more = needed(resource, growth);
        (more > Amount::ZERO && now.plus(more) > quantity::parse(hard).ok()?).then(|| {
            format!(
                "spec.hard.{resource} is {}, {} are used, and the workloads at maxReplicas need {} more",
                hard.0,
                used.map_or("0", |used| &used.0),
                shown(more)
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities},
    };
    use vas_core::k8s::read::Unread;

    fn with(hard: serde_json::Value, used: serde_json::Value) -> Observed {
        let mut observed = healthy();
        let quota = json!({"metadata": {"name": "team"}, "spec": {"hard": hard}, "status": {"used": used}});
        observed.namespaces.get_mut("prod").unwrap().quotas =
            Ok(vec![serde_json::from_value(quota).unwrap()]);
        observed
    }

    #[test]
    fn what_others_use_counts() {
        // The workload can grow from 2 to 5 replicas of 100m each.
        for (hard, used, expected) in [
            (
                json!({"requests.cpu": "1"}),
                json!({"requests.cpu": "700m"}),
                Severity::Ok,
            ),
            (
                json!({"requests.cpu": "1"}),
                json!({"requests.cpu": "701m"}),
                Severity::Warning,
            ),
            (json!({"cpu": "1"}), json!({"cpu": "800m"}), Severity::Warning),
            (json!({"pods": "10"}), json!({"pods": "8"}), Severity::Warning),
            (
                json!({"count/secrets": "1"}),
                json!({"count/secrets": "1"}),
                Severity::Ok,
            ),
        ] {
            let found = check(&with(hard.clone(), used.clone()));
            assert_eq!(severities(&found), [expected], "{hard} {used}");
        }
    }

    #[test]
    fn quotas_that_cannot_be_read_are_unknown() {
        let mut observed = healthy();
        observed.namespaces.get_mut("prod").unwrap().quotas = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&check(&observed)), [Severity::Skipped]);
    }
}
