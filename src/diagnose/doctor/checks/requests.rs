//! Checks the requests of containers. Utilization is a percentage of the requests, so without them the HPA
//! has no value.

use k8s_openapi::api::core::v1::{Container, PodSpec};

use crate::doctor::{Finding, observed::Observed, view};
use vas_api::v1alpha1::ResourceName;
use vas_core::spec::model::{ResourceTarget, Source};

/// Checks each workload with a utilization target.
pub(in crate::doctor) fn check(observed: &Observed) -> Vec<Finding> {
    view::workloads(observed).flat_map(|view| of(&view)).collect()
}

fn of(view: &view::WorkloadView<'_>) -> Vec<Finding> {
    let used: Vec<(&'static str, Option<&str>)> = view
        .workload
        .metrics
        .iter()
        .filter_map(|metric| match &metric.source {
            Source::Resource {
                name,
                target: ResourceTarget::AverageUtilization(_),
            } => Some((word(*name), None)),
            Source::ContainerResource {
                name,
                container,
                target: ResourceTarget::AverageUtilization(_),
            } => Some((word(*name), Some(container.as_str()))),
            _ => None,
        })
        .collect();
    if used.is_empty() {
        return Vec::new();
    }
    let object = view.target_name();
    let specs = match specs(view) {
        Ok(specs) => specs,
        Err(why) => return vec![Finding::skipped(object, why)],
    };
    let mut findings = Vec::new();
    for (resource, only) in used {
        let missing = specs.iter().find_map(|spec| {
            view::running_containers(spec)
                .filter(|container| only.is_none_or(|only| only == container.name))
                .find(|container| !requests(container, resource))
        });
        if let Some(only) = only
            && !specs
                .iter()
                .flat_map(view::running_containers)
                .any(|container| container.name == only)
        {
            findings.push(
                Finding::problem(
                    &object,
                    format!("has no container {only}, which containerResource names"),
                )
                .fix("correct containerResource.container"),
            );
        } else if let Some(container) = missing {
            findings.push(
                Finding::problem(
                    &object,
                    format!(
                        "container {}: resources.requests.{resource} is not set, and the HPA scales on its utilization",
                        container.name
                    ),
                )
                .fix(format!(
                    "set resources.requests.{resource}, add limits.limitRange.defaultRequest to the VoiceAssistScaling, or use averageValue"
                )),
            );
        } else {
            findings.push(Finding::ok(&object, format!("its containers request {resource}")));
        }
    }
    findings
}

/// The specs of the live pods, in which a LimitRange has filled in its defaults. Without a live pod, the pod
/// template.
fn specs(view: &view::WorkloadView<'_>) -> Result<Vec<PodSpec>, String> {
    let pods: Vec<PodSpec> = view
        .live_pods()
        .map(|pods| pods.into_iter().filter_map(|pod| pod.spec.clone()).collect())
        .unwrap_or_default();
    if !pods.is_empty() {
        return Ok(pods);
    }
    let target = view.target().map_err(|why| why.to_string())?;
    let spec = target.object.pointer("/spec/template/spec").cloned();
    let spec = spec.and_then(|spec| serde_json::from_value(spec).ok());
    spec.map(|spec| vec![spec])
        .ok_or_else(|| "has no live pod, and no pod template either".to_owned())
}

/// Whether a container requests the resource. A limit counts as the request, as in the API server.
pub(crate) fn requests(container: &Container, resource: &str) -> bool {
    let resources = container.resources.as_ref();
    let set = |amounts: &Option<std::collections::BTreeMap<String, _>>| {
        amounts
            .as_ref()
            .is_some_and(|amounts| amounts.contains_key(resource))
    };
    resources.is_some_and(|resources| set(&resources.requests) || set(&resources.limits))
}

fn word(name: ResourceName) -> &'static str {
    match name {
        ResourceName::Cpu => "cpu",
        ResourceName::Memory => "memory",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, pod, severities, target_mut},
    };
    use vas_core::k8s::read::Unread;

    #[test]
    fn a_container_without_request_is_named() {
        let mut observed = healthy();
        let bare = json!({"containers": [{"name": "app"}, {"name": "mesh"}]});
        observed.namespaces.get_mut("prod").unwrap().pods = Ok(vec![pod("gateway-1", &bare)]);
        let found = check(&observed);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(found[0].message.contains("container app: resources.requests.cpu"));
    }

    #[test]
    fn a_limit_stands_in_and_without_pods_the_template_counts() {
        let mut observed = healthy();
        observed.namespaces.get_mut("prod").unwrap().pods = Ok(vec![]);
        let limited = json!([{"name": "app", "resources": {"limits": {"cpu": "1"}}}]);
        target_mut(&mut observed).object["spec"]["template"]["spec"]["containers"] = limited;
        assert_eq!(severities(&check(&observed)), [Severity::Ok]);
        target_mut(&mut observed).object["spec"]["template"]["spec"]["containers"] = json!([{"name": "app"}]);
        assert_eq!(severities(&check(&observed)), [Severity::Problem]);
    }

    #[test]
    fn a_target_that_cannot_be_read_is_unknown() {
        let mut observed = healthy();
        let namespace = observed.namespaces.get_mut("prod").unwrap();
        for target in namespace.targets.values_mut() {
            *target = Err(Unread::Forbidden("no".to_owned()));
        }
        assert_eq!(severities(&check(&observed)), [Severity::Skipped]);
    }
}
