//! Finds several autoscalers over the same pods. They undo each other's work, or the HPA controller refuses
//! both.

use std::collections::BTreeMap;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::Value;

use crate::doctor::{
    Finding,
    observed::Observed,
    view::{self, WorkloadView},
};
use vas_api::{LABEL_MANAGED_BY, MANAGED_BY, v1alpha1::ResourceName};
use vas_core::{
    k8s::{api_version, label_selector::LabelSelector, read::Unread, scale_target::TargetId},
    spec::model::Source,
};

/// Whether each target has only one HPA.
pub(in crate::doctor) fn hpas(observed: &Observed) -> Vec<Finding> {
    view::workloads(observed)
        .map(|view| {
            let object = view.target_name();
            let hpas = match &view.namespace.hpas {
                Ok(hpas) => hpas,
                Err(why) => return Finding::skipped(object, format!("HorizontalPodAutoscalers: {why}")),
            };
            let own = view.scaling.key.child_name(&view.workload.name);
            let others: Vec<&str> = hpas
                .iter()
                .filter(|hpa| scales(hpa, &view))
                .filter_map(|hpa| hpa.metadata.name.as_deref())
                .filter(|name| *name != own)
                .collect();
            if let Some(first) = others.first() {
                Finding::problem(
                    object,
                    format!("HorizontalPodAutoscaler {} scales it too", others.join(", ")),
                )
                .fix(format!(
                    "kubectl -n {} delete hpa {first}",
                    view.scaling.key.namespace
                ))
            } else {
                Finding::ok(object, "no other HPA scales it")
            }
        })
        .collect()
}

fn scales(hpa: &HorizontalPodAutoscaler, view: &WorkloadView<'_>) -> bool {
    let of = &hpa.spec.scale_target_ref;
    let version = of.api_version.as_deref().unwrap_or_default();
    of.kind == view.workload.target.kind
        && of.name == view.workload.target.name
        && api_version::group(version) == api_version::group(&view.workload.target.api_version)
}

/// Whether each pod belongs to only one target. The HPA controller counts pods by selector.
pub(in crate::doctor) fn targets(observed: &Observed) -> Vec<Finding> {
    observed
        .namespaces
        .iter()
        .filter(|(_, seen)| !seen.targets.is_empty())
        .flat_map(|(namespace, seen)| {
            let object = format!("pods of namespace {namespace}");
            let pods = match &seen.pods {
                Ok(pods) => pods,
                Err(why) => return vec![Finding::skipped(object, why.to_string())],
            };
            let selectors: Vec<(&TargetId, LabelSelector)> = seen
                .targets
                .iter()
                .filter_map(|(id, read)| Some((id, read.as_ref().ok()?.pods()?)))
                .collect();
            // One pod as the example for each set of targets that share pods.
            let mut shared: BTreeMap<Vec<String>, String> = BTreeMap::new();
            for pod in pods.iter().filter(|pod| view::is_live(pod)) {
                let labels = pod.metadata.labels.clone().unwrap_or_default();
                let owners: Vec<String> = selectors
                    .iter()
                    .filter(|(_, selector)| selector.matches(&labels))
                    .map(|(id, _)| format!("{} {}", id.kind, id.name))
                    .collect();
                if owners.len() > 1 {
                    shared.entry(owners).or_insert_with(|| pod.metadata.name.clone().unwrap_or_default());
                }
            }
            if shared.is_empty() {
                return vec![Finding::ok(object, "each belongs to at most one scale target")];
            }
            shared
                .into_iter()
                .map(|(owners, pod)| {
                    Finding::problem(
                        format!("Pod {namespace}/{pod}"),
                        format!("is selected by {}: the HPA controller refuses both (AmbiguousSelector)", owners.join(" and ")),
                    )
                    .fix("give the targets selectors that tell their pods apart; a selector cannot be changed, so make them anew")
                })
                .collect()
        })
        .collect()
}

/// Whether a VPA changes the requests to which the utilization of an HPA relates.
pub(in crate::doctor) fn vpas(observed: &Observed) -> Vec<Finding> {
    view::workloads(observed)
        .filter(WorkloadView::uses_resource_metrics)
        .map(|view| {
            let object = view.target_name();
            let vpas = match &view.namespace.vpas {
                Ok(vpas) => vpas,
                Err(Unread::NotFound) => return Finding::ok(object, "the cluster has no VPA"),
                Err(why) => return Finding::skipped(object, format!("VerticalPodAutoscalers: {why}")),
            };
            let resources: Vec<&str> = view
                .workload
                .metrics
                .iter()
                .filter_map(|metric| match &metric.source {
                    Source::Resource { name, .. } | Source::ContainerResource { name, .. } => Some(match name {
                        ResourceName::Cpu => "cpu",
                        ResourceName::Memory => "memory",
                    }),
                    Source::Prometheus(_) => None,
                })
                .collect();
            // A VPA in mode Off only recommends.
            let fighting = vpas.iter().find_map(|vpa| {
                if !is_about(vpa, &view) || is_ours(vpa) || text(vpa, "/spec/updatePolicy/updateMode") == Some("Off") {
                    return None;
                }
                let resource = resources.iter().find(|resource| controls(vpa, resource))?;
                Some((text(vpa, "/metadata/name").unwrap_or_default(), *resource))
            });
            match fighting {
                Some((name, resource)) => Finding::warning(
                    object,
                    format!("VerticalPodAutoscaler {name} changes requests.{resource}, which the HPA measures against: they push each other"),
                )
                .fix(format!(
                    "kubectl -n {} patch vpa {name} --type=merge -p '{{\"spec\":{{\"updatePolicy\":{{\"updateMode\":\"Off\"}}}}}}', or use vertical in the VoiceAssistScaling",
                    view.scaling.key.namespace
                )),
                None => Finding::ok(object, "no VPA of others changes what its HPA measures against"),
            }
        })
        .collect()
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

fn is_about(vpa: &Value, view: &WorkloadView<'_>) -> bool {
    text(vpa, "/spec/targetRef/kind") == Some(&view.workload.target.kind)
        && text(vpa, "/spec/targetRef/name") == Some(&view.workload.target.name)
}

/// Whether the operator wrote the VPA. The rules of the resource keep such a VPA and an HPA from conflicting.
fn is_ours(vpa: &Value) -> bool {
    let labels = vpa.pointer("/metadata/labels");
    let value = labels.and_then(|labels| labels.get(LABEL_MANAGED_BY));
    value.and_then(Value::as_str) == Some(MANAGED_BY)
}

/// Whether the VPA may change this resource of any container. Without a policy it may change all.
fn controls(vpa: &Value, resource: &str) -> bool {
    let policies = vpa
        .pointer("/spec/resourcePolicy/containerPolicies")
        .and_then(Value::as_array);
    let Some(policies) = policies.filter(|policies| !policies.is_empty()) else {
        return true;
    };
    policies.iter().any(|policy| {
        if policy.get("mode").and_then(Value::as_str) == Some("Off") {
            return false;
        }
        let listed = policy.get("controlledResources").and_then(Value::as_array);
        listed.is_none_or(|listed| listed.iter().any(|one| one == resource))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities, target_mut},
    };

    #[test]
    fn a_second_hpa_on_the_target_is_named() {
        let mut observed = healthy();
        let hpas_of =
            |observed: &mut Observed| observed.namespaces.get_mut("prod").unwrap().hpas.clone().unwrap();
        let mut list = hpas_of(&mut observed);
        let mut other = list[0].clone();
        other.metadata.name = Some("by-hand".to_owned());
        list.push(other);
        observed.namespaces.get_mut("prod").unwrap().hpas = Ok(list);
        let found = hpas(&observed);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(found[0].fix.as_ref().unwrap().ends_with("delete hpa by-hand"));
        observed.namespaces.get_mut("prod").unwrap().hpas = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&hpas(&observed)), [Severity::Skipped]);
    }

    #[test]
    fn a_pod_of_two_targets_is_a_problem() {
        let mut observed = healthy();
        let mut second = target_mut(&mut observed).clone();
        second.selector = "tier=web".to_owned();
        let id = TargetId {
            kind: "Deployment".to_owned(),
            name: "other".to_owned(),
        };
        let namespace = observed.namespaces.get_mut("prod").unwrap();
        namespace.targets.insert(id, Ok(second));
        assert_eq!(severities(&targets(&observed)), [Severity::Ok]);
        for pod in observed
            .namespaces
            .get_mut("prod")
            .unwrap()
            .pods
            .as_mut()
            .unwrap()
        {
            pod.metadata
                .labels
                .as_mut()
                .unwrap()
                .insert("tier".to_owned(), "web".to_owned());
        }
        let found = targets(&observed);
        assert_eq!(severities(&found), [Severity::Problem]);
        assert!(
            found[0]
                .message
                .contains("Deployment gateway and Deployment other")
        );
    }

    #[test]
    fn a_vpa_on_the_same_resource_fights_unless_it_only_recommends() {
        let vpa = |mode: &str, resources: &[&str]| {
            json!({"metadata": {"name": "v"}, "spec": {"targetRef": {"kind": "Deployment", "name": "gateway"},
                "updatePolicy": {"updateMode": mode},
                "resourcePolicy": {"containerPolicies": [{"containerName": "*", "controlledResources": resources}]}}})
        };
        let mut observed = healthy();
        for (mode, resources, expected) in [
            ("Recreate", &["cpu"][..], Severity::Warning),
            ("Recreate", &["memory"], Severity::Ok),
            ("Off", &["cpu"], Severity::Ok),
        ] {
            observed.namespaces.get_mut("prod").unwrap().vpas = Ok(vec![vpa(mode, resources)]);
            assert_eq!(severities(&vpas(&observed)), [expected], "{mode} {resources:?}");
        }
        observed.namespaces.get_mut("prod").unwrap().vpas = Err(Unread::Failed("no".to_owned()));
        assert_eq!(severities(&vpas(&observed)), [Severity::Skipped]);
    }
}
