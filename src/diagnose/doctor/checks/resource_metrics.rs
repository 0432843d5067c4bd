//! Checks that Kubernetes' metrics-server answers if a workload scales on CPU or memory.

use std::collections::BTreeMap;

use super::api_services;
use crate::doctor::{Finding, Severity, observed::Observed, view};
use vas_core::k8s::read::Unread;

/// Whether metrics.k8s.io is registered, is available, and has values for the pods of each target.
pub(in crate::doctor) fn answers(observed: &Observed) -> Vec<Finding> {
    let users: Vec<_> = view::workloads(observed)
        .filter(view::WorkloadView::uses_resource_metrics)
        .collect();
    if users.is_empty() {
        return Vec::new();
    }
    let object = format!("APIService {}", api_services::RESOURCE);
    match observed.api_service(api_services::RESOURCE) {
        Ok(service) => {
            let finding = api_services::availability(object, service, observed);
            if finding.severity != Severity::Ok {
                return vec![finding];
            }
        }
        Err(Unread::NotFound) => {
            return vec![
                Finding::problem(
                    object,
                    format!(
                        "does not exist: metrics-server is not installed, and {} scales on cpu or memory",
                        users
                            .first()
                            .map(view::WorkloadView::target_name)
                            .unwrap_or_default()
                    ),
                )
                .fix("install metrics-server (github.com/kubernetes-sigs/metrics-server)"),
            ];
        }
        Err(why) => return vec![Finding::skipped(object, why.to_string())],
    }
    let mut failed_namespaces = BTreeMap::new();
    let mut findings = Vec::new();
    for view in &users {
        match &view.namespace.pod_metrics {
            Err(why) => {
                failed_namespaces.insert(&view.scaling.key.namespace, why);
            }
            Ok(known) => findings.extend(numbers(view, known)),
        }
    }
    findings.extend(failed_namespaces.into_iter().map(|(namespace, why)| {
        let object = format!("PodMetrics of namespace {namespace}");
        match why {
            Unread::Forbidden(_) | Unread::NotAsked(_) => Finding::skipped(object, why.to_string()),
            _ => Finding::problem(object, why.to_string()).fix(format!(
                "kubectl top pods -n {namespace}; look at the logs of metrics-server"
            )),
        }
    }));
    findings
}

fn numbers(view: &view::WorkloadView<'_>, known: &[String]) -> Option<Finding> {
    // Other checks report a target or pods that cannot be read.
    let live = view.live_pods().ok()?;
    let without = live
        .iter()
        .filter(|pod| {
            !pod.metadata
                .name
                .as_ref()
                .is_some_and(|name| known.contains(name))
        })
        .count();
    let object = view.target_name();
    Some(if live.is_empty() {
        Finding::skipped(object, "has no live pod")
    } else if without == 0 {
        Finding::ok(
            object,
            format!("metrics-server has numbers for all of {} pods", live.len()),
        )
    } else if without == live.len() {
        Finding::problem(
            object,
            format!("metrics-server has no numbers for any of {without} pods"),
        )
        .fix("wait half a minute after a start; else look at the logs of metrics-server and the kubelet")
    } else {
        Finding::ok(
            object,
            format!(
                "metrics-server has numbers for {} of {} pods",
                live.len() - without,
                live.len()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::{healthy, severities};

    #[test]
    fn no_metrics_server_is_a_problem_where_cpu_is_used() {
        let mut observed = healthy();
        observed
            .api_services
            .insert(api_services::RESOURCE.to_owned(), Err(Unread::NotFound));
        assert_eq!(severities(&answers(&observed)), [Severity::Problem]);
        observed.scalings = Ok(vec![]);
        assert_eq!(answers(&observed), []);
    }

    #[test]
    fn pods_without_numbers_are_a_problem_when_none_has_any() {
        let mut observed = healthy();
        let known = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
        for (names, expected) in [
            (&[][..], Severity::Problem),
            (&["gateway-1"], Severity::Ok),
            (&["gateway-1", "gateway-2"], Severity::Ok),
        ] {
            observed.namespaces.get_mut("prod").unwrap().pod_metrics = known(names);
            assert_eq!(severities(&answers(&observed)), [expected], "{names:?}");
        }
    }

    #[test]
    fn a_refused_read_is_unknown_and_a_failed_one_a_problem() {
        let mut observed = healthy();
        for (why, expected) in [
            (Unread::Forbidden("no".to_owned()), Severity::Skipped),
            (Unread::Failed("503".to_owned()), Severity::Problem),
        ] {
            observed.namespaces.get_mut("prod").unwrap().pod_metrics = Err(why);
            assert_eq!(severities(&answers(&observed)), [expected]);
        }
    }
}
