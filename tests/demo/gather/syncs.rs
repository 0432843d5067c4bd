//! Reads the audit log: when the HPA controller synced, what it wrote, and who else wrote replicas.

use crate::{
    clock::Clock,
    oracle::{Moment, Sync},
    workload::{NAMESPACE, Workload},
};
use support::audit::Request;

/// Account of the HPA controller.
pub(crate) const HPA_CONTROLLER: &str = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
/// Account of the deployment controller. It writes ReplicaSets, and never the replicas of a Deployment.
const DEPLOYMENT_CONTROLLER: &str = "system:serviceaccount:kube-system:deployment-controller";

/// All syncs of a workload's HPA. They are judged from the moment at which the story begins. A sync is a read
/// of its first custom metric, with the write that follows before the next such read.
pub(crate) fn syncs(
    clock: Clock,
    requests: &[Request],
    workload: Workload,
    judged_from: Moment,
) -> Vec<Sync> {
    let mut syncs: Vec<Sync> = Vec::new();
    for request in requests {
        if request.user.username != HPA_CONTROLLER || !request.in_namespace(NAMESPACE) {
            continue;
        }
        let at = clock.of(request.received);
        if reads(request, workload.first_custom_metric()) {
            syncs.push(Sync {
                at,
                wrote: None,
                judged: at >= judged_from,
            });
        } else if let (Some(sync), Some(replicas)) = (syncs.last_mut(), written(request, workload)) {
            sync.wrote = Some(replicas);
        }
    }
    syncs
}

fn reads(request: &Request, metric: &str) -> bool {
    let path = request.uri.split('?').next().unwrap_or_default();
    path.starts_with("/apis/custom.metrics.k8s.io/") && path.ends_with(&format!("/{metric}"))
}

fn written(request: &Request, workload: Workload) -> Option<i32> {
    let object = request.object.as_ref()?;
    let is_scale = object.subresource == "scale" && object.name == workload.name();
    let succeeded = request
        .response
        .as_ref()
        .is_some_and(|response| response.code < 300);
    if !(is_scale && request.is_write() && succeeded) {
        return None;
    }
    let replicas = request.body.as_ref()?.pointer("/spec/replicas")?.as_i64()?;
    i32::try_from(replicas).ok()
}

/// An account that wrote to a Deployment of the story or to its scale.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Writer {
    /// Name of the account.
    pub user: String,
    /// What was written, such as `patch deployments/worker/scale`.
    pub what: String,
}

/// All accounts except the HPA controller that wrote to a scale subresource or to a Deployment in the
/// namespace. The deployment controller is left out: it writes only the status and its own annotations.
pub(crate) fn scale_writers(clock: Clock, requests: &[Request], from: Moment) -> (usize, Vec<Writer>) {
    let mut by_controller = 0;
    let mut others = Vec::new();
    for request in requests {
        let Some(object) = &request.object else { continue };
        let is_target = object.resource == "deployments" && object.namespace == NAMESPACE;
        if !is_target || !request.is_write() || clock.of(request.received) < from {
            continue;
        }
        if request.user.username == HPA_CONTROLLER && object.subresource == "scale" {
            by_controller += 1;
        } else if request.user.username != DEPLOYMENT_CONTROLLER {
            let subresource = Some(&object.subresource).filter(|it| !it.is_empty());
            let path: Vec<&str> = [&object.resource, &object.name]
                .into_iter()
                .chain(subresource)
                .map(String::as_str)
                .collect();
            others.push(Writer {
                user: request.user.username.clone(),
                what: format!("{} {}", request.verb, path.join("/")),
            });
        }
    }
    (by_controller, others)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request(second: u32, verb: &str, user: &str, uri: &str, subresource: &str, body: &Value) -> Request {
        serde_json::from_value(json!({
            "stage": "ResponseComplete", "verb": verb, "requestURI": uri,
            "user": {"username": user},
            "objectRef": {
                "resource": "deployments", "namespace": NAMESPACE, "name": "worker", "subresource": subresource,
            },
            "responseStatus": {"code": 200},
            "requestObject": body,
            "requestReceivedTimestamp": format!("2030-01-01T00:00:{second:02}.5Z"),
        }))
        .unwrap()
    }

    fn read(second: u32, metric: &str) -> Request {
        let uri = format!(
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{NAMESPACE}/deployments.apps/worker/{metric}?a=b"
        );
        request(second, "get", HPA_CONTROLLER, &uri, "", &Value::Null)
    }

    fn write(second: u32, user: &str, replicas: i32) -> Request {
        let body = json!({"spec": {"replicas": replicas}});
        request(second, "update", user, "/apis/apps/v1/...", "scale", &body)
    }

    #[test]
    fn a_write_belongs_to_the_read_before_it() {
        let requests = [
            read(1, "queue-depth"),
            read(1, "queue-age"),
            read(6, "queue-depth"),
            write(6, HPA_CONTROLLER, 3),
            read(11, "queue-depth"),
        ];
        let clock = Clock::start();
        let from = clock.of("2030-01-01T00:00:05Z".parse().unwrap());
        let syncs = syncs(clock, &requests, Workload::Worker, from);
        let seen: Vec<_> = syncs.iter().map(|sync| (sync.wrote, sync.judged)).collect();
        assert_eq!(seen, [(None, false), (Some(3), true), (None, true)]);
    }

    #[test]
    fn whoever_else_writes_is_named() {
        let clock = Clock::start();
        let requests = [
            write(1, HPA_CONTROLLER, 3),
            write(2, "somebody", 1),
            request(3, "patch", DEPLOYMENT_CONTROLLER, "/", "", &Value::Null),
            request(4, "patch", "vas", "/", "", &Value::Null),
        ];
        let (count, others) = scale_writers(clock, &requests, 0.0);
        assert_eq!(count, 1);
        let others: Vec<String> = others
            .iter()
            .map(|writer| format!("{} {}", writer.user, writer.what))
            .collect();
        assert_eq!(
            others,
            [
                "somebody update deployments/worker/scale",
                "vas patch deployments/worker"
            ]
        );
    }
}
