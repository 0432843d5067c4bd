//! Checks of the two Deployments of an installation.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Container, PodTemplateSpec},
};

use crate::doctor::{Finding, observed::Observed};
use vas_core::k8s::{
    label_selector::LabelSelector,
    read::{Read, Unread},
};

const OPERATOR: &str = "vas-operator";
const METRICS_SERVER: &str = "vas-metrics-server";

/// Whether the operator runs.
pub(in crate::doctor) fn operator(observed: &Observed) -> Vec<Finding> {
    check(observed, OPERATOR, &observed.operator)
}

/// Whether the metrics server runs.
pub(in crate::doctor) fn metrics_server(observed: &Observed) -> Vec<Finding> {
    check(observed, METRICS_SERVER, &observed.metrics_server)
}

fn check(observed: &Observed, name: &str, read: &Read<Deployment>) -> Vec<Finding> {
    let namespace = &observed.install_namespace;
    let object = format!("Deployment {namespace}/{name}");
    let deployment = match read {
        Ok(deployment) => deployment,
        Err(Unread::NotFound) => {
            return vec![
                Finding::problem(object, format!("does not exist in namespace {namespace}"))
                    .fix("kubectl apply -k manifests/install, or name the right namespace with --install-namespace"),
            ];
        }
        Err(why) => return vec![Finding::skipped(object, why.to_string())],
    };
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let available = deployment
        .status
        .as_ref()
        .and_then(|status| status.available_replicas)
        .unwrap_or(0);
    let look = format!("kubectl -n {namespace} describe pods -l app.kubernetes.io/name={name}");
    vec![if available == 0 {
        let finding = Finding::problem(
            object,
            format!("status.availableReplicas is 0 of {wanted}: nothing runs"),
        );
        if wanted == 0 {
            finding.fix(format!(
                "kubectl -n {namespace} scale deployment {name} --replicas=2"
            ))
        } else {
            finding.fix(look)
        }
    } else if available < wanted {
        Finding::warning(
            object,
            format!("status.availableReplicas is {available} of {wanted}"),
        )
        .fix(look)
    } else if wanted < 2 {
        Finding::warning(
            object,
            format!("spec.replicas is {wanted}: while its pod moves, nothing does its work"),
        )
        .fix(format!(
            "kubectl -n {namespace} scale deployment {name} --replicas=2"
        ))
    } else {
        Finding::ok(object, format!("{available} of {wanted} replicas available"))
    }]
}

/// Whether both Deployments run the version of this binary.
pub(in crate::doctor) fn versions_equal(observed: &Observed) -> Vec<Finding> {
    let object = format!("Deployments of namespace {}", observed.install_namespace);
    let (operator, server) = match (&observed.operator, &observed.metrics_server) {
        (Ok(operator), Ok(server)) => (image(operator), image(server)),
        (Err(why), _) | (_, Err(why)) => {
            return vec![Finding::skipped(object, format!("a Deployment: {why}"))];
        }
    };
    let own = env!("CARGO_PKG_VERSION");
    vec![if operator != server {
        Finding::warning(
            object,
            format!("the images differ: {OPERATOR} runs {operator}, {METRICS_SERVER} runs {server}"),
        )
        .fix("set both images to one version in your kustomization (images:) and apply it")
    } else if let Some(version) = version(&operator).filter(|version| *version != own) {
        Finding::warning(
            object,
            format!("the image {operator} is version {version}, and this vas is {own}"),
        )
        .fix(format!(
            "use vas {version} for this check, or upgrade the installation"
        ))
    } else {
        Finding::ok(object, format!("both run {operator}"))
    }]
}

/// Whether budgets keep evictions from taking all replicas at once.
pub(in crate::doctor) fn budgets(observed: &Observed) -> Vec<Finding> {
    let pdbs = match &observed.install_pdbs {
        Ok(pdbs) => pdbs,
        Err(why) => return vec![Finding::skipped("PodDisruptionBudgets", why.to_string())],
    };
    [
        (OPERATOR, &observed.operator),
        (METRICS_SERVER, &observed.metrics_server),
    ]
    .into_iter()
    .map(|(name, read)| {
        let object = format!("Deployment {}/{name}", observed.install_namespace);
        let deployment = match read {
            Ok(deployment) => deployment,
            Err(why) => return Finding::skipped(object, why.to_string()),
        };
        let metadata = template(deployment).metadata.as_ref();
        let labels = metadata
            .and_then(|metadata| metadata.labels.clone())
            .unwrap_or_default();
        let covered = pdbs.iter().any(|pdb| {
            let selector = pdb.spec.as_ref().and_then(|spec| spec.selector.as_ref());
            selector.is_some_and(|selector| LabelSelector::from(selector).matches(&labels))
        });
        if covered {
            Finding::ok(object, "has a PodDisruptionBudget")
        } else {
            Finding::warning(
                object,
                "no PodDisruptionBudget covers its pods: a drain may evict all at once",
            )
            .fix("kubectl apply -k manifests/install")
        }
    })
    .collect()
}

fn template(deployment: &Deployment) -> &PodTemplateSpec {
    &deployment.spec.template
}

fn container(deployment: &Deployment) -> Option<&Container> {
    let containers = &template(deployment).spec.as_ref()?.containers;
    // A service mesh may inject a sidecar, which must not be taken for vas.
    containers
        .iter()
        .find(|container| container.name == "vas")
        .or(containers.first())
}

fn image(deployment: &Deployment) -> String {
    container(deployment)
        .and_then(|container| container.image.clone())
        .unwrap_or_default()
}

/// The tag of an image, if it is a version.
fn version(image: &str) -> Option<&str> {
    let image = image.split('@').next()?;
    let tag = image.rsplit('/').next()?.split_once(':')?.1;
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    tag.starts_with(|char: char| char.is_ascii_digit()).then_some(tag)
}

/// Name of the service account of a Deployment.
#[must_use]
pub fn service_account(deployment: &Deployment) -> Option<&str> {
    template(deployment)
        .spec
        .as_ref()?
        .service_account_name
        .as_deref()
}

/// A setting of a Deployment: `--flag=value`, `--flag value`, or the environment variable. A flag wins over
/// the variable, as in vas itself.
#[must_use]
pub fn setting<'a>(deployment: Option<&'a Deployment>, flag: &str, variable: &str) -> Option<&'a str> {
    let container = container(deployment?)?;
    let args = container.args.as_deref().unwrap_or_default();
    let mut value = None;
    for (position, argument) in args.iter().enumerate() {
        if let Some(rest) = argument.strip_prefix(flag) {
            match rest.strip_prefix('=') {
                Some(given) => value = Some(given),
                None if rest.is_empty() => value = args.get(position + 1).map(String::as_str),
                None => {}
            }
        }
    }
    let variables = container.env.iter().flatten();
    value.or_else(|| {
        variables
            .filter(|entry| entry.name == variable)
            .find_map(|entry| entry.value.as_deref())
            .filter(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{deployment, healthy, severities},
    };

    fn with(change: impl Fn(&mut Deployment)) -> Observed {
        let mut observed = healthy();
        change(observed.operator.as_mut().unwrap());
        observed
    }

    #[test]
    fn replicas_that_are_away_are_a_problem_when_none_is_left() {
        let available = |count: i32| {
            with(|deployment| deployment.status.as_mut().unwrap().available_replicas = Some(count))
        };
        for (count, expected) in [(0, Severity::Problem), (1, Severity::Warning), (2, Severity::Ok)] {
            assert_eq!(severities(&operator(&available(count))), [expected], "{count}");
        }
    }

    #[test]
    fn one_replica_is_too_few_and_none_at_all_is_a_problem() {
        let single = with(|deployment| {
            deployment.spec.replicas = Some(1);
            deployment.status.as_mut().unwrap().available_replicas = Some(1);
        });
        assert_eq!(severities(&operator(&single)), [Severity::Warning]);
        let mut absent = healthy();
        absent.operator = Err(Unread::NotFound);
        let found = operator(&absent);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(found[0].fix.as_ref().unwrap().contains("--install-namespace"));
        assert_eq!(severities(&versions_equal(&absent)), [Severity::Skipped]);
    }

    #[test]
    fn images_must_agree_with_each_other_and_with_this_binary() {
        let image = |name: &str| {
            let mut observed = healthy();
            observed.operator = Ok(deployment("vas-operator", &json!({"image": name})));
            observed
        };
        let own = concat!("voiceassist/vas:", env!("CARGO_PKG_VERSION"));
        assert_eq!(severities(&versions_equal(&image(own))), [Severity::Ok]);
        assert_eq!(
            severities(&versions_equal(&image("voiceassist/vas:9"))),
            [Severity::Warning]
        );
        let mut old = image("r:5000/vas:0.0.1");
        old.metrics_server.clone_from(&old.operator);
        assert!(versions_equal(&old)[0].message.contains("is version 0.0.1"));
    }

    #[test]
    fn versions_are_read_off_tags_alone() {
        assert_eq!(version("r.example:5000/a/vas:v1.2.3@sha256:00"), Some("1.2.3"));
        assert_eq!(version("r.example:5000/a/vas"), None);
        assert_eq!(version("vas:latest"), None);
    }

    #[test]
    fn flags_and_variables_are_read_as_vas_reads_them() {
        let read = |container: &serde_json::Value| {
            let deployment = deployment("x", container);
            setting(Some(&deployment), "--prometheus-url", "VAS_PROMETHEUS_URL").map(str::to_owned)
        };
        let env = json!([{"name": "VAS_PROMETHEUS_URL", "value": "http://env"}]);
        assert_eq!(read(&json!({"env": env})).as_deref(), Some("http://env"));
        for args in [
            json!(["--prometheus-url=http://a"]),
            json!(["--prometheus-url", "http://a"]),
        ] {
            assert_eq!(
                read(&json!({"args": args, "env": env})).as_deref(),
                Some("http://a")
            );
        }
        assert_eq!(read(&json!({"args": ["--prometheus-url-other=x"]})), None);
    }

    #[test]
    fn a_deployment_without_budget_is_pointed_out() {
        let mut observed = healthy();
        observed.install_pdbs.as_mut().unwrap().remove(0);
        assert_eq!(severities(&budgets(&observed)), [Severity::Warning, Severity::Ok]);
        observed.install_pdbs = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&budgets(&observed)), [Severity::Skipped]);
    }
}
