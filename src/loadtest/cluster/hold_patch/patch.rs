//! The merge patches of a hold. They carry the resourceVersion, so the API server refuses a patch if the
//! resource has changed since it was read.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{ANNOTATION, Hold, SuspendedBy, find_mut, suspension_key, text};
use vas_core::reconcile::suspend::{Reason, Suspension, SuspensionError, Workloads};

/// Begins a hold: records the state before, and suspends the workload until a moment.
///
/// # Errors
/// When the name of the workload cannot be written in a suspension.
pub fn hold_patch(resource: &Value, hold: &Hold, until: Timestamp) -> Result<Value, SuspensionError> {
    let record = serde_json::to_string(hold).unwrap_or_default();
    let annotations = json!({ANNOTATION: record, suspension_key(): suspension(hold, until)?.to_string()});
    Ok(patch(resource, &annotations, &Map::new()))
}

/// Moves the end of a hold to a later moment.
///
/// # Errors
/// When the name of the workload cannot be written in a suspension.
pub fn renew_patch(resource: &Value, hold: &Hold, until: Timestamp) -> Result<Value, SuspensionError> {
    let annotations = json!({suspension_key(): suspension(hold, until)?.to_string()});
    Ok(patch(resource, &annotations, &Map::new()))
}

/// Ends a hold: removes both annotations. If a test of an earlier version wrote `suspend` into the spec,
/// restores it.
pub fn give_back_patch(resource: &Value, hold: &Hold) -> Value {
    match hold.suspended_by {
        SuspendedBy::Annotation => {
            let annotations = json!({ANNOTATION: null, suspension_key(): null});
            patch(resource, &annotations, &Map::new())
        }
        SuspendedBy::Spec => patch(
            resource,
            &json!({ANNOTATION: null}),
            &spec_as_it_was(resource, hold),
        ),
    }
}

fn suspension(hold: &Hold, until: Timestamp) -> Result<Suspension, SuspensionError> {
    let reason = format!(
        "capacity test {} since {}, which puts the end off while it runs",
        hold.holder, hold.since
    );
    Ok(Suspension {
        workloads: Workloads::of([hold.workload.as_str()])?,
        until: Some(until),
        reason: Reason::of(&reason)?,
    })
}

fn patch(resource: &Value, annotations: &Value, spec: &Map<String, Value>) -> Value {
    let version = text(resource, "/metadata/resourceVersion");
    let metadata = json!({"resourceVersion": version, "annotations": annotations});
    if spec.is_empty() {
        json!({"metadata": metadata})
    } else {
        json!({"metadata": metadata, "spec": spec})
    }
}

/// A merge patch replaces a list as a whole. The patch therefore has all items in their order, and only
/// `suspend` differs.
fn spec_as_it_was(resource: &Value, hold: &Hold) -> Map<String, Value> {
    let list = if hold.environment.is_some() {
        "environments"
    } else {
        "workloads"
    };
    let mut changed = resource.pointer("/spec").and_then(|spec| spec.get(list)).cloned();
    let item = match &hold.environment {
        Some(environment) => changed
            .as_mut()
            .and_then(|list| find_mut(list, environment))
            .and_then(|environment| environment.get_mut("workloads"))
            .and_then(|list| find_mut(list, &hold.workload)),
        None => changed.as_mut().and_then(|list| find_mut(list, &hold.workload)),
    };
    let mut spec = Map::new();
    // A workload that was removed has nothing to restore.
    if let Some(item) = item {
        match hold.suspend {
            Some(suspend) => item.insert("suspend".to_owned(), Value::Bool(suspend)),
            None => item.remove("suspend"),
        };
        spec.insert(list.to_owned(), changed.unwrap_or_default());
    }
    spec
}
