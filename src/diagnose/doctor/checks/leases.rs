//! Checks of the leader Leases: whether each has a holder that renews it.

use jiff::SignedDuration;
use k8s_openapi::api::{apps::v1::Deployment, coordination::v1::Lease};

use super::deployments;
use crate::doctor::{Finding, Severity, observed::Observed};
use vas_api::{METRICS_SERVER_LEASE, OPERATOR_LEASE};
use vas_core::k8s::read::{Read, Unread};

/// Difference between the clocks of two nodes that is still normal.
const SKEW: SignedDuration = SignedDuration::from_secs(10);

/// The Lease of the operator. Without a holder the operator writes nothing: no HPA is created and no status
/// changes.
pub(in crate::doctor) fn operator(observed: &Observed) -> Vec<Finding> {
    vec![check(
        observed,
        OPERATOR_LEASE,
        &observed.operator_lease,
        &observed.operator,
        Severity::Problem,
    )]
}

/// The Lease of the metrics server. Without a holder it still serves metrics, but writes no condition
/// `MetricsAvailable`.
pub(in crate::doctor) fn metrics_server(observed: &Observed) -> Vec<Finding> {
    vec![check(
        observed,
        METRICS_SERVER_LEASE,
        &observed.metrics_server_lease,
        &observed.metrics_server,
        Severity::Warning,
    )]
}

fn check(
    observed: &Observed,
    name: &str,
    read: &Read<Lease>,
    deployment: &Read<Deployment>,
    bad: Severity,
) -> Finding {
    let off = deployments::setting(deployment.as_ref().ok(), "--leader-elect", "VAS_LEADER_ELECT");
    let off = off == Some("false");
    let absent = matches!(deployment, Err(Unread::NotFound));
    let namespace = &observed.install_namespace;
    let object = format!("Lease {namespace}/{name}");
    if off {
        return Finding::ok(object, "not used: --leader-elect=false");
    }
    let logs = format!("kubectl -n {namespace} logs -l app.kubernetes.io/name={name} --tail=50");
    let complain = |message: String| {
        let mut finding = Finding::problem(&object, message).fix(&logs);
        finding.severity = bad;
        finding
    };
    let lease = match read {
        Ok(lease) => lease,
        Err(Unread::NotFound) if absent => return Finding::skipped(object, "its Deployment does not exist"),
        Err(Unread::NotFound) => return complain("does not exist: no replica ever led".to_owned()),
        Err(why) => return Finding::skipped(object, why.to_string()),
    };
    let spec = lease.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.unwrap_or_default();
    if holder.is_empty() {
        return complain("spec.holderIdentity is empty: no replica leads".to_owned());
    }
    let Some(renewed) = spec.renew_time else {
        return complain("spec.renewTime is not set".to_owned());
    };
    // The holder wrote `renewTime` by its own clock, which may differ from the API server's by `SKEW`.
    let age = observed.now.duration_since(renewed.0);
    let valid = SignedDuration::from_secs(i64::from(spec.lease_duration_seconds.unwrap_or(15)));
    if age > valid + SKEW {
        return complain(format!(
            "spec.renewTime is {}s ago, and it lasts {}s: {holder} is gone and nobody took over",
            age.as_secs(),
            valid.as_secs()
        ));
    }
    Finding::ok(object, format!("held by {holder}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::{healthy, lease, severities};

    #[test]
    fn a_lease_that_nobody_renews_stops_the_operator_and_only_warns_of_the_metrics_server() {
        let mut observed = healthy();
        observed.operator_lease = Ok(lease("a", 60));
        observed.metrics_server_lease = Ok(lease("a", 60));
        assert_eq!(severities(&operator(&observed)), [Severity::Problem]);
        assert_eq!(severities(&metrics_server(&observed)), [Severity::Warning]);
    }

    #[test]
    fn a_fresh_lease_is_fine_and_an_empty_one_is_not() {
        let mut observed = healthy();
        for (holder, age, expected) in [
            ("a", 2, Severity::Ok),
            ("a", 20, Severity::Ok),
            ("", 2, Severity::Problem),
        ] {
            observed.operator_lease = Ok(lease(holder, age));
            assert_eq!(severities(&operator(&observed)), [expected], "{holder} {age}");
        }
    }

    #[test]
    fn no_lease_is_a_problem_and_a_forbidden_one_unknown() {
        let mut observed = healthy();
        observed.operator_lease = Err(Unread::NotFound);
        assert_eq!(severities(&operator(&observed)), [Severity::Problem]);
        observed.operator = Err(Unread::NotFound);
        assert_eq!(severities(&operator(&observed)), [Severity::Skipped]);
        observed.operator_lease = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&operator(&observed)), [Severity::Skipped]);
    }
}
