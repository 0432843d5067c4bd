//! Finds the label that names an object, by `resources.overrides` and `resources.template`.

use super::config::Resources;

impl Resources {
    /// The label that names objects of a kind. `kind` is singular and lowercase, such as `deployment`.
    pub(super) fn label(&self, group: &str, kind: &str) -> Option<String> {
        let named = self.overrides.iter().find(|(_, one)| {
            (one.group == group || one.group.is_empty()) && is_resource(&one.resource, kind)
        });
        if let Some((label, _)) = named {
            return Some(label.clone());
        }
        if self.template.is_empty() {
            return None;
        }
        let compact: String = self.template.split_whitespace().collect();
        let label = compact
            .replace("<<.Group>>", &group.replace(['.', '-'], "_"))
            .replace("<<.Resource>>", kind);
        Some(label).filter(|label| !label.contains("<<"))
    }

    /// The label that names namespaces.
    pub(super) fn namespace(&self) -> Option<String> {
        self.label("", "namespace")
    }

    /// The label that names pods.
    pub(super) fn pod(&self) -> Option<String> {
        self.label("", "pod")
    }

    /// Whether an override names objects other than namespaces and nodes.
    pub(super) fn has_objects(&self) -> bool {
        let mut resources = self.overrides.values().map(|one| one.resource.as_str());
        resources.any(|one| !is_resource(one, "namespace") && !is_resource(one, "node"))
    }
}

/// Whether `resource`, singular or plural, is the resource of `kind`. Plurals are formed as in the Kubernetes
/// API: `ingresses` of `ingress`, `policies` of `policy`.
fn is_resource(resource: &str, kind: &str) -> bool {
    let resource = resource.to_ascii_lowercase();
    let plural = if let Some(stem) = kind.strip_suffix('y') {
        format!("{stem}ies")
    } else if kind.ends_with('s') || kind.ends_with("ch") || kind.ends_with("sh") {
        format!("{kind}es")
    } else {
        format!("{kind}s")
    };
    resource == kind || resource == plural || resource == format!("{kind}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_known_in_singular_and_plural() {
        for (resource, kind) in [
            ("ingress", "ingress"),
            ("ingresses", "ingress"),
            ("pods", "pod"),
            ("Service", "service"),
            ("networkpolicies", "networkpolicy"),
        ] {
            assert!(is_resource(resource, kind), "{resource} {kind}");
        }
        assert!(!is_resource("ingres", "ingress"));
        assert!(!is_resource("pod", "podset"));
    }

    #[test]
    fn a_template_takes_group_and_resource() {
        let resources = Resources {
            template: "kube_<< .Group >>_<<.Resource>>".to_owned(),
            ..Resources::default()
        };
        assert_eq!(
            resources.label("networking.k8s.io", "ingress").as_deref(),
            Some("kube_networking_k8s_io_ingress")
        );
        assert_eq!(resources.namespace().as_deref(), Some("kube__namespace"));
    }
}
