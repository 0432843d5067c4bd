//! Holding the replicas of a workload for a test: what is changed on the VoiceAssistScaling, and how it is put back.
//!
//! The workload is suspended by an annotation whose end is near and is put off again and again, so that scaling goes on
//! by itself when the test and its machine are gone. What there was is written into a second annotation in the same
//! write: whoever finds it can put everything back, and no second test can begin.
//!
//! Must not: give replicas back once the suspension is over. The HPA has moved them since, and knows better.

mod patch;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling},
    core::{
        reconcile::suspend::{
            Suspension,
            annotation::{self, CAPACITY_TEST},
            freeze,
        },
        spec::rules::validate,
    },
};
pub use patch::{give_back_patch, hold_patch, renew_patch};

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
    /// How it suspends the workload.
    #[serde(default)]
    pub suspended_by: SuspendedBy,
    /// With [`SuspendedBy::Spec`], the environment whose override says whether the workload is suspended; the workload
    /// itself where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// With [`SuspendedBy::Spec`], `suspend` as it was written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// How a test suspends a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SuspendedBy {
    /// By `suspend: true` in the spec, as tests did before there were annotations for it.
    #[default]
    Spec,
    /// By the annotation of the holder [`CAPACITY_TEST`].
    Annotation,
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
        "the annotation {ANNOTATION} of {name} cannot be read ({cause}); put the replicas right by hand and remove it: kubectl annotate voiceassistscaling {name} {ANNOTATION}-; then vas resume {name} --holder {CAPACITY_TEST}"
    )]
    Unreadable {
        /// The resource.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Somebody holds its replicas for another reason.
    #[error(
        "workload {workload} of {name} is suspended: {words}; a test would move replicas that somebody wants to stay. Wait, or resume it first"
    )]
    Suspended {
        /// The resource.
        name: String,
        /// The workload.
        workload: String,
        /// By whom, until when and why.
        words: String,
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

/// Refuses a resource that is held by a test. What is left of a test whose suspension is over holds nothing.
///
/// # Errors
/// When it is.
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

/// Refuses a workload that somebody else suspends by an annotation.
///
/// # Errors
/// When somebody does.
pub fn unsuspended(resource: &Value, workload: &str, now: Timestamp) -> Result<(), HoldError> {
    // What does not parse is refused by those who act on it.
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
    /// Whether scaling has gone on by itself, because nobody put the end of the suspension off.
    pub fn is_over(&self, resource: &Value, now: Timestamp) -> bool {
        if self.suspended_by == SuspendedBy::Spec {
            return false;
        }
        let annotations = resource.pointer("/metadata/annotations");
        let text = annotations.and_then(|annotations| annotations.get(suspension_key())?.as_str());
        // One that cannot be read suspends.
        !text.is_some_and(|text| {
            text.parse::<Suspension>().map_or(true, |held| {
                held.holds_at(now) && held.workloads.contains(&self.workload)
            })
        })
    }
}

/// The annotation by which a test suspends.
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
