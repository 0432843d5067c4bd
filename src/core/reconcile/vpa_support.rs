//! Reads from the CRD of the VerticalPodAutoscaler what the cluster's VPA can do.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps,
};

use super::observed::VpaSupport;

/// The API version that vas writes.
const VERSION: &str = "v1";

/// What a CRD supports; `None` if it does not exist. A CRD that is not established yet supports nothing.
pub fn judge(crd: Option<&CustomResourceDefinition>) -> VpaSupport {
    let Some(crd) = crd else {
        return VpaSupport::Absent;
    };
    let established = crd
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Established" && condition.status == "True");
    let version = crd
        .spec
        .versions
        .iter()
        .find(|version| version.name == VERSION && version.served);
    match version {
        // A CRD that is being deleted takes its objects along, so nothing is written to it any more.
        Some(version) if established && crd.metadata.deletion_timestamp.is_none() => VpaSupport::Served {
            modes: modes(version),
        },
        _ => VpaSupport::Absent,
    }
}

/// The values of `spec.updatePolicy.updateMode`; `None` if the schema lists none.
fn modes(version: &CustomResourceDefinitionVersion) -> Option<std::collections::BTreeSet<String>> {
    let schema = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    let mode = ["spec", "updatePolicy", "updateMode"]
        .into_iter()
        .try_fold(schema, |schema: &JSONSchemaProps, field| {
            schema.properties.as_ref()?.get(field)
        })?;
    let values = mode.enum_.as_ref()?;
    Some(
        values
            .iter()
            .filter_map(|value| value.0.as_str().map(str::to_owned))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use vas_api::v1alpha1::UpdateMode;

    fn crd(mode: Value, established: &str, served: bool) -> CustomResourceDefinition {
        serde_json::from_value(json!({
            "spec": {
                "group": "autoscaling.k8s.io", "scope": "Namespaced", "names": {"kind": "V", "plural": "vs"},
                "versions": [{"name": "v1", "served": served, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "properties": {"spec": {"type": "object", "properties": {
                        "updatePolicy": {"type": "object", "properties": {"updateMode": mode}}}}}}}}],
            },
            "status": {"acceptedNames": {"kind": "V", "plural": "vs"},
                       "conditions": [{"type": "Established", "status": established}]},
        }))
        .unwrap()
    }

    #[test]
    fn the_schema_tells_which_modes_are_known() {
        let old = judge(Some(&crd(
            json!({"type": "string", "enum": ["Off", "Auto"]}),
            "True",
            true,
        )));
        assert!(old.knows(UpdateMode::Off) && !old.knows(UpdateMode::InPlaceOrRecreate));
        let open = judge(Some(&crd(json!({"type": "string"}), "True", true)));
        assert!(open.knows(UpdateMode::InPlaceOrRecreate));
    }

    #[test]
    fn what_is_not_served_is_absent() {
        let mode = json!({"type": "string"});
        assert_eq!(judge(None), VpaSupport::Absent);
        assert_eq!(judge(Some(&crd(mode.clone(), "False", true))), VpaSupport::Absent);
        assert_eq!(judge(Some(&crd(mode, "True", false))), VpaSupport::Absent);
        assert!(!VpaSupport::Absent.knows(UpdateMode::Off));
    }
}
