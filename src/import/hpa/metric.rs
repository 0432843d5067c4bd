//! Converts the metrics of an HPA that metrics.k8s.io serves: CPU and memory.

use k8s_openapi::api::autoscaling::v2::{MetricSpec, MetricTarget};

use vas_api::v1alpha1::{ContainerResourceSource, Metric, ResourceName, ResourceSource, ResourceTarget};

/// The result of converting one metric of an HPA.
pub(super) enum Taken {
    /// A CPU or memory metric. Its name may not be unique yet.
    Entry(Box<Metric>),
    /// A metric that an adapter serves.
    Adapted,
}

/// Converts one metric.
///
/// # Errors
/// If the resource has no counterpart for the metric.
pub(super) fn metric(spec: &MetricSpec) -> Result<Taken, String> {
    let entry = |metric| Ok(Taken::Entry(Box::new(metric)));
    match spec.type_.as_str() {
        "Resource" => {
            let source = spec
                .resource
                .as_ref()
                .ok_or("a metric of type Resource has no resource")?;
            entry(Metric {
                name: source.name.clone(),
                resource: Some(Box::new(ResourceSource {
                    name: resource(&source.name)?,
                    target: target(&source.target)?,
                })),
                ..Metric::default()
            })
        }
        "ContainerResource" => {
            let source = spec.container_resource.as_ref();
            let source = source.ok_or("a metric of type ContainerResource has no containerResource")?;
            entry(Metric {
                name: format!("{}-{}", source.container, source.name),
                container_resource: Some(Box::new(ContainerResourceSource {
                    name: resource(&source.name)?,
                    container: source.container.clone(),
                    target: target(&source.target)?,
                })),
                ..Metric::default()
            })
        }
        "Pods" | "Object" | "External" => Ok(Taken::Adapted),
        other => Err(format!("{other:?} is no type of metric that HPAs have")),
    }
}

fn resource(name: &str) -> Result<ResourceName, String> {
    match name {
        "cpu" => Ok(ResourceName::Cpu),
        "memory" => Ok(ResourceName::Memory),
        other => Err(format!(
            "{other} is not cpu or memory, the resources that metrics.k8s.io has"
        )),
    }
}

fn target(target: &MetricTarget) -> Result<ResourceTarget, String> {
    let target = ResourceTarget {
        average_utilization: target.average_utilization,
        average_value: target.average_value.clone(),
    };
    match (&target.average_utilization, &target.average_value) {
        (None, None) => Err("its target has neither averageUtilization nor averageValue".to_owned()),
        _ => Ok(target),
    }
}
