//! All children of a resource, built without a cluster, as `vas render` shows them.
//!
//! Two things are known only in the cluster. The owner reference holds the UID of the stored resource, so it
//! is left out. The selector of a PodDisruptionBudget is read from the target's `scale` subresource. Here it
//! is taken from the target's manifest if that is among the given objects. Otherwise a placeholder that
//! matches no pod stands in its place, and a comment says so.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::{hpa, limit_range, pdb, resource_quota, vpa};
use crate::spec::model::{Scaling, Workload};
use vas_api::{GROUP, v1alpha1::ScaleTargetRef};

/// A child, with a comment for people who read it.
pub type Rendered = (Value, Option<String>);

/// The children of each workload as of `now`, in order, then those of the whole resource. `objects` are manifests
/// among which the scale targets may be.
///
/// # Errors
/// When a child has no JSON form.
pub fn children(
    scaling: &Scaling,
    objects: &[&Value],
    now: Timestamp,
) -> Result<Vec<Rendered>, serde_json::Error> {
    let mut children = Vec::new();
    for workload in &scaling.workloads {
        if workload.has_hpa() {
            let hpa = hpa::build(scaling, workload, now, None);
            children.push((serde_json::to_value(hpa)?, None));
        }
        if let Some(vpa) = vpa::build(scaling, workload, None) {
            children.push((serde_json::to_value(vpa)?, None));
        }
        let (selector, comment) = selector(scaling, workload, objects);
        if let Some(pdb) = pdb::build(scaling, workload, selector, None) {
            children.push((serde_json::to_value(pdb)?, comment));
        }
    }
    if let Some(limit_range) = limit_range::build(scaling, None) {
        children.push((serde_json::to_value(limit_range)?, None));
    }
    if let Some(quota) = resource_quota::build(scaling, None) {
        children.push((serde_json::to_value(quota)?, None));
    }
    Ok(children)
}

/// The selector from the target's manifest, or a placeholder with a comment that says what it stands for.
fn selector(scaling: &Scaling, workload: &Workload, objects: &[&Value]) -> (LabelSelector, Option<String>) {
    let target = &workload.target;
    let manifest = objects
        .iter()
        .find(|object| is_target(object, target, &scaling.key.namespace));
    let found = manifest
        .and_then(|object| object.pointer("/spec/selector"))
        .and_then(|selector| serde_json::from_value(selector.clone()).ok());
    match found {
        Some(selector) => (selector, None),
        None => (
            LabelSelector {
                match_labels: Some(
                    [(
                        format!("{GROUP}/placeholder"),
                        "selector-of-the-scale-target".to_owned(),
                    )]
                    .into(),
                ),
                match_expressions: None,
            },
            Some(format!(
                "The selector below is a placeholder that matches no pod: the operator reads the real one from\nthe scale subresource of {} {}. Add its manifest to the files to see it here.",
                target.kind, target.name
            )),
        ),
    }
}

fn is_target(object: &Value, target: &ScaleTargetRef, namespace: &str) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    text("/apiVersion") == Some(&target.api_version)
        && text("/kind") == Some(&target.kind)
        && text("/metadata/name") == Some(&target.name)
        && text("/metadata/namespace").is_none_or(|other| namespace.is_empty() || other == namespace)
}
