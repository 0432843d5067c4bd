//! Finds tools that set `spec.replicas` of a scale target beside the HPA. Their next deploy undoes the HPA's
//! decision.
//!
//! Managed fields alone are no proof, because an Update also owns fields that the API server filled in. Three
//! things are taken as proof, in this order:
//!
//! 1. A server-side apply owns the field.
//! 2. The file in the annotation of `kubectl apply` has the field.
//! 3. A tool of [`RETURNING`] owns the field by an Update, and the value is not the default: a manifest
//!    without the field also gives 1. A value of 1 counts too if it is below `minReplicas`, because the HPA
//!    would have raised it.

use serde_json::Value;

use crate::doctor::{Finding, observed::Observed, view};
use vas_core::k8s::scale_target::ScaleTarget;

const LAST_APPLIED: &str = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

/// Parts of the names of field managers that deploy again and again, and set their fields each time.
const RETURNING: [&str; 9] = [
    "argocd",
    "helm",
    "kustomize-controller",
    "flux",
    "terraform",
    "hashicorp",
    "pulumi",
    "kapp",
    "fleet",
];

/// Checks the scale target of each workload with an HPA.
pub(in crate::doctor) fn check(observed: &Observed) -> Vec<Finding> {
    view::workloads(observed)
        .filter(|view| view.workload.has_hpa())
        .map(|view| {
            let object = view.target_name();
            match view.target() {
                Ok(target) => match pin(target, view.workload.widest().min) {
                    Some(manager) => Finding::warning(
                        object,
                        format!(
                            "spec.replicas is set by {manager}: the next deploy undoes what the HPA decided"
                        ),
                    )
                    .fix(fix(&manager)),
                    None => Finding::ok(object, "nothing else sets spec.replicas"),
                },
                Err(why) => Finding::skipped(object, why.to_string()),
            }
        })
        .collect()
}

/// The manager that sets the field at each deploy, if there is one.
fn pin(target: &ScaleTarget, min_replicas: i32) -> Option<String> {
    let entries = target
        .object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    let owners: Vec<(&str, bool)> = entries
        .into_iter()
        .flatten()
        // The HPA writes the scale subresource, so such an entry is no deploy.
        .filter(|entry| text(entry, "subresource") != "scale")
        .filter(|entry| entry.pointer("/fieldsV1/f:spec/f:replicas").is_some())
        .map(|entry| (text(entry, "manager"), text(entry, "operation") == "Apply"))
        .collect();
    if let Some((manager, _)) = owners.iter().find(|(_, applied)| *applied) {
        return Some((*manager).to_owned());
    }
    let last_applied = target
        .object
        .pointer(LAST_APPLIED)
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    let returning = |manager: &str| {
        let manager = manager.to_ascii_lowercase();
        RETURNING.iter().any(|name| manager.contains(name))
    };
    if let Some(file) = last_applied {
        // Argo CD writes the annotation as kubectl does. Its name helps the user more.
        let manager = entries
            .into_iter()
            .flatten()
            .map(|entry| text(entry, "manager"))
            .find(|manager| returning(manager))
            .unwrap_or("kubectl-client-side-apply");
        return file
            .pointer("/spec/replicas")
            .filter(|replicas| !replicas.is_null())
            .map(|_| manager.to_owned());
    }
    let not_the_default = target.replicas != 1 || target.replicas < min_replicas;
    owners
        .iter()
        .find(|(manager, _)| returning(manager) && not_the_default)
        .map(|(manager, _)| (*manager).to_owned())
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn fix(manager: &str) -> String {
    let lower = manager.to_ascii_lowercase();
    let omit = "leave spec.replicas out of the manifest";
    if lower.contains("argocd") {
        format!(
            "{omit}; or in the Application: ignoreDifferences: [{{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}}] and syncOptions: [RespectIgnoreDifferences=true]"
        )
    } else if lower.contains("helm") {
        "leave replicas out of the chart's template: {{- if not .Values.autoscaling.enabled }} around it, and enable that value".to_owned()
    } else if lower.contains("kustomize-controller") || lower.contains("flux") {
        format!("{omit}; Flux gives the field up at the next reconcile")
    } else if lower.contains("terraform") || lower.contains("hashicorp") {
        "lifecycle { ignore_changes = [spec[0].replicas] }".to_owned()
    } else if lower == "kubectl-client-side-apply" {
        format!(
            "kubectl apply edit-last-applied, and take spec.replicas out there; then {omit}. Applying such a manifest without that resets replicas to 1 once"
        )
    } else {
        format!("{omit}; with server-side apply the HPA then owns it alone")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities, target_mut},
    };

    fn entry(manager: &str, operation: &str, subresource: &str) -> Value {
        json!({"manager": manager, "operation": operation, "subresource": subresource,
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}})
    }

    fn found(entries: &[Value], annotation: Option<&str>, replicas: i32) -> Vec<Finding> {
        let mut observed = healthy();
        let target = target_mut(&mut observed);
        target.replicas = replicas;
        target.object["metadata"]["managedFields"] = json!(entries);
        if let Some(text) = annotation {
            target.object["metadata"]["annotations"] =
                json!({"kubectl.kubernetes.io/last-applied-configuration": text});
        }
        check(&observed)
    }

    #[test]
    fn the_scale_subresource_is_how_the_hpa_writes() {
        let hpa = entry("kube-controller-manager", "Update", "scale");
        assert_eq!(severities(&found(&[hpa], None, 5)), [Severity::Ok]);
    }

    #[test]
    fn server_side_apply_declares_what_it_owns() {
        let flux = entry("kustomize-controller", "Apply", "");
        let found = found(&[flux], None, 1);
        assert_eq!(severities(&found), [Severity::Warning]);
        assert!(found[0].message.contains("kustomize-controller"));
        assert!(found[0].fix.as_ref().unwrap().contains("Flux"));
    }

    #[test]
    fn the_annotation_of_kubectl_tells_whether_the_file_has_the_field() {
        let kubectl = entry("kubectl-client-side-apply", "Update", "");
        let hpa = entry("kube-controller-manager", "Update", "scale");
        let with = r#"{"spec": {"replicas": 2}}"#;
        for (entries, annotation, expected) in [
            (&[kubectl.clone()][..], r#"{"spec": {}}"#, Severity::Ok),
            (&[kubectl], with, Severity::Warning),
            // The HPA has written since, but the next apply resets the field all the same.
            (&[hpa], with, Severity::Warning),
        ] {
            assert_eq!(
                severities(&found(entries, Some(annotation), 2)),
                [expected],
                "{annotation}"
            );
        }
    }

    #[test]
    fn argo_cd_is_named_though_it_applies_like_kubectl() {
        let argo = entry("argocd-controller", "Update", "");
        let found = found(&[argo], Some(r#"{"spec": {"replicas": 2}}"#), 2);
        assert!(found[0].fix.as_ref().unwrap().contains("ignoreDifferences"));
    }

    #[test]
    fn helm_owns_a_default_too_so_the_number_tells() {
        let helm = || entry("helm", "Update", "");
        assert_eq!(severities(&found(&[helm()], None, 3)), [Severity::Warning]);
        // `minReplicas` is 2, so the HPA would have raised a 1. Helm must have set it back.
        assert_eq!(severities(&found(&[helm()], None, 1)), [Severity::Warning]);
        assert_eq!(
            severities(&found(&[entry("kubectl-create", "Update", "")], None, 3)),
            [Severity::Ok]
        );
    }
}
