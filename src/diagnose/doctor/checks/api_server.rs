//! Checks of the API server itself.

use crate::doctor::{Finding, observed::Observed};
use vas_core::k8s::read::Unread;

/// Oldest and newest minor version of Kubernetes 1 that vas supports.
const SUPPORTED: (u32, u32) = (33, 37);

const OBJECT: &str = "API server";

/// Whether the API server answers.
pub(in crate::doctor) fn reachable(observed: &Observed) -> Vec<Finding> {
    vec![match &observed.server {
        Ok(_) => Finding::ok(OBJECT, "answers"),
        // A refusal is an answer, so the API server can be reached.
        Err(Unread::Forbidden(words)) => Finding::skipped(OBJECT, format!("/version is refused: {words}")),
        Err(why) => Finding::problem(OBJECT, format!("/version: {why}"))
            .fix("kubectl cluster-info; check --kubeconfig, --context and the network"),
    }]
}

/// Whether vas supports the version of the API server.
pub(in crate::doctor) fn version(observed: &Observed) -> Vec<Finding> {
    let (oldest, newest) = SUPPORTED;
    vec![match &observed.server {
        Ok(server) => match server.number {
            Some((1, minor)) if (oldest..=newest).contains(&minor) => {
                Finding::ok(OBJECT, format!("Kubernetes {}", server.name))
            }
            _ => Finding::warning(
                OBJECT,
                format!(
                    "Kubernetes {}: this version of vas is meant for 1.{oldest} to 1.{newest}",
                    server.name
                ),
            )
            .fix("use a version of vas whose README names this version of Kubernetes"),
        },
        Err(why) => Finding::skipped(OBJECT, format!("version: {why}")),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        Severity,
        observed::ServerVersion,
        testing::{healthy, severities},
    };

    fn with_minor(minor: u32) -> Observed {
        let mut observed = healthy();
        observed.server = Ok(ServerVersion {
            number: Some((1, minor)),
            name: format!("v1.{minor}.0"),
        });
        observed
    }

    #[test]
    fn versions_outside_the_range_are_pointed_out() {
        for (minor, expected) in [
            (32, Severity::Warning),
            (33, Severity::Ok),
            (37, Severity::Ok),
            (38, Severity::Warning),
        ] {
            assert_eq!(severities(&version(&with_minor(minor))), [expected], "{minor}");
        }
    }

    #[test]
    fn no_answer_is_a_problem_and_leaves_the_version_unknown() {
        let mut observed = healthy();
        observed.server = Err(Unread::Failed("connection refused".to_owned()));
        assert_eq!(severities(&reachable(&observed)), [Severity::Problem]);
        assert_eq!(severities(&version(&observed)), [Severity::Skipped]);
        assert!(reachable(&observed)[0].message.contains("connection refused"));
    }
}
