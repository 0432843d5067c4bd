//! What a pod says of a worker: which one it is, what it waits for, and why it ended.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::{
    lines::{self, Line},
    objects::{CONTAINER, INDEX},
};
use vas_core::wording::words;

/// The number of the worker whose pod this is; `None` where it is no pod of the Job with this UID, which has so many
/// workers. Whoever creates pods in the namespace chooses their labels and annotations, and not of which Job they are.
pub(super) fn worker(pod: &Pod, job: &str, workers: u32) -> Option<u32> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    if !owners.any(|owner| owner.controller == Some(true) && owner.uid == job) {
        return None;
    }
    let annotations = pod.metadata.annotations.as_ref()?;
    let number = annotations.get(INDEX)?.parse().ok();
    number.filter(|number| *number < workers)
}

fn container(pod: &Pod) -> Option<&ContainerStatus> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    statuses.iter().find(|status| status.name == CONTAINER)
}

/// Whether its log can be read: the container runs, or has run.
pub(super) fn has_log(pod: &Pod) -> bool {
    let state = container(pod).and_then(|status| status.state.as_ref());
    state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
}

/// Why it has ended, in words; `None` while it goes on.
pub(super) fn ended(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let state = container(pod).and_then(|status| status.state.as_ref());
    if let Some(end) = state.and_then(|state| state.terminated.as_ref()) {
        let reason = end.reason.as_deref().filter(|reason| !reason.is_empty());
        let reason = reason.map_or_else(String::new, |reason| format!(" ({})", words(reason)));
        let message = end.message.as_deref().map(last_line).unwrap_or_default();
        let message = if message.is_empty() {
            message
        } else {
            format!(": {message}")
        };
        let code = end.exit_code;
        return Some(format!(
            "its container ended with exit code {code}{reason}{message}"
        ));
    }
    let phase = status.phase.as_deref()?;
    matches!(phase, "Failed" | "Succeeded").then(|| {
        let reason = words(status.reason.as_deref().unwrap_or("no reason is given"));
        let message = words(status.message.as_deref().unwrap_or_default());
        format!("its pod ended as {phase} ({reason}) {message}")
            .trim_end()
            .to_owned()
    })
}

/// What it waits for before its container runs, in words.
pub(super) fn waiting(pod: &Pod) -> String {
    let state = container(pod).and_then(|status| status.state.as_ref());
    if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
        let reason = words(waiting.reason.as_deref().unwrap_or("waiting"));
        return match waiting.message.as_deref() {
            Some(message) => format!("{reason}: {}", last_line(message)),
            None => reason,
        };
    }
    let status = pod.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_ref());
    let scheduled = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    match scheduled.and_then(|condition| condition.message.as_deref()) {
        Some(message) => format!("Unschedulable: {}", last_line(message)),
        None => "its container does not run yet".to_owned(),
    }
}

/// The last line with words for people, and of it what fits into one line of a message.
fn last_line(text: &str) -> String {
    let for_people = |line: &&str| !line.is_empty() && matches!(lines::parse(line), Line::Words(_));
    words(text.lines().map(str::trim).rfind(for_people).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &serde_json::Value) -> Pod {
        let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "load", "uid": "4711", "controller": true});
        let metadata = json!({"annotations": {INDEX: "2"}, "ownerReferences": [owner]});
        let pod = json!({"metadata": metadata, "status": status});
        serde_json::from_value(pod).unwrap()
    }

    fn of_container(state: &serde_json::Value) -> Pod {
        let container = json!({"name": CONTAINER, "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state});
        pod(&json!({"phase": "Pending", "containerStatuses": [container]}))
    }

    #[test]
    fn the_end_is_told_with_its_reason_and_the_last_line() {
        let killed = of_container(&json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}));
        assert_eq!(
            ended(&killed).unwrap(),
            "its container ended with exit code 137 (OOMKilled)"
        );
        assert!(has_log(&killed));
        let failed = of_container(
            &json!({"terminated": {"exitCode": 4, "reason": "Error", "message": "a\nerror: setup: step login\nvas-worker ready\n"}}),
        );
        assert_eq!(
            ended(&failed).unwrap(),
            "its container ended with exit code 4 (Error): error: setup: step login"
        );
        let evicted =
            pod(&json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}));
        assert_eq!(
            ended(&evicted).unwrap(),
            "its pod ended as Failed (Evicted) The node was low on memory."
        );
        assert_eq!(ended(&of_container(&json!({"running": {}}))), None);
    }

    #[test]
    fn a_pod_of_another_or_beyond_the_number_of_workers_is_none_of_the_load() {
        let own = pod(&json!({}));
        assert_eq!(worker(&own, "4711", 3), Some(2));
        assert_eq!(worker(&own, "4711", 2), None);
        assert_eq!(worker(&own, "4712", 3), None);
        let mut foreign = own;
        foreign.metadata.owner_references = None;
        assert_eq!(worker(&foreign, "4711", 3), None);
    }

    #[test]
    fn what_a_pod_says_of_its_end_is_one_line_of_bounded_length() {
        let long = "x\u{7}\n".repeat(5000);
        let terminated = json!({"exitCode": 1, "reason": long, "message": "x".repeat(5000)});
        let failed = pod(&json!({"phase": "Failed", "reason": long, "message": long}));
        for pod in [of_container(&json!({"terminated": terminated})), failed] {
            let said = ended(&pod).unwrap();
            assert!(said.len() < 700 && !said.contains(char::is_control), "{said}");
            assert!(said.ends_with("..."), "that it goes on is said: {said}");
        }
        let pulled = of_container(&json!({"waiting": {"reason": long, "message": "x".repeat(5000)}}));
        assert!(waiting(&pulled).len() < 700, "{}", waiting(&pulled));
    }

    #[test]
    fn what_it_waits_for_is_told() {
        let pulled = of_container(&json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}}));
        assert_eq!(waiting(&pulled), "ErrImagePull: not found");
        assert!(!has_log(&pulled));
        let condition = json!({"type": "PodScheduled", "status": "False", "message": "0/1 nodes"});
        let pending = pod(&json!({"phase": "Pending", "conditions": [condition]}));
        assert_eq!(waiting(&pending), "Unschedulable: 0/1 nodes");
        assert_eq!(waiting(&pod(&json!({}))), "its container does not run yet");
    }
}
