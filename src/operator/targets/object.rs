//! A Deployment or StatefulSet as a target: which pods it has and what they are made of. Parsed no further than that.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope, Selector},
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::core::{
    observed::{PodTemplate, Target},
    pod_template::Template,
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
#[derive(Clone, Debug)]
pub(in crate::operator) struct TargetObject {
    /// Namespace, name and version.
    metadata: ObjectMeta,
    known: Known,
}

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

impl TargetObject {
    /// Namespace, name, and what is kept.
    pub(in crate::operator) fn into_parts(self) -> (String, String, Known) {
        let metadata = self.metadata;
        let (namespace, name) = (metadata.namespace, metadata.name);
        (
            namespace.unwrap_or_default(),
            name.unwrap_or_default(),
            self.known,
        )
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
        Ok(Self {
            metadata: ObjectMeta {
                namespace: metadata.namespace,
                name: metadata.name,
                resource_version: metadata.resource_version,
                ..ObjectMeta::default()
            },
            known: Known(known.into_boxed_str()),
        })
    }
}

impl Resource for TargetObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        resource.api_version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::selector;

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
        let target = object("w", selector, 1).known.target();
        let expected = selector::parse("app=w,env in (a),!old").unwrap();
        assert_eq!(target.selector(), Some(&expected));
        assert_eq!(target.pod_labels()["tier"], "voice");
    }

    #[test]
    fn replicas_make_no_difference() {
        let selector = json!({"matchLabels": {"app": "w"}});
        assert_eq!(
            object("w", selector.clone(), 1).known,
            object("w", selector, 9).known
        );
    }

    #[test]
    fn one_without_a_selector_has_none() {
        assert_eq!(object("w", json!(null), 1).known.target().selector(), None);
    }
}
