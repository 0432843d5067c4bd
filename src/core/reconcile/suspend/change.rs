//! The patches of `vas suspend` and `vas resume`. Each changes one annotation of the resource and holds the
//! `resourceVersion` that was read. So the API server refuses it if the resource has changed since.

use jiff::Timestamp;
use serde_json::{Value, json};
use thiserror::Error;

use super::{
    annotation::{Holder, key},
    quoted,
    suspension::{Suspension, SuspensionError, Workloads},
};

/// Why a suspension is not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// The resource has no workload of this name.
    #[error("{name} has no workload {workload:?}; it has {known}")]
    NoWorkload {
        /// Name of the resource.
        name: String,
        /// Name of the missing workload.
        workload: String,
        /// Names of the resource's workloads.
        known: String,
    },
    /// The holder's annotation already suspends something else.
    #[error(
        "{name} is suspended already, by annotation {key}: {held}; replace that with --overwrite, or hold beside it with --holder NAME"
    )]
    Taken {
        /// Name of the resource.
        name: String,
        /// Key of the annotation.
        key: String,
        /// Text of the annotation.
        held: String,
    },
    /// The holder's annotation does not suspend this workload.
    #[error("annotation {key} of {name} does not suspend workload {workload:?}, only {held}")]
    NotHeld {
        /// Name of the resource.
        name: String,
        /// Key of the annotation.
        key: String,
        /// Name of the workload to resume.
        workload: String,
        /// Names of the workloads that the annotation suspends.
        held: String,
    },
    /// The annotation cannot be read, so it is not known which workloads it suspends.
    #[error(
        "annotation {key} of {name} cannot be read: {held}: {cause}; resume all that it suspends, without --workload"
    )]
    Unreadable {
        /// Name of the resource.
        name: String,
        /// Key of the annotation.
        key: String,
        /// Text of the annotation.
        held: String,
        /// Why the text cannot be read.
        cause: SuspensionError,
    },
}

/// The merge patch that writes a holder's suspension. It replaces an earlier suspension of the holder if that
/// has ended, or if `overwrite` is set.
///
/// # Errors
/// When a workload does not exist, or the holder's earlier suspension still holds and is a different one.
pub fn suspend(
    resource: &Value,
    holder: Option<&Holder>,
    suspension: &Suspension,
    overwrite: bool,
    now: Timestamp,
) -> Result<Value, ChangeError> {
    let known = workloads(resource);
    for workload in suspension.workloads.names() {
        if !known.contains(&workload) {
            return Err(no_workload(resource, workload));
        }
    }
    let key = key(holder);
    // A text that cannot be read suspends everything, so it counts as another suspension that holds.
    if let Some(text) = annotation(resource, &key)
        && text
            .parse::<Suspension>()
            .map_or(true, |held| held.holds_at(now) && held != *suspension)
        && !overwrite
    {
        return Err(ChangeError::Taken {
            name: name(resource),
            held: quoted(text),
            key,
        });
    }
    Ok(patch(resource, &key, Some(&suspension.to_string())))
}

/// The merge patch that ends a holder's suspension, for all workloads or for some. `None` if the holder has
/// no suspension.
///
/// # Errors
/// When a workload does not exist, or the holder does not suspend it.
pub fn resume(
    resource: &Value,
    holder: Option<&Holder>,
    which: &Workloads,
) -> Result<Option<Value>, ChangeError> {
    let key = key(holder);
    let Some(text) = annotation(resource, &key) else {
        return match which.names().find(|name| !workloads(resource).contains(name)) {
            Some(workload) => Err(no_workload(resource, workload)),
            None => Ok(None),
        };
    };
    if *which == Workloads::All {
        return Ok(Some(patch(resource, &key, None)));
    }
    let held: Suspension = text.parse().map_err(|cause| ChangeError::Unreadable {
        name: name(resource),
        key: key.clone(),
        held: quoted(text),
        cause,
    })?;
    // To resume one of all workloads, the annotation must name the others from now on.
    let names: Vec<&str> = match &held.workloads {
        Workloads::All => workloads(resource),
        some @ Workloads::Named(_) => some.names().collect(),
    };
    if let Some(workload) = which.names().find(|name| !names.contains(name)) {
        return Err(if held.workloads == Workloads::All {
            no_workload(resource, workload)
        } else {
            ChangeError::NotHeld {
                name: name(resource),
                key,
                workload: workload.to_owned(),
                held: held.workloads.to_string(),
            }
        });
    }
    let left = names.into_iter().filter(|name| !which.contains(name));
    // `Workloads::of` makes `All` of no names. Here no names mean that nothing is left to suspend.
    let left = match Workloads::of(left) {
        Ok(some @ Workloads::Named(_)) => Some(Suspension {
            workloads: some,
            ..held
        }),
        Ok(Workloads::All) | Err(_) => None,
    };
    let text = left.map(|left| left.to_string());
    Ok(Some(patch(resource, &key, text.as_deref())))
}

fn patch(resource: &Value, key: &str, text: Option<&str>) -> Value {
    let version = resource.pointer("/metadata/resourceVersion");
    json!({"metadata": {"resourceVersion": version, "annotations": {key: text}}})
}

fn annotation<'a>(resource: &'a Value, key: &str) -> Option<&'a str> {
    let annotations = resource.pointer("/metadata/annotations")?;
    annotations.get(key)?.as_str()
}

fn workloads(resource: &Value) -> Vec<&str> {
    let workloads = resource.pointer("/spec/workloads").and_then(Value::as_array);
    let names = workloads.into_iter().flatten().filter_map(|one| one.get("name"));
    names.filter_map(Value::as_str).collect()
}

fn name(resource: &Value) -> String {
    let name = resource.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

fn no_workload(resource: &Value, workload: &str) -> ChangeError {
    ChangeError::NoWorkload {
        name: name(resource),
        workload: workload.to_owned(),
        known: workloads(resource).join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::annotation::ANNOTATION, *};

    fn resource(annotations: Value) -> Value {
        json!({
            "metadata": {"name": "v", "resourceVersion": "41", "annotations": annotations},
            "spec": {"workloads": [{"name": "api"}, {"name": "worker"}]},
        })
    }

    fn now() -> Timestamp {
        "2026-11-28T11:00:00Z".parse().unwrap()
    }

    fn suspended(annotations: Value, text: &str, overwrite: bool) -> Result<Value, String> {
        let suspension = text.parse().unwrap();
        let patch = suspend(&resource(annotations), None, &suspension, overwrite, now());
        patch.map_err(|error| error.to_string())
    }

    fn resumed(text: &str, workloads: &[&str]) -> Result<Value, String> {
        let which = Workloads::of(workloads.iter().copied()).unwrap();
        let patch = resume(&resource(json!({ANNOTATION: text})), None, &which);
        let patch = patch.map_err(|error| error.to_string())?.unwrap();
        Ok(patch["metadata"]["annotations"][ANNOTATION].clone())
    }

    #[test]
    fn a_patch_writes_one_annotation_over_what_was_read() {
        assert_eq!(
            suspended(json!({"team": "voice"}), "workloads=api reason=x", false).unwrap(),
            json!({"metadata": {"resourceVersion": "41", "annotations": {ANNOTATION: "workloads=api reason=x"}}})
        );
        let error = suspended(json!({}), "workloads=apy", false).unwrap_err();
        assert_eq!(error, "v has no workload \"apy\"; it has api, worker");
    }

    #[test]
    fn what_another_holds_is_replaced_only_if_that_is_meant() {
        let held = |text: &str| json!({ANNOTATION: text});
        let error = suspended(held("reason=incident"), "workloads=api", false).unwrap_err();
        assert!(
            error.contains("\"reason=incident\"") && error.contains("--overwrite"),
            "{error}"
        );
        suspended(held("reason=incident"), "workloads=api", true).unwrap();
        assert!(suspended(held("true"), "workloads=api", false).is_err());
        suspended(held("workloads=api"), "workloads=api", false).unwrap();
        suspended(held("until=2026-11-28T10:00:00Z"), "workloads=api", false).unwrap();
        let other = json!({format!("{ANNOTATION}.capacity-test"): "workloads=api"});
        suspended(other, "workloads=api", false).unwrap();
    }

    #[test]
    fn resuming_takes_back_all_or_some() {
        assert_eq!(resumed("reason=x", &[]), Ok(Value::Null));
        assert_eq!(resumed("true", &[]), Ok(Value::Null));
        assert_eq!(
            resumed("reason=x", &["api"]),
            Ok(json!("workloads=worker reason=x"))
        );
        assert_eq!(
            resumed("workloads=api,gone", &["gone"]),
            Ok(json!("workloads=api"))
        );
        assert_eq!(resumed("workloads=api", &["api"]), Ok(Value::Null));
        assert!(
            resumed("workloads=api", &["worker"])
                .unwrap_err()
                .contains("only api")
        );
        assert!(
            resumed("reason=x", &["apy"])
                .unwrap_err()
                .contains("it has api, worker")
        );
        assert!(
            resumed("true", &["api"])
                .unwrap_err()
                .contains("without --workload")
        );
    }

    #[test]
    fn nothing_held_is_nothing_to_resume() {
        let held = resource(json!({ANNOTATION: "reason=x"}));
        let holder: Holder = "capacity-test".parse().unwrap();
        assert_eq!(resume(&held, Some(&holder), &Workloads::All), Ok(None));
        let unknown = Workloads::of(["apy"]).unwrap();
        assert!(resume(&held, Some(&holder), &unknown).is_err());
    }
}
