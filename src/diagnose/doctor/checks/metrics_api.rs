//! Checks that the metrics API answers the requests of the HPA controller.

use crate::doctor::{Finding, observed::Observed, view};
use vas_core::k8s::read::Unread;

/// Whether the discovery of the metrics API answers through the API server.
pub(in crate::doctor) fn discovery(observed: &Observed) -> Vec<Finding> {
    let object = "API custom.metrics.k8s.io/v1beta2";
    vec![match &observed.discovery {
        Ok(names) if names.is_empty() => {
            Finding::problem(object, "discovery lists no resource").fix(format!(
                "kubectl -n {} logs deployment/vas-metrics-server",
                observed.install_namespace
            ))
        }
        Ok(names) => Finding::ok(object, format!("discovery lists {} resources", names.len())),
        Err(Unread::Forbidden(words)) => Finding::skipped(object, format!("you may not ask it: {words}")),
        Err(Unread::NotAsked(why)) => Finding::skipped(object, why.clone()),
        Err(why) => Finding::problem(object, format!("discovery: {why}"))
            .fix("kubectl get --raw /apis/custom.metrics.k8s.io/v1beta2"),
    }]
}

/// Whether each metric of each HPA can be read.
pub(in crate::doctor) fn reads(observed: &Observed) -> Vec<Finding> {
    let mut findings: Vec<Finding> = observed
        .metric_reads
        .iter()
        .map(|read| {
            let metric = &read.metric;
            match &read.outcome {
                Ok(values) => Finding::ok(&read.hpa, format!("{metric} reads {values}")),
                Err(Unread::Forbidden(words)) => {
                    Finding::skipped(&read.hpa, format!("{metric}: you may not read it: {words}"))
                }
                Err(Unread::NotAsked(why)) => Finding::skipped(&read.hpa, format!("{metric}: {why}")),
                Err(Unread::NotFound) => {
                    Finding::problem(&read.hpa, format!("{metric}: the API server knows no such path"))
                        .fix(format!("kubectl get --raw '{}'", read.path))
                }
                Err(Unread::Failed(words)) => {
                    Finding::problem(&read.hpa, format!("{metric}: {words}")).fix(format!(
                        "see docs/metrics.md for these words; kubectl get --raw '{}'",
                        read.path
                    ))
                }
            }
        })
        .collect();
    let without_hpa = view::workloads(observed)
        .filter(|view| view.workload.prometheus_metrics().next().is_some())
        .filter_map(|view| Some((view.hpa_name(), view.hpa().err()?)));
    findings.extend(
        without_hpa.map(|(hpa, why)| Finding::skipped(hpa, format!("its metrics were not read: {why}"))),
    );
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities},
    };

    #[test]
    fn an_api_that_lists_nothing_or_fails_is_a_problem() {
        let mut observed = healthy();
        for (read, expected) in [
            (Ok(vec![]), Severity::Problem),
            (Err(Unread::NotFound), Severity::Problem),
            (Err(Unread::Failed("503".to_owned())), Severity::Problem),
            (Err(Unread::Forbidden("no".to_owned())), Severity::Skipped),
        ] {
            observed.discovery = read;
            assert_eq!(severities(&discovery(&observed)), [expected]);
        }
    }

    #[test]
    fn the_words_of_a_failing_read_are_quoted() {
        let mut observed = healthy();
        observed.metric_reads[0].outcome = Err(Unread::Failed("last sample 130s old, maxAge 2m".to_owned()));
        let found = reads(&observed);
        assert_eq!(found[0].severity, Severity::Problem);
        assert!(found[0].message.contains("last sample 130s old, maxAge 2m"));
        assert!(found[0].fix.as_ref().unwrap().contains("kubectl get --raw"));
    }

    #[test]
    fn without_its_hpa_a_metric_is_not_read() {
        let mut observed = healthy();
        observed.metric_reads.clear();
        for namespace in observed.namespaces.values_mut() {
            namespace.hpas = Ok(vec![]);
        }
        assert!(
            severities(&reads(&observed))
                .iter()
                .all(|severity| *severity == Severity::Skipped)
        );
        assert!(!reads(&observed).is_empty());
    }
}
