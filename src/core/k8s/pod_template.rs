//! Reads from a pod template what budgets and quotas need: labels and requests.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::api::resource::Quantity};
use serde::Deserialize;
use serde_json::Value;

use super::quantity::{self, Amount};
use crate::reconcile::observed::PodTemplate;

/// `spec.template` of a workload object. Only the fields that are needed are parsed.
#[derive(Debug, Deserialize)]
pub struct Template {
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    spec: Option<Spec>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct Spec {
    #[serde(default)]
    containers: Option<Vec<Container>>,
}

#[derive(Debug, Deserialize)]
struct Container {
    #[serde(default)]
    resources: Option<ResourceRequirements>,
}

/// Reads `spec.template` of a workload object; `None` if the object has no pod template.
pub fn read(object: &Value) -> Option<PodTemplate> {
    let template = object.pointer("/spec/template")?;
    let template: Template = serde_json::from_value(template.clone()).ok()?;
    template.read()
}

impl Template {
    /// Labels and requests of the template; `None` if it has no pod spec.
    pub fn read(self) -> Option<PodTemplate> {
        let containers = self.spec?.containers.unwrap_or_default();
        let labels = self.metadata.and_then(|metadata| metadata.labels);
        Some(PodTemplate {
            labels: labels.unwrap_or_default(),
            requests: requests(containers),
        })
    }
}

/// Sums up requests and limits of all containers, by the names that quotas use. A limit replaces a missing
/// request, as in the API server. Init containers and defaults of the namespace are left out, so the sum may
/// be too small, and never too large.
fn requests(containers: Vec<Container>) -> BTreeMap<String, Quantity> {
    let mut totals: BTreeMap<String, Amount> = BTreeMap::new();
    for container in containers {
        let resources = container.resources.unwrap_or_default();
        let limits = resources.limits.unwrap_or_default();
        let mut requests = limits.clone();
        requests.extend(resources.requests.unwrap_or_default());
        for (prefix, amounts) in [("requests", requests), ("limits", limits)] {
            for (resource, amount) in amounts {
                if let Ok(amount) = quantity::parse(&amount) {
                    let total = totals
                        .entry(format!("{prefix}.{resource}"))
                        .or_insert(Amount::ZERO);
                    *total = total.plus(amount);
                }
            }
        }
    }
    totals
        .into_iter()
        .map(|(resource, total)| (resource, Quantity(format!("{}m", total.milli_ceil()))))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn containers_add_up_and_limits_stand_in_for_requests() {
        let template = read(&json!({"spec": {"template": {
            "metadata": {"labels": {"app": "gateway"}},
            "spec": {"containers": [
                {"name": "a", "resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "1Gi"}}},
                {"name": "b", "resources": {"requests": {"cpu": "1"}}},
            ]},
        }}}))
        .unwrap();
        assert_eq!(template.labels["app"], "gateway");
        assert_eq!(template.requests["requests.cpu"].0, "1250m");
        assert_eq!(
            quantity::parse(&template.requests["requests.memory"]),
            quantity::parse_str("1Gi")
        );
        assert!(!template.requests.contains_key("limits.cpu"));
    }

    #[test]
    fn an_object_without_pod_template_has_none() {
        assert_eq!(read(&json!({"spec": {"replicas": 1}})), None);
    }
}
