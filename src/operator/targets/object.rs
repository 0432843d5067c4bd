//! A Deployment or StatefulSet as a target: which pods it has and what they are made of. Parsed no further than that.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::Selector;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    core::{
        k8s::pod_template::Template,
        reconcile::observed::{PodTemplate, Target},
    },
    operator::pruned::Pruned,
};

/// What is kept of it, as text: equal for equal targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::operator) struct Known(Box<str>);

#[derive(Deserialize, Serialize)]
struct Content {
    /// As a scale subresource spells it, which is where it is read of other kinds.
    selector: String,
    template: Option<PodTemplate>,
}

/// It as an answer of the API server brings it.
pub(in crate::operator) type TargetObject = Pruned<Known>;

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
    /// What the operator makes of it.
    pub(super) fn target(&self) -> Target {
        // What was written here can be read here; if not, the target counts as one without a selector.
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
        let selector = selector.and_then(|selector| Selector::try_from(selector).ok());
        let content = Content {
            selector: selector.map(|selector| selector.to_string()).unwrap_or_default(),
            template: template.and_then(Template::read),
        };
        let known = serde_json::to_string(&content).map_err(serde::de::Error::custom)?;
        let known = Known(known.into_boxed_str());
        Ok(Self::new(
            metadata.namespace,
            metadata.name,
            metadata.resource_version,
            known,
        ))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::k8s::selector;

    pub(in crate::operator::targets) fn object(name: &str, selector: Value, replicas: i32) -> TargetObject {
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
        let target = object("w", selector, 1).into_parts().1.target();
        let expected = selector::parse("app=w,env in (a),!old").unwrap();
        assert_eq!(target.selector(), Some(&expected));
        assert_eq!(target.pod_labels()["tier"], "voice");
    }

    #[test]
    fn replicas_make_no_difference() {
        let selector = json!({"matchLabels": {"app": "w"}});
        assert_eq!(
            object("w", selector.clone(), 1).into_parts().1,
            object("w", selector, 9).into_parts().1
        );
    }

    #[test]
    fn one_without_a_selector_has_none() {
        assert_eq!(
            object("w", json!(null), 1).into_parts().1.target().selector(),
            None
        );
    }
}
