//! Adds a VerticalPodAutoscaler to the workload that has the same target.

use serde_json::Value;

use super::{named, refuse, shares_namespace, text};
use crate::{
    Refused,
    assemble::{self, Draft},
    names,
};
use vas_api::{
    v1alpha1::{
        ContainerMode, ControlledValues, ResourceName, ScaleTargetRef, UpdateMode, Vertical,
        VerticalContainer, Workload,
    },
    vpa::{ContainerPolicy, VerticalPodAutoscalerSpec},
};

/// Fields of a VPA without a counterpart in the resource: JSON pointer and name.
const UNKNOWN: [(&str, &str); 4] = [
    ("/spec/recommenders", "recommenders"),
    (
        "/spec/updatePolicy/evictionRequirements",
        "updatePolicy.evictionRequirements",
    ),
    (
        "/spec/updatePolicy/evictAfterOOMSeconds",
        "updatePolicy.evictAfterOOMSeconds",
    ),
    ("/spec/startupBoost", "startupBoost"),
];

/// Adds a VPA to the draft with the same target, or to a new draft if no HPA has that target. Returns the
/// parts of the VPA that were not converted.
pub(super) fn attach(object: &Value, drafts: &mut Vec<Draft>) -> Vec<Refused> {
    let mut refused: Vec<Refused> = UNKNOWN
        .iter()
        .filter(|(pointer, _)| object.pointer(pointer).is_some_and(|value| !value.is_null()))
        .map(|(_, field)| refuse(object, field, "the resource has no such field"))
        .collect();
    match vertical(object) {
        Ok((vertical, comment)) => refused.extend(join(object, vertical, comment, drafts).err()),
        Err(why) => refused.push(refuse(object, "spec", why)),
    }
    refused
}

fn join(
    object: &Value,
    vertical: Vertical,
    comment: Option<String>,
    drafts: &mut Vec<Draft>,
) -> Result<(), Refused> {
    let target = |name: &str| {
        text(object, &format!("/spec/targetRef/{name}"))
            .unwrap_or_default()
            .to_owned()
    };
    let found = drafts.iter().position(|draft| {
        let own = &draft.workload.scale_target_ref;
        shares_namespace(object, draft) && own.kind == target("kind") && own.name == target("name")
    });
    let found = found.unwrap_or_else(|| {
        let version = target("apiVersion");
        drafts.push(Draft {
            origin: format!("VerticalPodAutoscaler {}", named(object)),
            namespace: text(object, "/metadata/namespace").map(str::to_owned),
            workload: Workload {
                name: names::metric_name(&target("name")),
                scale_target_ref: ScaleTargetRef {
                    api_version: if version.is_empty() {
                        "apps/v1".to_owned()
                    } else {
                        version
                    },
                    kind: target("kind"),
                    name: target("name"),
                },
                ..Workload::default()
            },
            ..Draft::default()
        });
        drafts.len() - 1
    });
    let Some(draft) = drafts.get_mut(found) else {
        return Ok(());
    };
    let name = draft.workload.name.clone();
    if draft.workload.vertical.is_some() {
        return Err(refuse(object, &name, "another VPA has the same target"));
    }
    draft.workload.vertical = Some(vertical);
    // Rules about other fields concern the draft as a whole and are reported when it is put into a resource.
    if let Some(rule) = assemble::broken(&draft.workload).filter(|rule| rule.starts_with("vertical")) {
        draft.workload.vertical = None;
        drafts.retain(|draft| !draft.is_empty());
        return Err(refuse(object, &name, rule));
    }
    draft.comments.extend(comment);
    Ok(())
}

fn vertical(object: &Value) -> Result<(Vertical, Option<String>), String> {
    let spec = object.get("spec").cloned().unwrap_or_default();
    let spec: VerticalPodAutoscalerSpec =
        serde_json::from_value(spec).map_err(|error| format!("not a VerticalPodAutoscaler: {error}"))?;
    let policy = spec.update_policy.unwrap_or_default();
    let mut comment = None;
    let update_mode = match policy.update_mode.as_deref() {
        Some("Off") => UpdateMode::Off,
        Some("Initial") => UpdateMode::Initial,
        Some("Recreate") => UpdateMode::Recreate,
        Some("InPlaceOrRecreate") => UpdateMode::InPlaceOrRecreate,
        None | Some("Auto") => {
            comment = Some(
                "the VPA's updateMode is Auto, which is deprecated and does what Recreate does".to_owned(),
            );
            UpdateMode::Recreate
        }
        Some(other) => return Err(format!("updateMode {other:?} has no counterpart")),
    };
    let policies = spec.resource_policy.and_then(|policy| policy.container_policies);
    let containers: Vec<_> = policies
        .into_iter()
        .flatten()
        .map(container)
        .collect::<Result<_, _>>()?;
    let vertical = Vertical {
        update_mode: Some(update_mode),
        min_replicas: policy.min_replicas,
        containers: Some(containers).filter(|containers| !containers.is_empty()),
        ..Vertical::default()
    };
    Ok((vertical, comment))
}

fn container(policy: ContainerPolicy) -> Result<VerticalContainer, String> {
    let mode = match policy.mode.as_deref() {
        None => None,
        Some("Auto") => Some(ContainerMode::Auto),
        Some("Off") => Some(ContainerMode::Off),
        Some(other) => return Err(format!("the container mode {other:?} has no counterpart")),
    };
    let controlled_values = match policy.controlled_values.as_deref() {
        None => None,
        Some("RequestsAndLimits") => Some(ControlledValues::RequestsAndLimits),
        Some("RequestsOnly") => Some(ControlledValues::RequestsOnly),
        Some(other) => return Err(format!("controlledValues {other:?} has no counterpart")),
    };
    let resource = |name: String| match name.as_str() {
        "cpu" => Ok(ResourceName::Cpu),
        "memory" => Ok(ResourceName::Memory),
        other => Err(format!(
            "{other} is not cpu or memory, the resources that a VPA sizes"
        )),
    };
    let controlled_resources = policy
        .controlled_resources
        .map(|names| names.into_iter().map(resource).collect());
    Ok(VerticalContainer {
        name: policy.container_name.unwrap_or_else(|| "*".to_owned()),
        mode,
        controlled_resources: controlled_resources.transpose()?,
        controlled_values,
        min_allowed: policy.min_allowed,
        max_allowed: policy.max_allowed,
    })
}
