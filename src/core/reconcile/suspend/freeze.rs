//! Finds the workloads that are suspended at a moment, by annotations or by the spec, and describes the
//! suspensions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    annotation::{MOST_HOLDERS, entries},
    quoted,
    suspension::{Reason, Suspension, SuspensionError, Workloads},
};
use crate::{
    k8s::conditions::cut,
    spec::{model::Scaling, rules::Validation},
};
use vas_api::v1alpha1::VoiceAssistScaling;

/// All suspensions of a resource that hold at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    entries: Vec<Entry>,
}

/// The suspension of one holder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Key of the annotation; `None` for `suspend: true` in the spec.
    key: Option<String>,
    /// Whether every workload of the resource is suspended.
    all: bool,
    /// Names of the workloads that this suspension freezes.
    frozen: Vec<String>,
    /// Names in the annotation that freeze nothing: unknown workloads, or workloads that break a rule.
    unfrozen: Vec<String>,
    until: Option<Timestamp>,
    reason: Option<Reason>,
    /// Why the annotation cannot be read.
    fault: Option<String>,
}

/// Freezes the workloads that an annotation suspends, as if `suspend: true` stood in the spec.
pub fn freeze(object: &VoiceAssistScaling, validation: &mut Validation, now: Timestamp) -> Suspended {
    let mut suspended = Suspended::default();
    let scaling = validation.scaling.as_mut();
    suspended.entries.extend(scaling.as_deref().and_then(by_spec));
    let names: Vec<String> = scaling
        .as_deref()
        .map(|scaling| scaling.workloads.iter().map(|one| one.name.clone()).collect())
        .unwrap_or_default();
    for (position, (key, text)) in entries(object.metadata.annotations.as_ref()).enumerate() {
        if position == MOST_HOLDERS {
            // The rest is not read, and might suspend any workload. So all workloads are frozen.
            let fault =
                format!("it is one too many: at most {MOST_HOLDERS} annotations may suspend a resource");
            suspended.entries.push(Entry::unreadable(key, fault, &names));
            break;
        }
        suspended.entries.extend(by_annotation(key, text, &names, now));
    }
    // An annotation only ever adds to what the spec suspends.
    let frozen = suspended.frozen();
    for workload in scaling.into_iter().flat_map(|scaling| &mut scaling.workloads) {
        workload.suspended |= frozen.contains(workload.name.as_str());
    }
    suspended
}

/// The time at which the first of the suspensions in these annotations ends; `None` if none ends by itself.
/// This version of [`Suspended::next_end`] needs no validated resource.
pub fn next_end(annotations: Option<&BTreeMap<String, String>>, now: Timestamp) -> Option<Timestamp> {
    entries(annotations)
        .take(MOST_HOLDERS)
        .filter_map(|(_, text)| text.parse::<Suspension>().ok())
        .filter(|suspension| suspension.holds_at(now))
        .filter_map(|suspension| suspension.until)
        .min()
}

/// The suspension in the spec; `None` if the spec suspends no workload.
fn by_spec(scaling: &Scaling) -> Option<Entry> {
    let frozen: Vec<String> = scaling
        .workloads
        .iter()
        .filter(|workload| workload.suspended)
        .map(|workload| workload.name.clone())
        .collect();
    (!frozen.is_empty()).then(|| Entry {
        key: None,
        all: frozen.len() == scaling.workloads.len(),
        frozen,
        unfrozen: Vec::new(),
        until: None,
        reason: None,
        fault: None,
    })
}

/// The suspension in an annotation; `None` if it has ended. `names` are those of the valid workloads.
fn by_annotation(key: &str, text: &str, names: &[String], now: Timestamp) -> Option<Entry> {
    let suspension: Suspension = match text.parse() {
        Ok(suspension) => suspension,
        Err(error) => {
            let fault = match error {
                SuspensionError::TooLong => error.to_string(),
                _ => format!("{}: {error}", quoted(text)),
            };
            return Some(Entry::unreadable(key, fault, names));
        }
    };
    if !suspension.holds_at(now) {
        return None;
    }
    // A name that freezes nothing is kept for the message: its author expects that workload to stand still.
    let has = |name: &str| names.iter().any(|one| one == name);
    let unfrozen = suspension.workloads.names().filter(|name| !has(name));
    Some(Entry {
        key: Some(key.to_owned()),
        all: suspension.workloads == Workloads::All,
        frozen: names
            .iter()
            .filter(|name| suspension.workloads.contains(name))
            .cloned()
            .collect(),
        unfrozen: unfrozen.map(str::to_owned).collect(),
        until: suspension.until,
        reason: suspension.reason,
        fault: None,
    })
}

impl Entry {
    fn unreadable(key: &str, fault: String, names: &[String]) -> Self {
        Self {
            key: Some(key.to_owned()),
            all: true,
            frozen: names.to_vec(),
            unfrozen: Vec::new(),
            until: None,
            reason: None,
            fault: Some(fault),
        }
    }

    /// Workloads and end, such as `api-gateway,worker until 2026-11-28T12:00:00Z`.
    fn short(&self) -> String {
        let which = if self.all {
            "all".to_owned()
        } else {
            self.frozen.join(",")
        };
        match self.until {
            Some(until) => format!("{which} until {until}"),
            None => which,
        }
    }

    /// Workloads, end, annotation and reason, such as `api until resumed by annotation KEY (incident 4711)`.
    fn long(&self) -> String {
        let Some(key) = &self.key else {
            return format!("{} by suspend: true in the spec", self.short());
        };
        if let Some(fault) = &self.fault {
            return format!("all, because annotation {key} cannot be read: {fault}");
        }
        let mut words = if self.frozen.is_empty() {
            format!("nothing by annotation {key}")
        } else {
            let end = if self.until.is_none() {
                " until resumed"
            } else {
                ""
            };
            let reason = self.reason.as_ref().map(|reason| format!(" ({reason})"));
            let reason = reason.unwrap_or_default();
            format!("{}{end} by annotation {key}{reason}", self.short())
        };
        if self.frozen.is_empty() && self.unfrozen.is_empty() {
            words.push_str(", because no workload obeys the rules");
        }
        if !self.unfrozen.is_empty() {
            words.push_str(", which names ");
            words.push_str(&self.unfrozen.join(", "));
            words.push_str(": no such workload, or its spec breaks a rule");
        }
        words
    }
}

impl Suspended {
    /// The time at which the first of the suspensions ends; `None` if none ends by itself.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.entries.iter().filter_map(|entry| entry.until).min()
    }

    /// Names of the frozen workloads.
    pub fn frozen(&self) -> BTreeSet<&str> {
        let entries = self.entries.iter();
        entries
            .flat_map(|entry| &entry.frozen)
            .map(String::as_str)
            .collect()
    }

    /// Words for the first of these workloads that is not frozen although it should be: `workload api`, or
    /// `the resource` if all should be frozen and none is. `None` if all of them are frozen.
    pub fn left_out(&self, workloads: &Workloads) -> Option<String> {
        let frozen = self.frozen();
        match workloads.names().find(|name| !frozen.contains(name)) {
            Some(workload) => Some(format!("workload {workload}")),
            None if frozen.is_empty() => Some("the resource".to_owned()),
            None => None,
        }
    }

    /// Whether any workload is frozen.
    pub fn any(&self) -> bool {
        self.entries.iter().any(|entry| !entry.frozen.is_empty())
    }

    /// Whether an annotation cannot be read.
    pub fn unreadable(&self) -> bool {
        self.entries.iter().any(|entry| entry.fault.is_some())
    }

    /// Frozen workloads and the end, for a column of `kubectl get`. `None` if no workload is frozen.
    pub fn short(&self) -> Option<String> {
        let frozen = self.entries.iter().filter(|entry| !entry.frozen.is_empty());
        joined(frozen.map(Entry::short))
    }

    /// Frozen workloads, end, holder and reason, and the names in annotations that freeze nothing. `None`
    /// without a suspension.
    pub fn long(&self) -> Option<String> {
        joined(self.entries.iter().map(Entry::long))
    }

    /// The text of [`Suspended::long`] for each holder, with the key of its annotation; `None` stands for the
    /// spec.
    pub fn each(&self) -> impl Iterator<Item = (Option<&str>, String)> {
        self.entries
            .iter()
            .map(|entry| (entry.key.as_deref(), cut(entry.long())))
    }

    /// The text of [`Suspended::long`] for the annotations that freeze a workload, except the annotation
    /// `own`.
    pub fn by_others(&self, workload: &str, own: &str) -> Option<String> {
        let others = self.entries.iter().filter(|entry| {
            let theirs = entry.key.as_deref().is_some_and(|key| key != own);
            theirs && entry.frozen.iter().any(|name| name == workload)
        });
        joined(others.map(Entry::long))
    }

    /// The text of [`Suspended::long`] for all suspensions that freeze a workload.
    pub fn of(&self, workload: &str) -> Option<String> {
        let of = |entry: &&Entry| entry.frozen.iter().any(|name| name == workload);
        joined(self.entries.iter().filter(of).map(Entry::long))
    }
}

fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| cut(words.join("; ")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        reconcile::{
            suspend::annotation::ANNOTATION,
            testing::{resource, worker},
        },
        spec::rules::validate,
    };

    const NOW: &str = "2026-11-28T11:00:00Z";

    fn object(annotations: Value) -> VoiceAssistScaling {
        let mut api = worker();
        api["name"] = json!("api");
        api["scaleTargetRef"]["name"] = json!("api");
        let mut object = resource(json!({"workloads": [api, worker()]}));
        object.metadata.annotations = serde_json::from_value(annotations).unwrap();
        object
    }

    #[test]
    fn the_next_end_is_the_first_of_what_still_holds() {
        let object = object(json!({
            ANNOTATION: "until=2026-11-28T13:00:00Z",
            format!("{ANNOTATION}.a"): "workloads=api until=2026-11-28T12:00:00Z",
            format!("{ANNOTATION}.b"): "until=2026-11-28T10:00:00Z",
            format!("{ANNOTATION}.c"): "until resumed",
        }));
        let end = next_end(object.metadata.annotations.as_ref(), NOW.parse().unwrap());
        assert_eq!(end, Some("2026-11-28T12:00:00Z".parse().unwrap()));
        assert_eq!(next_end(None, NOW.parse().unwrap()), None);
    }

    /// Names of the frozen workloads, and the suspensions.
    fn frozen(object: &VoiceAssistScaling) -> (Vec<String>, Suspended) {
        let mut validation = validate(object);
        let suspended = freeze(object, &mut validation, NOW.parse().unwrap());
        let workloads = validation
            .scaling
            .into_iter()
            .flat_map(|scaling| scaling.workloads);
        let frozen = workloads.filter(|one| one.suspended).map(|one| one.name);
        (frozen.collect(), suspended)
    }

    #[test]
    fn the_named_workloads_are_frozen_until_the_moment() {
        let text = "workloads=api until=2026-11-28T12:00:00Z reason=incident 4711";
        let (names, suspended) = frozen(&object(json!({ANNOTATION: text})));
        assert_eq!(names, ["api"]);
        assert_eq!(suspended.short().unwrap(), "api until 2026-11-28T12:00:00Z");
        assert_eq!(
            suspended.long().unwrap(),
            "api until 2026-11-28T12:00:00Z by annotation scaling.voiceassist.io/suspend (incident 4711)"
        );
        assert_eq!(
            suspended.next_end(),
            Some("2026-11-28T12:00:00Z".parse().unwrap())
        );
        assert_eq!(suspended.of("worker"), None);
        let (names, suspended) = frozen(&object(json!({ANNOTATION: "until=2026-11-28T11:00:00Z"})));
        assert_eq!((names.len(), suspended), (0, Suspended::default()));
    }

    #[test]
    fn holders_and_the_spec_hold_side_by_side() {
        let mut object = object(json!({
            ANNOTATION: "workloads=api until=2026-11-28T12:00:00Z",
            format!("{ANNOTATION}.capacity-test"): "workloads=api until=2026-11-28T11:02:00Z",
        }));
        object.spec.workloads[1].suspend = Some(true);
        let (names, suspended) = frozen(&object);
        assert_eq!(names, ["api", "worker"]);
        assert_eq!(
            suspended.next_end(),
            Some("2026-11-28T11:02:00Z".parse().unwrap())
        );
        assert_eq!(
            suspended.short().unwrap(),
            "worker; api until 2026-11-28T12:00:00Z; api until 2026-11-28T11:02:00Z"
        );
        let words = suspended.of("api").unwrap();
        assert!(
            words.contains("scaling.voiceassist.io/suspend.capacity-test"),
            "{words}"
        );
    }

    #[test]
    fn what_cannot_be_read_freezes_all_and_is_quoted() {
        let (names, suspended) = frozen(&object(json!({ANNOTATION: "true"})));
        assert_eq!(names, ["api", "worker"]);
        assert!(suspended.unreadable());
        let words = suspended.long().unwrap();
        assert!(
            words.starts_with(
                "all, because annotation scaling.voiceassist.io/suspend cannot be read: \"true\""
            ),
            "{words}"
        );
    }

    #[test]
    fn a_name_that_is_no_workload_is_said_and_freezes_nothing() {
        let (names, suspended) = frozen(&object(json!({ANNOTATION: "workloads=wroker"})));
        assert!(names.is_empty() && !suspended.any());
        assert_eq!(suspended.short(), None);
        assert!(
            suspended
                .long()
                .unwrap()
                .contains("names wroker: no such workload")
        );
    }

    #[test]
    fn a_workload_that_breaks_a_rule_is_not_said_to_be_frozen() {
        let mut object = object(json!({ANNOTATION: "workloads=api,worker"}));
        object.spec.workloads[0].min_replicas = Some(11);
        let (names, suspended) = frozen(&object);
        assert_eq!(names, ["worker"]);
        assert!(
            suspended
                .long()
                .unwrap()
                .contains("names api: no such workload, or its spec breaks a rule")
        );
    }

    #[test]
    fn where_every_workload_breaks_a_rule_nothing_is_said_to_be_frozen() {
        let mut object = object(json!({ANNOTATION: ""}));
        for workload in &mut object.spec.workloads {
            workload.min_replicas = Some(11);
        }
        let (names, suspended) = frozen(&object);
        assert!(names.is_empty() && !suspended.any());
        assert!(
            suspended
                .long()
                .unwrap()
                .contains("because no workload obeys the rules")
        );
    }

    #[test]
    fn too_many_holders_freeze_all() {
        let annotations: serde_json::Map<String, Value> = (0..=MOST_HOLDERS)
            .map(|holder| (format!("{ANNOTATION}.h{holder}"), json!("workloads=api")))
            .collect();
        let (names, suspended) = frozen(&object(Value::Object(annotations)));
        assert_eq!(names, ["api", "worker"]);
        assert!(suspended.long().unwrap().contains("one too many"));
    }
}
