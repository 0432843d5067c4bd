//! A Deployment or StatefulSet as a target. Only the selector of its pods and their template are parsed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::{Deserialize, Deserializer, Serialize};

use crate::pruned::Pruned;
use vas_core::{
    k8s::{label_selector, pod_template::Template},
    reconcile::observed::{PodTemplate, Target},
};

/// The part of a target that is kept, as JSON text. Equal targets have equal text, so a change of the
/// replicas alone is no change here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known(Box<str>);

#[derive(Deserialize, Serialize)]
struct Content {
    /// The selector in its text form, as the `scale` subresource of any other kind spells it.
    selector: String,
    template: Option<PodTemplate>,
}

/// A target as the answers of the API server bring it.
pub(crate) type TargetObject = Pruned<Known>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    namespace: Option<String>,
    name: Option<String>,
    resource_version: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    metadata: Metadata,
    #[serde(default)]
    spec: Option<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    selector: Option<LabelSelector>,
    #[serde(default)]
    template: Option<Template>,
}

impl Known {
    /// The target as the planner takes it.
    pub(super) fn target(&self) -> Target {
        // This module wrote the text, so it parses. If it did not, the target would count as one without a
        // selector.
        let content = serde_json::from_str(&self.0).unwrap_or(Content {
            selector: String::new(),
            template: None,
        });
        Target::Found {
            selector: super::pods(&content.selector),
            template: content.template,
        }
    }
}

impl<'de> Deserialize<'de> for TargetObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Sent { metadata, spec } = Sent::deserialize(deserializer)?;
        let (selector, template) = spec.map_or((None, None), |spec| (spec.selector, spec.template));
        let selector = selector.as_ref().map(label_selector::LabelSelector::from);
        let content = Content {
            selector: selector.unwrap_or_default().to_string(),
            template: template.and_then(Template::read),
        };
        let known = serde_json::to_string(&content).map_err(serde::de::Error::custom)?;
        let known = Known(known.into_boxed_str());
        Ok(Self::new(
            metadata.namespace,
            metadata.name,
            metadata.resource_version,
            Some(known),
        ))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(in crate::targets) fn object(name: &str, selector: Value, replicas: i32) -> TargetObject {
        serde_json::from_value(json!({
            "metadata": {"namespace": "ns", "name": name, "resourceVersion": "1", "managedFields": [{"manager": "m"}]},
            "spec": {"replicas": replicas, "selector": selector, "template": {
                "metadata": {"labels": {"app": name, "tier": "voice"}},
                "spec": {"containers": [{"name": "app", "image": "i", "resources": {"requests": {"cpu": "100m"}}}]}}},
            "status": {"replicas": replicas},
        }))
        .unwrap()
    }

    #[test]
    fn the_selector_is_what_a_scale_subresource_says() {
        let selector = json!({"matchLabels": {"app": "w"}, "matchExpressions": [
            {"key": "env", "operator": "In", "values": ["a"]}, {"key": "old", "operator": "DoesNotExist"}]});
        let target = object("w", selector, 1).into_parts().unwrap().1.target();
        let expected: label_selector::LabelSelector = "app=w,env in (a),!old".parse().unwrap();
        assert_eq!(target.selector(), Some(&expected));
        assert_eq!(target.pod_labels()["tier"], "voice");
    }

    #[test]
    fn replicas_make_no_difference() {
        let selector = json!({"matchLabels": {"app": "w"}});
        assert_eq!(
            object("w", selector.clone(), 1).into_parts().unwrap().1,
            object("w", selector, 9).into_parts().unwrap().1
        );
    }

    #[test]
    fn one_without_a_selector_has_none() {
        assert_eq!(
            object("w", json!(null), 1)
                .into_parts()
                .unwrap()
                .1
                .target()
                .selector(),
            None
        );
    }
}
