//! Checks that the service accounts have the rights that they need.

use std::collections::BTreeMap;

use super::{api_services, deployments};
use crate::doctor::{
    Finding,
    observed::{Observed, RightSeen},
    rights::{Account, Needed},
};
use vas_core::k8s::read::Unread;

/// If more rights than this are missing, they have one cause: a missing role or binding.
const MANY: usize = 4;

/// Targets that the operator watches if it may. Without that right it reads them one by one, so this is no
/// problem.
const WATCHED_TARGETS: [&str; 2] = ["deployments.apps", "statefulsets.apps"];

/// Whether the operator has its rights.
pub(in crate::doctor) fn operator(observed: &Observed) -> Vec<Finding> {
    check(observed, Account::Operator)
}

/// Whether the metrics server has its rights.
pub(in crate::doctor) fn metrics_server(observed: &Observed) -> Vec<Finding> {
    check(observed, Account::MetricsServer)
}

fn check(observed: &Observed, account: Account) -> Vec<Finding> {
    let asked: Vec<&RightSeen> = observed
        .rights
        .iter()
        .filter(|seen| seen.right.account == account && is_needed(observed, seen.right.needed))
        .collect();
    let name = asked.first().map_or(account.default_name(), |seen| &seen.account);
    let object = format!("ServiceAccount {}/{name}", observed.install_namespace);
    if asked.is_empty() {
        let why = observed.server.as_ref().err().cloned();
        let why = why.unwrap_or(Unread::NotAsked("its rights were not asked for".to_owned()));
        return vec![Finding::skipped(object, why.to_string())];
    }
    // All failed reviews have the same cause: the caller has no right to make them, or the API server does
    // not answer.
    if let Some(why) = asked.iter().find_map(|seen| seen.allowed.as_ref().err()) {
        return vec![
            Finding::skipped(object, format!("its rights are not known: {why}"))
                .fix("run as somebody who may create subjectaccessreviews.authorization.k8s.io"),
        ];
    }
    let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for seen in &asked {
        if seen.allowed == Ok(false) {
            let place = match seen.namespace.as_str() {
                "" => String::new(),
                namespace => format!(" in namespace {namespace}"),
            };
            missing
                .entry(format!("{}{place}", seen.right))
                .or_default()
                .push(seen.verb);
        }
    }
    if missing.is_empty() {
        return vec![Finding::ok(object, "may do all that it needs to")];
    }
    if missing.len() > MANY {
        let first = missing
            .first_key_value()
            .map(|(what, verbs)| format!("{} {what}", verbs.join(", ")));
        return vec![
            Finding::problem(
                object,
                format!(
                    "lacks {} rights, for example: {}",
                    missing.len(),
                    first.unwrap_or_default()
                ),
            )
            .fix("kubectl apply -k manifests/install: its ClusterRole or binding is not there"),
        ];
    }
    missing
        .into_iter()
        .map(|(what, verbs)| {
            let message = format!("may not {} {what}", verbs.join(", "));
            let only_watch = verbs.iter().all(|verb| matches!(*verb, "list" | "watch"));
            let finding = if only_watch && WATCHED_TARGETS.contains(&what.as_str()) {
                let so = "so it asks the API server for each target, and sees late what comes or goes";
                Finding::warning(&object, format!("{message}, {so}"))
            } else {
                Finding::problem(&object, message)
            };
            finding.fix(
                "kubectl apply -k manifests/install, and see which ClusterRole, Role or binding was changed",
            )
        })
        .collect()
}

fn is_needed(observed: &Observed, needed: Needed) -> bool {
    match needed {
        Needed::Always => true,
        Needed::ToManageLimits => deployments::setting(
            observed.operator.as_ref().ok(),
            "--manage-limits",
            "VAS_MANAGE_LIMITS",
        )
        .is_none_or(|value| value != "false"),
        Needed::ToShareCertificate => deployments::setting(
            observed.metrics_server.as_ref().ok(),
            "--tls-cert-file",
            "VAS_TLS_CERT_FILE",
        )
        .is_none(),
        Needed::ToShareCertificateOfExternal => {
            api_services::uses_external(observed) && is_needed(observed, Needed::ToShareCertificate)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{deployment, healthy, severities},
    };

    fn without(resource: &str, verb: &str) -> Observed {
        let mut observed = healthy();
        for seen in &mut observed.rights {
            if seen.right.resource == resource && seen.verb == verb {
                seen.allowed = Ok(false);
            }
        }
        observed
    }

    #[test]
    fn a_missing_verb_is_named_with_its_resource_and_account() {
        let found = operator(&without("horizontalpodautoscalers", "patch"));
        assert_eq!(severities(&found), [Severity::Problem]);
        assert_eq!(found[0].object, "ServiceAccount vas-system/vas-operator");
        assert_eq!(
            found[0].message,
            "may not patch horizontalpodautoscalers.autoscaling"
        );
        assert_eq!(
            severities(&metrics_server(&without("horizontalpodautoscalers", "patch"))),
            [Severity::Ok]
        );
    }

    #[test]
    fn where_targets_may_not_be_watched_that_is_a_warning_with_what_follows() {
        let found = operator(&without("deployments", "watch"));
        assert_eq!(severities(&found), [Severity::Warning]);
        assert_eq!(
            found[0].message,
            "may not watch deployments.apps, so it asks the API server for each target, and sees late what comes or goes"
        );
        assert_eq!(
            severities(&operator(&without("deployments", "get"))),
            [Severity::Problem]
        );
    }

    #[test]
    fn a_missing_role_is_one_problem() {
        let mut observed = healthy();
        for seen in &mut observed.rights {
            seen.allowed = Ok(false);
        }
        let found = metrics_server(&observed);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(
            found[0].message.contains("rights, for example: "),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn limits_need_no_right_where_they_are_switched_off() {
        let mut observed = without("limitranges", "create");
        assert_eq!(severities(&operator(&observed)), [Severity::Problem]);
        observed.operator = Ok(deployment(
            "vas-operator",
            &json!({"args": ["operator", "--manage-limits=false"]}),
        ));
        assert_eq!(severities(&operator(&observed)), [Severity::Ok]);
    }

    #[test]
    fn who_may_not_ask_does_not_know() {
        let mut observed = healthy();
        for seen in &mut observed.rights {
            seen.allowed = Err(Unread::Forbidden("cannot create subjectaccessreviews".to_owned()));
        }
        let found = operator(&observed);
        assert_eq!(severities(&found), [Severity::Skipped]);
        assert!(found[0].message.contains("subjectaccessreviews"));
    }
}
