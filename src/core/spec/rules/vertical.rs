//! Rules of vertical sizing: VPA and HPA never use the same resource, and the VPA's bounds are within the
//! LimitRange.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::findings::Scope;
use crate::{
    k8s::quantity,
    spec::{
        field_path::FieldPath,
        model::{Metric, Source, Vertical},
    },
};
use vas_api::v1alpha1::{
    self as api, ContainerMode, LimitRangeLimits, ResourceName, UpdateMode, VerticalContainer,
};

/// The container name that stands for every container without an entry of its own.
const ANY_CONTAINER: &str = "*";

/// The other parts of the spec that a VPA must agree with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbours<'a> {
    /// Enabled metrics of the same workload.
    pub(super) metrics: &'a [Metric],
    /// The LimitRange of the resource, if it has one.
    pub(super) limit_range: Option<&'a LimitRangeLimits>,
}

/// Parses the VPA; `None` if there is none or it is switched off.
pub(super) fn check(
    vertical: Option<&api::Vertical>,
    neighbours: &Neighbours<'_>,
    workload: &FieldPath,
    scope: &mut Scope<'_>,
) -> Option<Vertical> {
    let vertical = vertical.filter(|vertical| vertical.enabled.unwrap_or(true))?;
    let path = workload.field("vertical");
    let containers = vertical.containers.as_deref().unwrap_or_default();
    let update_mode = vertical.update_mode.unwrap_or_default();
    // With `Off` the VPA only recommends and changes no requests.
    if update_mode != UpdateMode::Off {
        check_against_hpa(containers, neighbours.metrics, &path, workload, scope);
    }
    for container in containers {
        check_bounds(
            container,
            neighbours.limit_range,
            &path.field("containers").named(&container.name),
            scope,
        );
    }
    Some(Vertical {
        update_mode,
        min_replicas: vertical.min_replicas,
        containers: containers.to_vec(),
    })
}

/// Refuses a VPA and an HPA on the same resource. The HPA compares usage with requests. A VPA that raises the
/// requests lowers the utilization, and the HPA removes pods although the load is the same.
fn check_against_hpa(
    containers: &[VerticalContainer],
    metrics: &[Metric],
    path: &FieldPath,
    workload: &FieldPath,
    scope: &mut Scope<'_>,
) {
    for resource in [ResourceName::Cpu, ResourceName::Memory] {
        let scaled_on = metrics.iter().find(|metric| match &metric.source {
            Source::Resource { name, .. } | Source::ContainerResource { name, .. } => *name == resource,
            Source::Prometheus(_) => false,
        });
        let (Some(metric), Some(container)) = (scaled_on, sized_container(containers, resource)) else {
            continue;
        };
        let metric_path = workload.field("metrics").named(&metric.name);
        let word = word(resource);
        scope.refuse_any(
            &[path, &metric_path],
            format_args!(
                "the HPA scales on {word} (metric {}) and the VPA sizes {word} of container {container}: they would work against each other; set updateMode: \"Off\", or leave {word} out of controlledResources of every container ({ANY_CONTAINER} included), or scale on another metric",
                metric.name
            ),
        );
    }
}

/// A container whose requests for the resource the VPA may change. If there is no entry for `*`, the VPA
/// sizes every resource of the containers that have no entry.
fn sized_container(containers: &[VerticalContainer], resource: ResourceName) -> Option<&str> {
    // `controlledResources: [memory]` leaves CPU alone. Without that field the VPA sizes both.
    let named = containers.iter().find(|container| {
        container.mode != Some(ContainerMode::Off)
            && container
                .controlled_resources
                .as_ref()
                .is_none_or(|controlled| controlled.contains(&resource))
    });
    match named {
        Some(container) => Some(&container.name),
        // An entry for `*` speaks for all other containers, and it was not found above.
        None if containers.iter().any(|container| container.name == ANY_CONTAINER) => None,
        None => Some(ANY_CONTAINER),
    }
}

fn check_bounds(
    container: &VerticalContainer,
    limit_range: Option<&LimitRangeLimits>,
    path: &FieldPath,
    scope: &mut Scope<'_>,
) {
    let empty = BTreeMap::new();
    let most = container.max_allowed.as_ref().unwrap_or(&empty);
    let least = container.min_allowed.as_ref().unwrap_or(&empty);
    let ceiling = limit_range
        .and_then(|limits| limits.max.as_ref())
        .unwrap_or(&empty);
    for (name, quantity) in least {
        let path = path.field("minAllowed").key(name);
        if let Err(error) = quantity::parse(quantity) {
            scope.refuse(&path, error);
        }
    }
    // For each resource, minAllowed <= maxAllowed <= limits.limitRange.max.
    for (name, quantity) in most {
        let path_of_max = path.field("maxAllowed").key(name);
        if let Err(error) = quantity::parse(quantity) {
            scope.refuse(&path_of_max, error);
        }
        if is_above(least.get(name), Some(quantity)) {
            scope.refuse(
                &path.field("minAllowed").key(name),
                format_args!("minAllowed must not be greater than maxAllowed ({})", quantity.0),
            );
        }
        if is_above(Some(quantity), ceiling.get(name)) {
            let limit_path = FieldPath::default()
                .field("limits")
                .field("limitRange")
                .field("max")
                .key(name);
            scope.refuse_any(
                &[&path_of_max, &limit_path],
                format_args!(
                    "maxAllowed of the VPA ({}) must not be greater than limits.limitRange.max ({}): such pods would be refused",
                    quantity.0,
                    ceiling.get(name).map_or("", |limit| &limit.0)
                ),
            );
        }
    }
}

/// Whether both quantities parse and the left one is greater. One that does not parse has its own violation.
fn is_above(left: Option<&Quantity>, right: Option<&Quantity>) -> bool {
    let parse = |side: Option<&Quantity>| side.and_then(|quantity| quantity::parse(quantity).ok());
    parse(left)
        .zip(parse(right))
        .is_some_and(|(left, right)| left > right)
}

fn word(resource: ResourceName) -> &'static str {
    match resource {
        ResourceName::Cpu => "cpu",
        ResourceName::Memory => "memory",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::spec::rules::testing::{accepted, accepts, base, refuses, violations, with_workload};

    const PATH: &str = "spec.workloads[0].vertical";

    /// The base workload, which scales on CPU, with these fields of `vertical`.
    fn vertical(fields: Value) -> Value {
        json!({ "vertical": fields })
    }

    #[test]
    fn hpa_and_vpa_never_share_a_resource() {
        for shared in [
            json!({"updateMode": "Initial"}),
            json!({"updateMode": "Recreate", "containers": []}),
            json!({"updateMode": "Recreate", "containers": [{"name": "*"}]}),
            json!({"updateMode": "InPlaceOrRecreate", "containers": [{"name": "*", "controlledResources": ["cpu"]}]}),
            json!({"updateMode": "Recreate", "containers": [{"name": "*", "mode": "Off"}, {"name": "app"}]}),
        ] {
            refuses(vertical(shared), PATH, "the HPA scales on cpu");
        }
    }

    #[test]
    fn a_container_without_an_entry_is_sized_on_everything() {
        refuses(
            vertical(
                json!({"updateMode": "Recreate", "containers": [{"name": "app", "controlledResources": ["memory"]}]}),
            ),
            PATH,
            "container *",
        );
        accepts(vertical(json!({"updateMode": "Recreate", "containers": [
            {"name": "app", "controlledResources": ["memory"]}, {"name": "*", "mode": "Off"},
        ]})));
    }

    #[test]
    fn a_vpa_that_only_recommends_or_sizes_something_else_is_fine() {
        for fine in [
            json!({"updateMode": "Off"}),
            json!({}),
            json!({"enabled": false, "updateMode": "Recreate"}),
            json!({"updateMode": "Recreate", "containers": [{"name": "*", "controlledResources": ["memory"]}]}),
            json!({"updateMode": "Recreate", "containers": [{"name": "*", "mode": "Off"}]}),
        ] {
            accepts(vertical(fine));
        }
    }

    #[test]
    fn a_container_metric_counts_and_a_disabled_metric_does_not() {
        let recreate = json!({"updateMode": "Recreate"});
        refuses(
            json!({"vertical": recreate, "metrics": [{"name": "app", "containerResource":
                {"name": "memory", "container": "app", "target": {"averageUtilization": 70}}}]}),
            PATH,
            "the HPA scales on memory",
        );
        accepts(json!({"vertical": recreate, "metrics": [
            {"name": "cpu", "enabled": false, "resource": {"name": "cpu", "target": {"averageUtilization": 70}}},
            {"name": "age", "queueAge": {"gauge": "g", "target": {"value": "60"}}},
        ]}));
    }

    #[test]
    fn bounds_are_in_order_and_inside_the_limit_range() {
        let containers = |min: &str, max: &str| {
            vertical(
                json!({"containers": [{"name": "*", "minAllowed": {"memory": min}, "maxAllowed": {"memory": max}}]}),
            )
        };
        refuses(
            containers("3Gi", "2Gi"),
            "spec.workloads[0].vertical.containers[0].minAllowed.memory",
            "not be greater than maxAllowed (2Gi)",
        );
        let mut spec = with_workload(containers("1Gi", "2Gi"));
        spec["limits"] = json!({"limitRange": {"max": {"memory": "1.5Gi"}}});
        let found = violations(&spec);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].path,
            "spec.workloads[0].vertical.containers[0].maxAllowed.memory"
        );
        assert_eq!(
            found[0].workload.as_deref(),
            Some("api"),
            "only this workload stops"
        );
        spec["limits"]["enabled"] = json!(false);
        assert_eq!(violations(&spec), []);
    }

    #[test]
    fn the_field_that_the_environment_changed_is_the_one_reported() {
        let mut spec = with_workload(vertical(
            json!({"containers": [{"name": "*", "maxAllowed": {"memory": "2Gi"}}]}),
        ));
        spec["limits"] = json!({"limitRange": {"max": {"memory": "4Gi"}}});
        spec["environments"] = json!([{"name": "dev", "limits": {"limitRange": {"max": {"memory": "1Gi"}}}}]);
        let found = violations(&spec);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "spec.environments[0].limits.limitRange.max.memory");
        assert_eq!(found[0].environment.as_deref(), Some("dev"));
    }

    #[test]
    fn the_update_mode_defaults_to_off() {
        let workload = accepted(vertical(json!({})));
        assert_eq!(
            workload.vertical.unwrap().update_mode,
            vas_api::v1alpha1::UpdateMode::Off
        );
        assert_eq!(violations(&base()), []);
    }
}
