//! The VerticalPodAutoscaler of a workload.

use k8s_openapi::{
    api::autoscaling::v1::CrossVersionObjectReference, apimachinery::pkg::apis::meta::v1::OwnerReference,
};

use super::meta;
use crate::spec::model::{Scaling, Workload};
use vas_api::{
    v1alpha1::{ContainerMode, ControlledValues, ResourceName, UpdateMode, VerticalContainer},
    vpa::{ContainerPolicy, ResourcePolicy, UpdatePolicy, VerticalPodAutoscaler, VerticalPodAutoscalerSpec},
};

/// The VPA of one workload; `None` if the workload asks for none. The update mode is always written, because
/// the VPA's own default evicts pods. The VPA of a suspended workload has mode `Off`: it only recommends.
#[must_use]
pub fn build(
    scaling: &Scaling,
    workload: &Workload,
    owner: Option<&OwnerReference>,
) -> Option<VerticalPodAutoscaler> {
    let vertical = workload.vertical.as_ref()?;
    let update_mode = if workload.suspended {
        UpdateMode::Off
    } else {
        vertical.update_mode
    };
    let policies: Vec<_> = vertical.containers.iter().map(container_policy).collect();
    Some(VerticalPodAutoscaler {
        metadata: meta::child(&scaling.key, Some(&workload.name), owner),
        spec: VerticalPodAutoscalerSpec {
            target_ref: Some(CrossVersionObjectReference {
                api_version: Some(workload.target.api_version.clone()),
                kind: workload.target.kind.clone(),
                name: workload.target.name.clone(),
            }),
            update_policy: Some(UpdatePolicy {
                update_mode: Some(mode_name(update_mode).to_owned()),
                min_replicas: vertical.min_replicas,
            }),
            resource_policy: (!policies.is_empty()).then_some(ResourcePolicy {
                container_policies: Some(policies),
            }),
        },
    })
}

/// The mode as the VPA's API spells it.
#[must_use]
pub fn mode_name(mode: UpdateMode) -> &'static str {
    match mode {
        UpdateMode::Off => "Off",
        UpdateMode::Initial => "Initial",
        UpdateMode::Recreate => "Recreate",
        UpdateMode::InPlaceOrRecreate => "InPlaceOrRecreate",
    }
}

fn container_policy(container: &VerticalContainer) -> ContainerPolicy {
    ContainerPolicy {
        container_name: Some(container.name.clone()),
        mode: container.mode.map(|mode| {
            match mode {
                ContainerMode::Auto => "Auto",
                ContainerMode::Off => "Off",
            }
            .to_owned()
        }),
        min_allowed: container.min_allowed.clone(),
        max_allowed: container.max_allowed.clone(),
        controlled_resources: container.controlled_resources.as_ref().map(|resources| {
            resources
                .iter()
                .map(|resource| {
                    match resource {
                        ResourceName::Cpu => "cpu",
                        ResourceName::Memory => "memory",
                    }
                    .to_owned()
                })
                .collect()
        }),
        controlled_values: container.controlled_values.map(|values| {
            match values {
                ControlledValues::RequestsAndLimits => "RequestsAndLimits",
                ControlledValues::RequestsOnly => "RequestsOnly",
            }
            .to_owned()
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::reconcile::desired::testing::{scaling, scaling_with};

    fn vpa(fields: Value) -> Value {
        let scaling = scaling_with(fields);
        serde_json::to_value(build(&scaling, &scaling.workloads[0], None)).unwrap()
    }

    #[test]
    fn none_is_asked_for_and_none_is_built() {
        let scaling = scaling();
        assert_eq!(build(&scaling, &scaling.workloads[0], None), None);
        assert_eq!(
            vpa(json!({"vertical": {"enabled": false, "updateMode": "Initial"}})),
            Value::Null
        );
    }

    #[test]
    fn the_mode_is_always_written() {
        assert_eq!(
            vpa(json!({"vertical": {}}))["spec"],
            json!({
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
                "updatePolicy": {"updateMode": "Off"},
            })
        );
    }

    #[test]
    fn container_bounds_are_the_users_own_words() {
        let container = json!({
            "name": "*",
            "mode": "Auto",
            "controlledResources": ["memory"],
            "controlledValues": "RequestsOnly",
            "minAllowed": {"memory": "128Mi"},
            "maxAllowed": {"memory": "2048Mi"},
        });
        let policy = &vpa(json!({"vertical": {"updateMode": "Initial", "containers": [container]}}))["spec"]
            ["resourcePolicy"]["containerPolicies"][0];
        let mut expected = container.clone();
        expected["containerName"] = expected.as_object_mut().unwrap().remove("name").unwrap();
        assert_eq!(policy, &expected);
    }

    #[test]
    fn a_suspended_workload_only_recommends() {
        let vertical = json!({"updateMode": "Recreate", "minReplicas": 2, "containers": [{"name": "*", "controlledResources": ["memory"]}]});
        assert_eq!(
            vpa(json!({"vertical": vertical}))["spec"]["updatePolicy"],
            json!({"updateMode": "Recreate", "minReplicas": 2})
        );
        assert_eq!(
            vpa(json!({"vertical": vertical, "suspend": true}))["spec"]["updatePolicy"]["updateMode"],
            json!("Off")
        );
    }
}
