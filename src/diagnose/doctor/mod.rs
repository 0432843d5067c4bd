//! The checks of `vas doctor`, over plain data.
//!
//! ```text
//! doctor/read (reads) --> Observed --CHECKS--> Report --> the command line (prints)
//! ```
//!
//! A new check is a function `fn check(&Observed) -> Vec<Finding>` in its own file, and a line in [`CHECKS`].
//! The id of a check is API: scripts match on it.
//!
//! Must not: read anything, or report `ok` for something that could not be read.

pub mod checks;
mod finding;
pub mod observed;
pub mod read;
pub mod rights;
#[cfg(test)]
mod testing;
pub mod view;

use self::checks::{
    api_server, api_services, certificate, crd, deployments, disruption, hpas, leases, metrics_api, overlap,
    prometheus, quota, rbac, readiness, replicas, requests, resource_metrics, scalings, schedules, service,
    suspended,
};
pub use finding::{Finding, Severity};
use observed::Observed;
use vas_core::k8s::read::Unread;

/// The sections of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Group {
    /// API server and CRD.
    Cluster,
    /// Deployments, leases and RBAC rights.
    Installation,
    /// APIServices, certificate and reads of metrics.
    MetricsAPI,
    /// The Prometheus servers and their series.
    Prometheus,
    /// The resources, their scale targets and HPAs.
    Workloads,
}

/// One check: the question that doctor answers, and the function that answers it.
#[derive(Debug)]
pub struct Check {
    /// Stable name, such as `crd-installed`.
    pub id: &'static str,
    /// The section of the output.
    pub group: Group,
    /// Judges what was read. No finding means that there is nothing to check.
    pub run: fn(&Observed) -> Vec<Finding>,
}

const fn check(group: Group, id: &'static str, run: fn(&Observed) -> Vec<Finding>) -> Check {
    Check { id, group, run }
}

/// All checks in the order of the output: a cause comes before its effects.
pub const CHECKS: &[Check] = &[
    check(Group::Cluster, "api-server-reachable", api_server::reachable),
    check(Group::Cluster, "api-server-version", api_server::version),
    check(Group::Cluster, "crd-installed", crd::installed),
    check(Group::Cluster, "crd-established", crd::established),
    check(Group::Cluster, "crd-version-served", crd::version_served),
    check(Group::Cluster, "crd-schema-current", crd::schema_current),
    check(Group::Installation, "operator-deployment", deployments::operator),
    check(
        Group::Installation,
        "metrics-server-deployment",
        deployments::metrics_server,
    ),
    check(Group::Installation, "versions-equal", deployments::versions_equal),
    check(Group::Installation, "install-budgets", deployments::budgets),
    check(Group::Installation, "operator-lease", leases::operator),
    check(
        Group::Installation,
        "metrics-server-lease",
        leases::metrics_server,
    ),
    check(Group::Installation, "rbac-operator", rbac::operator),
    check(Group::Installation, "rbac-metrics-server", rbac::metrics_server),
    check(
        Group::MetricsAPI,
        "apiservice-registered",
        api_services::registered,
    ),
    check(Group::MetricsAPI, "apiservice-owner", api_services::owner),
    check(
        Group::MetricsAPI,
        "metrics-server-service",
        service::leads_to_the_pods,
    ),
    check(Group::MetricsAPI, "apiservice-available", api_services::available),
    check(Group::MetricsAPI, "apiservice-trust", api_services::trust),
    check(Group::MetricsAPI, "certificate-expiry", certificate::expiry),
    check(Group::MetricsAPI, "certificate-name", certificate::name),
    check(Group::MetricsAPI, "metrics-api-discovery", metrics_api::discovery),
    check(Group::MetricsAPI, "metrics-api-reads", metrics_api::reads),
    check(
        Group::MetricsAPI,
        "resource-metrics-api",
        resource_metrics::answers,
    ),
    check(
        Group::Prometheus,
        "prometheus-reachable",
        prometheus::checks::reachable,
    ),
    check(Group::Prometheus, "prometheus-series", prometheus::checks::series),
    check(Group::Prometheus, "prometheus-labels", prometheus::checks::labels),
    check(
        Group::Prometheus,
        "prometheus-clusters",
        prometheus::checks::clusters,
    ),
    check(Group::Prometheus, "prometheus-pods", prometheus::checks::pods),
    check(Group::Prometheus, "prometheus-types", prometheus::checks::types),
    check(Group::Workloads, "scaling-valid", scalings::valid),
    check(Group::Workloads, "scaling-conditions", scalings::conditions),
    check(Group::Workloads, "scaling-suspended", suspended::check),
    check(Group::Workloads, "schedule-entries", schedules::check),
    check(Group::Workloads, "scale-target-found", scalings::target_found),
    check(Group::Workloads, "hpa-conditions", hpas::conditions),
    check(Group::Workloads, "hpa-unique", overlap::hpas),
    check(Group::Workloads, "pods-of-one-target", overlap::targets),
    check(Group::Workloads, "vpa-conflict", overlap::vpas),
    check(Group::Workloads, "container-requests", requests::check),
    check(Group::Workloads, "readiness-probe", readiness::check),
    check(Group::Workloads, "replicas-unpinned", replicas::check),
    check(Group::Workloads, "pdb-allows-drains", disruption::allows_drains),
    check(Group::Workloads, "pdb-unique", disruption::unique),
    check(Group::Workloads, "quota-room", quota::check),
];

/// The findings of one check.
#[derive(Debug)]
pub struct Checked {
    /// The check that made the findings.
    pub check: &'static Check,
    /// The findings; never empty.
    pub findings: Vec<Finding>,
}

/// The findings of all checks, in the order of [`CHECKS`].
#[derive(Debug)]
pub struct Report {
    /// One entry per check.
    pub checked: Vec<Checked>,
}

/// Runs every check.
#[must_use]
pub fn run(observed: &Observed) -> Report {
    let checked = CHECKS.iter().map(|check| {
        let mut findings = (check.run)(observed);
        if findings.is_empty() {
            findings.push(Finding::skipped("-", nothing_to_look_at(observed)));
        }
        Checked { check, findings }
    });
    Report {
        checked: checked.collect(),
    }
}

fn nothing_to_look_at(observed: &Observed) -> String {
    match &observed.scalings {
        Err(Unread::NotFound) => "there are no VoiceAssistScalings without the CRD".to_owned(),
        Err(why) => format!("the VoiceAssistScalings are not known: {why}"),
        Ok(_) => "nothing here that it is about".to_owned(),
    }
}

impl Report {
    /// The findings of all checks.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.checked.iter().flat_map(|checked| &checked.findings)
    }

    /// Number of findings of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// Whether any finding is a problem.
    pub fn has_problems(&self) -> bool {
        self.count(Severity::Problem) > 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_spelled_as_words_with_dashes() {
        let ids: BTreeSet<_> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
        for id in ids {
            assert!(
                id.chars().all(|char| char.is_ascii_lowercase() || char == '-'),
                "{id}"
            );
        }
    }

    #[test]
    fn what_nobody_may_read_is_skipped_and_never_fine() {
        let forbidden = Unread::Forbidden("nodes is forbidden".to_owned());
        let report = run(&Observed::nothing(testing::now(), "vas-system", &forbidden));
        for checked in &report.checked {
            for finding in &checked.findings {
                assert_ne!(
                    finding.severity,
                    Severity::Ok,
                    "{}: {finding:?}",
                    checked.check.id
                );
            }
        }
    }

    #[test]
    fn one_forbidden_read_skips_its_own_checks_alone() {
        let mut observed = testing::healthy();
        observed.operator_lease = Err(Unread::Forbidden("no".to_owned()));
        let report = run(&observed);
        let skipped: Vec<_> = report
            .checked
            .iter()
            .filter(|checked| checked.findings.iter().any(|f| f.severity == Severity::Skipped))
            .map(|checked| checked.check.id)
            .collect();
        assert_eq!(skipped, ["operator-lease"]);
    }

    #[test]
    fn a_healthy_installation_has_no_warning() {
        let report = run(&testing::healthy());
        let bad: Vec<_> = report
            .checked
            .iter()
            .flat_map(|checked| checked.findings.iter().map(|finding| (checked.check.id, finding)))
            .filter(|(_, finding)| finding.severity != Severity::Ok)
            .collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }
}
