//! Holds the replicas of a workload for a test: what is changed on the VoiceAssistScaling, and how it is
//! restored.
//!
//! An annotation suspends the workload until a moment in the near future, and the test moves that moment
//! again and again. So scaling goes on by itself when the test and its machine are gone. The same write
//! records the state before in a second annotation: everybody who finds that annotation can restore the
//! state, and no second test can begin.
//!
//! This module must not restore replicas after the suspension has ended: the HPA has scaled since, and its
//! number is right.

mod patch;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

pub use patch::{give_back_patch, hold_patch, renew_patch};
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling};
use vas_core::{
    reconcile::suspend::{
        Suspension,
        annotation::{self, CAPACITY_TEST},
        freeze,
    },
    spec::rules::validate,
};

/// The annotation that holds a [`Hold`] as JSON.
pub const ANNOTATION: &str = "scaling.voiceassist.io/capacity-test";

/// What a test has changed, with the state before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Identity of the holder, unique among all tests.
    pub holder: String,
    /// When the hold began, for people to read.
    pub since: String,
    /// Name of the workload.
    pub workload: String,
    /// Scale target of the workload.
    pub target: ScaleTargetRef,
    /// Replicas in the target's spec before the hold.
    pub replicas: i32,
    /// How the test suspends the workload.
    #[serde(default)]
    pub suspended_by: SuspendedBy,
    /// With [`SuspendedBy::Spec`], the environment whose override has `suspend`; `None` if the workload
    /// itself has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// With [`SuspendedBy::Spec`], the value of `suspend` before the hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// How a test suspends a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SuspendedBy {
    /// By `suspend: true` in the spec, as tests of earlier versions did.
    #[default]
    Spec,
    /// By a suspension annotation of the holder [`CAPACITY_TEST`].
    Annotation,
}

/// Why a workload cannot be held or given back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HoldError {
    /// Another test holds the resource.
    #[error(
        "{name} is held by the capacity test {holder} since {since}, for its workload {workload}; wait for it, or put back what it changed with: vas test restore {name}"
    )]
    Taken {
        /// Name of the resource.
        name: String,
        /// Identity of the holder.
        holder: String,
        /// When the other hold began.
        since: String,
        /// Workload that the other test holds.
        workload: String,
    },
    /// The annotation cannot be parsed; somebody may have changed it.
    #[error(
        "the annotation {ANNOTATION} of {name} cannot be read ({cause}); put the replicas right by hand and remove it: kubectl annotate voiceassistscaling {name} {ANNOTATION}-; then vas resume {name} --holder {CAPACITY_TEST}"
    )]
    Unreadable {
        /// Name of the resource.
        name: String,
        /// What is wrong with the annotation.
        cause: String,
    },
    /// Somebody suspends the workload for another reason.
    #[error(
        "workload {workload} of {name} is suspended: {words}; a test would move replicas that somebody wants to stay. Wait, or resume it first"
    )]
    Suspended {
        /// Name of the resource.
        name: String,
        /// Name of the workload.
        workload: String,
        /// Who suspends it, until when and why.
        words: String,
    },
    /// The resource has no such workload.
    #[error("{name} has no workload {workload:?}; it has {known}")]
    NoWorkload {
        /// Name of the resource.
        name: String,
        /// Name that was requested.
        workload: String,
        /// Names of the workloads that exist.
        known: String,
    },
    /// The resource has several workloads, and none was named.
    #[error("{name} has several workloads: choose one with --workload ({known})")]
    WhichWorkload {
        /// Name of the resource.
        name: String,
        /// Names of the workloads.
        known: String,
    },
}

/// The workload to test: the named one, or the only one.
///
/// # Errors
/// When there is no such workload, or there are several and none is named.
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

/// The hold on a resource; `None` if no test holds it.
///
/// # Errors
/// When the annotation cannot be parsed.
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

/// Checks that no test holds the resource. A hold whose suspension has ended does not count.
///
/// # Errors
/// When a test holds the resource.
pub fn free(resource: &Value, now: Timestamp) -> Result<(), HoldError> {
    match held(resource)? {
        Some(hold) if !hold.is_over(resource, now) => Err(HoldError::Taken {
            name: text(resource, "/metadata/name").to_owned(),
            holder: hold.holder,
            since: hold.since,
            workload: hold.workload,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Checks that nobody else suspends the workload by an annotation.
///
/// # Errors
/// When somebody does.
pub fn unsuspended(resource: &Value, workload: &str, now: Timestamp) -> Result<(), HoldError> {
    // A resource that does not parse is refused by the requests that act on it.
    let Ok(parsed) = serde_json::from_value::<VoiceAssistScaling>(resource.clone()) else {
        return Ok(());
    };
    match freeze(&parsed, &mut validate(&parsed), now).by_others(workload, &suspension_key()) {
        None => Ok(()),
        Some(words) => Err(HoldError::Suspended {
            name: text(resource, "/metadata/name").to_owned(),
            workload: workload.to_owned(),
            words,
        }),
    }
}

impl Hold {
    /// Whether the hold has ended: nobody moved the end of the suspension, and scaling has gone on by itself.
    pub fn is_over(&self, resource: &Value, now: Timestamp) -> bool {
        if self.suspended_by == SuspendedBy::Spec {
            return false;
        }
        let annotations = resource.pointer("/metadata/annotations");
        let text = annotations.and_then(|annotations| annotations.get(suspension_key())?.as_str());
        // An annotation that cannot be parsed still suspends.
        !text.is_some_and(|text| {
            text.parse::<Suspension>().map_or(true, |held| {
                held.holds_at(now) && held.workloads.contains(&self.workload)
            })
        })
    }
}

/// The key of the annotation by which a test suspends a workload.
pub fn suspension_key() -> String {
    annotation::key(Some(&CAPACITY_TEST))
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
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

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
