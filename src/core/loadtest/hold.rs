//! Holding the replicas of a workload for a test: what is changed on the VoiceAssistScaling, and how it is put back.
//!
//! Before anything else is changed, what there was is written into an annotation of the resource, in the same write as
//! `suspend`: whoever finds the annotation can put everything back, and no second test can begin.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::api::v1alpha1::ScaleTargetRef;

/// The annotation that holds a [`Hold`] as JSON.
pub const ANNOTATION: &str = "scaling.voiceassist.io/capacity-test";

/// What a test has changed, and how it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Who holds: unique among all tests.
    pub holder: String,
    /// When it began, for people.
    pub since: String,
    /// The workload.
    pub workload: String,
    /// Its scale target.
    pub target: ScaleTargetRef,
    /// Replicas that the target asked for.
    pub replicas: i32,
    /// The environment whose override says whether the workload is suspended; the workload itself where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// `suspend` as it was written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// Why a workload cannot be held, or given back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HoldError {
    /// Another test has it.
    #[error(
        "{name} is held by the capacity test {holder} since {since}, for its workload {workload}; wait for it, or put back what it changed with: vas test restore {name}"
    )]
    Taken {
        /// The resource.
        name: String,
        /// Who has it.
        holder: String,
        /// Since when.
        since: String,
        /// For which workload.
        workload: String,
    },
    /// The annotation was changed by hand.
    #[error(
        "the annotation {ANNOTATION} of {name} cannot be read ({cause}); put suspend and the replicas right by hand and remove it: kubectl annotate voiceassistscaling {name} {ANNOTATION}-"
    )]
    Unreadable {
        /// The resource.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No such workload.
    #[error("{name} has no workload {workload:?}; it has {known}")]
    NoWorkload {
        /// The resource.
        name: String,
        /// What was asked for.
        workload: String,
        /// What there is.
        known: String,
    },
    /// Several workloads and none named.
    #[error("{name} has several workloads: choose one with --workload ({known})")]
    WhichWorkload {
        /// The resource.
        name: String,
        /// What there is.
        known: String,
    },
}

/// The workload to test: the named one, or the only one.
///
/// # Errors
/// When there is no such workload, or several and none is named.
pub fn workload<'a>(resource: &'a Value, name: Option<&str>) -> Result<&'a Value, HoldError> {
    let all = items(resource.pointer("/spec/workloads"));
    let known = || {
        all.iter()
            .filter_map(|one| name_of(one))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let resource_name = || text(resource, "/metadata/name").to_owned();
    match (name, all) {
        (None, [only]) => Ok(only),
        (None, _) => Err(HoldError::WhichWorkload {
            name: resource_name(),
            known: known(),
        }),
        (Some(name), all) => {
            all.iter()
                .find(|one| name_of(one) == Some(name))
                .ok_or_else(|| HoldError::NoWorkload {
                    name: resource_name(),
                    workload: name.to_owned(),
                    known: known(),
                })
        }
    }
}

/// Who holds a resource; `None` if nobody does.
///
/// # Errors
/// When the annotation cannot be read.
pub fn held(resource: &Value) -> Result<Option<Hold>, HoldError> {
    let annotation = resource
        .pointer("/metadata/annotations")
        .and_then(|annotations| annotations.get(ANNOTATION));
    let Some(annotation) = annotation.and_then(Value::as_str) else {
        return Ok(None);
    };
    serde_json::from_str(annotation)
        .map(Some)
        .map_err(|error| HoldError::Unreadable {
            name: text(resource, "/metadata/name").to_owned(),
            cause: error.to_string(),
        })
}

/// Refuses a resource that is held already.
///
/// # Errors
/// When it is.
pub fn free(resource: &Value) -> Result<(), HoldError> {
    match held(resource)? {
        None => Ok(()),
        Some(hold) => Err(HoldError::Taken {
            name: text(resource, "/metadata/name").to_owned(),
            holder: hold.holder,
            since: hold.since,
            workload: hold.workload,
        }),
    }
}

/// Where `suspend` of a workload is in effect, and what it is there: in the active environment if that overrides it.
pub fn suspend_of(resource: &Value, workload: &str) -> (Option<String>, Option<bool>) {
    let active = text(resource, "/spec/environment");
    let environments = items(resource.pointer("/spec/environments"));
    let overridden = environments
        .iter()
        .find(|one| name_of(one) == Some(active))
        .and_then(|environment| find(environment.get("workloads"), workload))
        .and_then(suspend);
    match overridden {
        Some(suspend) => (Some(active.to_owned()), Some(suspend)),
        None => (
            None,
            find(resource.pointer("/spec/workloads"), workload).and_then(suspend),
        ),
    }
}

/// Whether an HPA follows no metric, in either direction: what the operator makes of `suspend`.
pub fn suspended(hpa: &HorizontalPodAutoscaler) -> bool {
    let Some(behavior) = &hpa.spec.behavior else {
        return false;
    };
    [&behavior.scale_up, &behavior.scale_down]
        .into_iter()
        .all(|rules| {
            let select = rules.as_ref().and_then(|rules| rules.select_policy.as_deref());
            select == Some("Disabled")
        })
}

/// The merge patch that begins a hold: the annotation and `suspend: true`, refused if the resource has changed since it
/// was read.
pub fn hold_patch(resource: &Value, hold: &Hold) -> Value {
    let annotation = serde_json::to_string(hold).unwrap_or_default();
    patch(resource, hold, &json!(annotation), Some(true))
}

/// The merge patch that ends a hold: `suspend` as it was and no annotation, refused if the resource has changed since
/// it was read.
pub fn give_back_patch(resource: &Value, hold: &Hold) -> Value {
    patch(resource, hold, &Value::Null, hold.suspend)
}

/// A merge patch replaces lists as a whole; the same items in the same order leave everything but `suspend` as it is.
fn patch(resource: &Value, hold: &Hold, annotation: &Value, suspend: Option<bool>) -> Value {
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
    // A workload that is gone has nothing to be put back.
    if let Some(item) = item {
        match suspend {
            Some(suspend) => item.insert("suspend".to_owned(), Value::Bool(suspend)),
            None => item.remove("suspend"),
        };
        spec.insert(list.to_owned(), changed.unwrap_or_default());
    }
    json!({
        "metadata": {
            "resourceVersion": text(resource, "/metadata/resourceVersion"),
            "annotations": {ANNOTATION: annotation},
        },
        "spec": spec,
    })
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn find<'a>(list: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    items(list).iter().find(|one| name_of(one) == Some(name))
}

fn find_mut<'a>(list: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    let items = list.as_array_mut()?;
    items
        .iter_mut()
        .find(|one| name_of(one) == Some(name))?
        .as_object_mut()
}

fn name_of(value: &Value) -> Option<&str> {
    value.get("name").and_then(Value::as_str)
}

fn suspend(workload: &Value) -> Option<bool> {
    workload.get("suspend").and_then(Value::as_bool)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource() -> Value {
        json!({
            "metadata": {"name": "voiceassist", "resourceVersion": "41", "annotations": {"team": "voice"}},
            "spec": {
                "environment": "staging",
                "workloads": [{"name": "api", "maxReplicas": 5, "unknown": [1]}, {"name": "worker", "suspend": false}],
                "environments": [
                    {"name": "dev", "workloads": [{"name": "api", "suspend": false}]},
                    {"name": "staging", "workloads": [{"name": "worker", "suspend": true, "maxReplicas": 3}]},
                ],
            },
        })
    }

    fn hold(workload: &str) -> Hold {
        let (environment, suspend) = suspend_of(&resource(), workload);
        Hold {
            holder: "host/1".to_owned(),
            since: "2026-11-26T12:00:00Z".to_owned(),
            workload: workload.to_owned(),
            target: ScaleTargetRef {
                api_version: "apps/v1".to_owned(),
                kind: "Deployment".to_owned(),
                name: workload.to_owned(),
            },
            replicas: 3,
            environment,
            suspend,
        }
    }

    /// RFC 7396, as the API server applies it.
    fn merge(target: &mut Value, patch: &Value) {
        let Value::Object(patch) = patch else {
            *target = patch.clone();
            return;
        };
        if !target.is_object() {
            *target = json!({});
        }
        let target = target.as_object_mut().unwrap();
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }

    #[test]
    fn an_hpa_is_suspended_when_both_directions_are() {
        let hpa = |up: &str, down: &str| -> HorizontalPodAutoscaler {
            serde_json::from_value(
                json!({"spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "x"},
                "behavior": {"scaleUp": {"selectPolicy": up}, "scaleDown": {"selectPolicy": down}}}}),
            )
            .unwrap()
        };
        assert!(suspended(&hpa("Disabled", "Disabled")));
        assert!(!suspended(&hpa("Max", "Disabled")));
    }

    #[test]
    fn what_is_held_is_given_back_as_it_was() {
        for workload in ["api", "worker"] {
            let (before, hold) = (resource(), hold(workload));
            let mut live = before.clone();
            merge(&mut live, &hold_patch(&before, &hold));
            assert_eq!(suspend_of(&live, workload).1, Some(true), "{live}");
            assert_eq!(held(&live).unwrap().as_ref(), Some(&hold));
            let back = give_back_patch(&live, &hold);
            merge(&mut live, &back);
            assert_eq!(live, before);
        }
    }

    #[test]
    fn the_active_environment_is_asked_first() {
        assert_eq!(suspend_of(&resource(), "api"), (None, None));
        assert_eq!(
            suspend_of(&resource(), "worker"),
            (Some("staging".to_owned()), Some(true))
        );
        let mut base = resource();
        base["spec"]["environment"] = Value::Null;
        assert_eq!(suspend_of(&base, "worker"), (None, Some(false)));
    }

    #[test]
    fn changes_of_others_meanwhile_stay() {
        let (before, hold) = (resource(), hold("api"));
        let mut live = before.clone();
        merge(&mut live, &hold_patch(&before, &hold));
        live["spec"]["workloads"][0]["maxReplicas"] = json!(9);
        live["spec"]["workloads"].as_array_mut().unwrap().remove(1);
        let back = give_back_patch(&live, &hold);
        merge(&mut live, &back);
        assert_eq!(
            live["spec"]["workloads"],
            json!([{"name": "api", "maxReplicas": 9, "unknown": [1]}])
        );
        let back = give_back_patch(&json!({"metadata": {}, "spec": {"workloads": []}}), &hold);
        assert_eq!(back["spec"], json!({}));
    }

    #[test]
    fn a_second_test_is_refused_with_the_first_ones_name() {
        let mut live = resource();
        free(&live).unwrap();
        let patch = hold_patch(&live, &hold("api"));
        merge(&mut live, &patch);
        let error = free(&live).unwrap_err().to_string();
        assert!(
            error.contains("host/1") && error.contains("vas test restore voiceassist"),
            "{error}"
        );
        live["metadata"]["annotations"][ANNOTATION] = json!("{");
        assert!(free(&live).unwrap_err().to_string().contains("kubectl annotate"));
    }

    #[test]
    fn the_workload_is_the_named_or_the_only_one() {
        let name = |found: Result<&Value, HoldError>| found.map(|one| one["name"].clone());
        assert_eq!(name(workload(&resource(), Some("worker"))), Ok(json!("worker")));
        let error = workload(&resource(), None).unwrap_err().to_string();
        assert!(error.contains("api, worker"), "{error}");
        let error = workload(&resource(), Some("x")).unwrap_err().to_string();
        assert!(error.contains("no workload \"x\""), "{error}");
        let mut one = resource();
        one["spec"]["workloads"].as_array_mut().unwrap().pop();
        assert_eq!(name(workload(&one, None)), Ok(json!("api")));
    }
}
