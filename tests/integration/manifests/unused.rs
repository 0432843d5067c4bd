//! Least privilege, measured: rights that the install grants and that no request in the audit log has used.

use std::collections::BTreeSet;

use serde_json::Value;

use support::{audit::Request, kustomization::Kustomization};

/// Rights that are needed but leave no request of their own. Admission uses the first. Targets are read from
/// a watch, and with a request only if they were claimed after the watch went past them, or if the watch is
/// refused.
const UNSEEN: [&str; 5] = [
    "vas-operator update scaling.voiceassist.io/voiceassistscalings/finalizers",
    "vas-operator get apps/deployments",
    "vas-operator get apps/deployments/scale",
    "vas-operator get apps/statefulsets",
    "vas-operator get apps/statefulsets/scale",
];

/// What `account` was granted by the ClusterRoles and Roles that carry its name and has not used.
pub(super) fn unused(install: &Kustomization, requests: &[Request], account: &str) -> Vec<String> {
    let used = used(requests, account);
    granted(install, account)
        .into_iter()
        .filter(|right| !used.contains(right) && !UNSEEN.contains(&right.as_str()))
        .collect()
}

fn granted(install: &Kustomization, account: &str) -> BTreeSet<String> {
    let of_the_account = |role: &&Value| {
        let name = role["metadata"]["name"].as_str();
        name.is_some_and(|name| name.starts_with(account))
    };
    let texts = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut granted = BTreeSet::new();
    for role in ["Role", "ClusterRole"]
        .into_iter()
        .flat_map(|kind| install.of_kind(kind))
        .filter(of_the_account)
    {
        for rule in role["rules"].as_array().into_iter().flatten() {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        let right = format!("{account} {verb} {group}/{resource}");
                        let names = texts(&rule["resourceNames"]);
                        if names.is_empty() {
                            granted.insert(right);
                        } else {
                            granted.extend(names.iter().map(|name| format!("{right} {name}")));
                        }
                    }
                }
            }
        }
    }
    granted
}

fn used(requests: &[Request], account: &str) -> BTreeSet<String> {
    let username = format!("system:serviceaccount:vas-system:{account}");
    let mut used = BTreeSet::new();
    for request in requests
        .iter()
        .filter(|request| request.user.username == username)
    {
        let Some(object) = &request.object else { continue };
        let mut resource = format!("{}/{}", object.api_group, object.resource);
        if !object.subresource.is_empty() {
            resource = format!("{resource}/{}", object.subresource);
        }
        // Rights on one object count by its name.
        let mut note = |verb: &str| {
            let right = format!("{account} {verb} {resource}");
            used.insert(format!("{right} {}", object.name));
            used.insert(right);
        };
        note(&request.verb);
        match request.verb.as_str() {
            // A list shows everything that a get would show.
            "list" => note("get"),
            // Applying an object that does not exist yet needs both rights, and the audit log has it as a
            // patch.
            "patch" => note("create"),
            _ => {}
        }
    }
    used
}
