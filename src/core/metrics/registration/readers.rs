//! Which HPAs read a group of the metrics API, so that who takes it over knows whom that concerns.

use std::fmt;

use k8s_openapi::{
    api::autoscaling::v2::HorizontalPodAutoscaler, apimachinery::pkg::apis::meta::v1::OwnerReference,
};

use super::MetricsApi;
use vas_api::GROUP;

/// Greatest number of HPAs that a message names. The others are counted.
const NAMED: usize = 20;

/// HPAs that read a group of the metrics API and do not belong to a `VoiceAssistScaling`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    named: Vec<String>,
    more: usize,
}

impl Readers {
    /// Counts the HPA if it reads `api` and is nobody's child here.
    pub fn see(&mut self, api: MetricsApi, hpa: &HorizontalPodAutoscaler) {
        let mut owners = hpa.metadata.owner_references.iter().flatten();
        if !reads(api, hpa) || owners.any(is_ours) {
            return;
        }
        if self.named.len() == NAMED {
            self.more = self.more.saturating_add(1);
        } else {
            let part = |text: &Option<String>| text.clone().unwrap_or_default();
            self.named.push(format!(
                "{}/{}",
                part(&hpa.metadata.namespace),
                part(&hpa.metadata.name)
            ));
        }
    }

    /// Whether no HPA was counted.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}

/// `shop/web, shop/worker and 3 more`, or `none`.
impl fmt::Display for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        f.write_str(&self.named.join(", "))?;
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        Ok(())
    }
}

fn is_ours(owner: &OwnerReference) -> bool {
    owner.api_version.split('/').next() == Some(GROUP)
}

fn reads(api: MetricsApi, hpa: &HorizontalPodAutoscaler) -> bool {
    let mut metrics = hpa.spec.metrics.iter().flatten();
    metrics.any(|metric| {
        matches!(
            (api, metric.type_.as_str()),
            (MetricsApi::Custom, "Pods" | "Object") | (MetricsApi::External, "External")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn hpa(name: &str, kind: &str, owners: Value) -> HorizontalPodAutoscaler {
        serde_json::from_value(json!({
            "metadata": {"namespace": "shop", "name": name, "ownerReferences": owners},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "x"}, "maxReplicas": 2,
                "metrics": [{"type": "Resource"}, {"type": kind}]},
        }))
        .unwrap()
    }

    fn seen(api: MetricsApi, hpas: &[HorizontalPodAutoscaler]) -> String {
        let mut readers = Readers::default();
        for hpa in hpas {
            readers.see(api, hpa);
        }
        readers.to_string()
    }

    #[test]
    fn the_kind_of_a_metric_says_which_group_is_read() {
        let hpas = [
            hpa("pods", "Pods", json!([])),
            hpa("object", "Object", json!([])),
            hpa("external", "External", json!([])),
            hpa("cpu", "Resource", json!([])),
        ];
        assert_eq!(seen(MetricsApi::Custom, &hpas), "shop/pods, shop/object");
        assert_eq!(seen(MetricsApi::External, &hpas), "shop/external");
    }

    #[test]
    fn children_of_our_resources_lose_nothing() {
        let owner = json!([{"apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
            "name": "v", "uid": "u"}]);
        assert_eq!(seen(MetricsApi::Custom, &[hpa("ours", "Pods", owner)]), "none");
    }

    #[test]
    fn many_are_counted() {
        let hpas: Vec<_> = (0..23).map(|n| hpa(&n.to_string(), "Pods", json!([]))).collect();
        let text = seen(MetricsApi::Custom, &hpas);
        assert!(text.ends_with("shop/19 and 3 more"), "{text}");
    }
}
