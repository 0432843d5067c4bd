//! Finds PodDisruptionBudgets that block the drain of a node.

use k8s_openapi::{
    api::{core::v1::Pod, policy::v1::PodDisruptionBudget},
    apimachinery::pkg::util::intstr::IntOrString,
};

use crate::doctor::{
    Finding,
    observed::{NamespaceSeen, Observed},
    view,
};
use vas_core::k8s::{label_selector::LabelSelector, read::Read};

/// Whether each budget over a workload allows the eviction of at least one pod.
pub(in crate::doctor) fn allows_drains(observed: &Observed) -> Vec<Finding> {
    observed
        .namespaces
        .iter()
        .flat_map(|(namespace, seen)| {
            let pdbs = match covering(namespace, seen, observed) {
                Ok(pdbs) => pdbs,
                Err(skipped) => return vec![skipped],
            };
            pdbs.into_iter()
                .map(|(pdb, min)| judge(namespace, pdb, min))
                .collect()
        })
        .collect()
}

fn judge(namespace: &str, pdb: &PodDisruptionBudget, min_replicas: i32) -> Finding {
    let object = name(namespace, pdb);
    let spec = pdb.spec.clone().unwrap_or_default();
    let status = pdb.status.clone().unwrap_or_default();
    let [expected, allowed, healthy, desired] = [
        status.expected_pods,
        status.disruptions_allowed,
        status.current_healthy,
        status.desired_healthy,
    ]
    .map(Option::unwrap_or_default);
    let fix = "set disruption: {maxUnavailable: 1} in the VoiceAssistScaling, or change the budget so that one pod may go";
    // From bad to less bad: no eviction ever, none at `minReplicas`, none right now.
    if let Some(max) = &spec.max_unavailable
        && is_nothing(max)
    {
        return Finding::problem(
            object,
            format!("spec.maxUnavailable is {}: no pod may ever be evicted", show(max)),
        )
        .fix(fix);
    }
    if let Some(min) = &spec.min_available {
        match min {
            IntOrString::String(percent) if percent == "100%" => {
                return Finding::problem(object, "spec.minAvailable is 100%: no pod may ever be evicted")
                    .fix(fix);
            }
            IntOrString::Int(min) if expected > 0 && *min >= expected => {
                return Finding::problem(
                    object,
                    format!("spec.minAvailable is {min} of {expected} pods: none may be evicted"),
                )
                .fix(fix);
            }
            IntOrString::Int(min) if *min >= min_replicas => {
                return Finding::warning(
                    object,
                    format!("spec.minAvailable is {min} and minReplicas {min_replicas}: at the minimum no pod may be evicted"),
                )
                .fix(fix);
            }
            // A smaller percentage can forbid every eviction too, because it is rounded up: 90 % of 3 pods
            // are 3 pods. Then `disruptionsAllowed` is 0.
            _ => {}
        }
    }
    if expected > 0 && allowed == 0 {
        return Finding::warning(
            object,
            format!(
                "status.disruptionsAllowed is 0: {healthy} of {expected} pods are healthy, {desired} are wanted"
            ),
        )
        .fix(format!("kubectl -n {namespace} get pods: a drain waits until they are ready"));
    }
    Finding::ok(object, format!("{allowed} pods may be evicted now"))
}

/// Whether no pod has two budgets. The eviction API never evicts such a pod.
pub(in crate::doctor) fn unique(observed: &Observed) -> Vec<Finding> {
    observed
        .namespaces
        .iter()
        .filter(|(_, seen)| !seen.targets.is_empty())
        .map(|(namespace, seen)| {
            let object = format!("PodDisruptionBudgets of namespace {namespace}");
            let (pdbs, pods) = match (&seen.pdbs, &seen.pods) {
                (Ok(pdbs), Ok(pods)) => (pdbs, pods),
                (Err(why), _) | (_, Err(why)) => return Finding::skipped(object, why.to_string()),
            };
            let doubled = pods.iter().filter(|pod| view::is_live(pod)).find_map(|pod| {
                let names: Vec<&str> = pdbs
                    .iter()
                    .filter(|pdb| covers(pdb, pod))
                    .filter_map(|pdb| pdb.metadata.name.as_deref())
                    .collect();
                (names.len() > 1).then(|| (pod.metadata.name.clone().unwrap_or_default(), names))
            });
            match doubled {
                Some((pod, names)) => Finding::problem(
                    object,
                    format!(
                        "{} all cover Pod {pod}: the eviction API refuses such a pod",
                        names.join(" and ")
                    ),
                )
                .fix(format!(
                    "kubectl -n {namespace} delete pdb, all but one of {}",
                    names.join(", ")
                )),
                None => Finding::ok(object, "no pod has two"),
            }
        })
        .collect()
}

/// The budgets that select pods of the workloads, each with the smallest `minReplicas` of the workloads it
/// covers.
fn covering<'a>(
    namespace: &str,
    seen: &'a NamespaceSeen,
    observed: &Observed,
) -> Result<Vec<(&'a PodDisruptionBudget, i32)>, Finding> {
    let pdbs = match &seen.pdbs {
        Ok(pdbs) => pdbs,
        Err(why) => {
            return Err(Finding::skipped(
                format!("PodDisruptionBudgets of namespace {namespace}"),
                why.to_string(),
            ));
        }
    };
    let workloads: Vec<(i32, Read<Vec<&Pod>>)> = view::workloads(observed)
        .filter(|view| view.scaling.key.namespace == namespace)
        .map(|view| {
            // Without an HPA nothing guarantees a minimum, so `i32::MAX` leaves it to the other workloads.
            let min = if view.workload.has_hpa() {
                view.workload.widest().min
            } else {
                i32::MAX
            };
            (min, view.live_pods())
        })
        .collect();
    if let Some(why) = workloads.iter().find_map(|(_, pods)| pods.as_ref().err())
        && workloads.iter().all(|(_, pods)| pods.is_err())
    {
        return Err(Finding::skipped(
            format!("pods of namespace {namespace}"),
            why.to_string(),
        ));
    }
    Ok(pdbs
        .iter()
        .filter_map(|pdb| {
            let min = workloads
                .iter()
                .filter(|(_, pods)| pods.iter().flatten().any(|pod| covers(pdb, pod)))
                .map(|(min, _)| *min)
                .min()?;
            Some((pdb, min))
        })
        .collect())
}

fn covers(pdb: &PodDisruptionBudget, pod: &Pod) -> bool {
    let selector = pdb.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    selector.is_some_and(|selector| LabelSelector::from(selector).matches(&labels))
}

fn name(namespace: &str, pdb: &PodDisruptionBudget) -> String {
    let name = pdb.metadata.name.as_deref().unwrap_or_default();
    format!("PodDisruptionBudget {namespace}/{name}")
}

fn is_nothing(amount: &IntOrString) -> bool {
    match amount {
        IntOrString::Int(count) => *count == 0,
        IntOrString::String(percent) => percent == "0%" || percent == "0",
    }
}

fn show(amount: &IntOrString) -> String {
    match amount {
        IntOrString::Int(count) => count.to_string(),
        IntOrString::String(percent) => percent.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, pdb, severities},
    };
    use vas_core::k8s::read::Unread;

    fn with(spec: serde_json::Value, allowed: i32) -> Observed {
        let mut observed = healthy();
        let mut budget = pdb("by-hand", &json!({"app": "gateway"}));
        let selector = budget.spec.clone().unwrap().selector;
        budget.spec = serde_json::from_value(spec).unwrap();
        budget.spec.as_mut().unwrap().selector = selector;
        budget.status.as_mut().unwrap().disruptions_allowed = Some(allowed);
        observed.namespaces.get_mut("prod").unwrap().pdbs = Ok(vec![budget]);
        observed
    }

    #[test]
    fn a_budget_that_never_lets_go_is_a_problem_and_one_that_does_not_now_a_warning() {
        for (spec, allowed, expected) in [
            (json!({"maxUnavailable": 0}), 0, Severity::Problem),
            (json!({"maxUnavailable": "0%"}), 0, Severity::Problem),
            (json!({"minAvailable": "100%"}), 0, Severity::Problem),
            (json!({"minAvailable": 2}), 0, Severity::Problem),
            (json!({"minAvailable": 1}), 1, Severity::Ok),
            (json!({"maxUnavailable": 1}), 0, Severity::Warning),
            (json!({"maxUnavailable": 1}), 1, Severity::Ok),
        ] {
            let found = allows_drains(&with(spec.clone(), allowed));
            assert_eq!(severities(&found), [expected], "{spec}");
        }
    }

    #[test]
    fn a_budget_that_blocks_at_the_minimum_is_pointed_out_while_there_are_more() {
        let mut observed = with(json!({"minAvailable": 2}), 3);
        let namespace = observed.namespaces.get_mut("prod").unwrap();
        namespace.pdbs.as_mut().unwrap()[0]
            .status
            .as_mut()
            .unwrap()
            .expected_pods = Some(5);
        assert_eq!(severities(&allows_drains(&observed)), [Severity::Warning]);
    }

    #[test]
    fn two_budgets_over_one_pod_are_a_problem() {
        let mut observed = healthy();
        assert_eq!(severities(&unique(&observed)), [Severity::Ok]);
        let namespace = observed.namespaces.get_mut("prod").unwrap();
        namespace
            .pdbs
            .as_mut()
            .unwrap()
            .push(pdb("second", &json!({"app": "gateway"})));
        let found = unique(&observed);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(found[0].message.contains("second"));
        observed.namespaces.get_mut("prod").unwrap().pods = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&unique(&observed)), [Severity::Skipped]);
        assert_eq!(severities(&allows_drains(&observed)), [Severity::Skipped]);
    }
}
