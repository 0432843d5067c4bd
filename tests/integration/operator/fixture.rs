//! An operator, a namespace, and the waits of the tests.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use support::{Cluster, api::condition, eventually, namespace::Namespace, process::Process, vas};

/// A deadline for a reconcile on a machine that runs all tests at once.
pub(crate) const SOON: Duration = Duration::from_secs(90);

/// A namespace with an operator that sees only it.
pub(crate) struct Operated<'cluster> {
    pub cluster: &'cluster Cluster,
    pub namespace: Namespace<'cluster>,
    pub operator: Process,
}

impl<'cluster> Operated<'cluster> {
    /// Starts them on the cluster that all tests share.
    pub(crate) fn start(name: &str) -> Operated<'static> {
        Operated::on(Cluster::shared(), name, &[])
    }

    pub(crate) fn on(cluster: &'cluster Cluster, name: &str, flags: &[&str]) -> Self {
        let namespace = Namespace::create(cluster, name);
        let operator = operator(cluster, namespace.name(), flags);
        Self {
            cluster,
            namespace,
            operator,
        }
    }

    /// The object, if it exists.
    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.namespace.object(kind, name)
    }

    /// Waits until the object is there.
    pub(crate) async fn appears(&self, kind: &str, name: &str) -> Value {
        eventually(SOON, &format!("{kind} {name} exists"), || async {
            self.get(kind, name).ok_or("it does not exist")
        })
        .await
    }

    /// Waits until a field of an object has a value.
    pub(crate) async fn field_becomes(&self, kind: &str, name: &str, pointer: &str, wanted: Value) {
        eventually(SOON, &format!("{kind} {name} {pointer} is {wanted}"), || async {
            let object = self.get(kind, name).unwrap_or_default();
            let found = object.pointer(pointer).cloned().unwrap_or_default();
            if found == wanted {
                Ok(())
            } else {
                Err(found.to_string())
            }
        })
        .await;
    }

    /// Waits until a condition of the resource has a status and a reason; returns its message.
    pub(crate) async fn condition(&self, resource: &str, type_: &str, status: &str, reason: &str) -> String {
        eventually(
            SOON,
            &format!("{resource}: {type_} is {status}/{reason}"),
            || async {
                let conditions = self.conditions(resource);
                let found = conditions.iter().find(|one| one["type"] == type_);
                match found {
                    Some(one) if one["status"] == status && one["reason"] == reason => {
                        Ok(one["message"].as_str().unwrap_or_default().to_owned())
                    }
                    Some(one) => Err(one.to_string()),
                    None => Err(format!("no such condition in {conditions:?}")),
                }
            },
        )
        .await
    }

    /// Waits until each of so many resources says that its children are applied.
    pub(crate) async fn all_applied(&self, resources: usize, deadline: Duration) {
        eventually(deadline, "every status says applied", || async {
            let all = self.namespace.objects("voiceassistscalings", "");
            let applied = all
                .iter()
                .filter(|one| condition(one, "ResourcesApplied").starts_with("True"));
            let applied = applied.count();
            if applied == resources {
                Ok(())
            } else {
                Err(format!("{applied} of {resources}"))
            }
        })
        .await;
    }

    pub(crate) fn conditions(&self, resource: &str) -> Vec<Value> {
        let object = self.get("voiceassistscaling", resource).unwrap_or_default();
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        conditions.cloned().unwrap_or_default()
    }

    /// Reasons and notes of the Events about a resource, oldest first.
    pub(crate) fn events(&self, resource: &str) -> Vec<(String, String)> {
        let mut events = self.namespace.objects("events", "");
        events.retain(|event| event["regarding"]["name"] == resource);
        events.sort_by_key(|event| event["eventTime"].to_string());
        let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .map(|event| (text(event, "reason"), text(event, "note")))
            .collect()
    }

    /// Waits until an Event with this reason is there and returns its note.
    pub(crate) async fn event(&self, resource: &str, reason: &str) -> String {
        eventually(SOON, &format!("an Event {reason}"), || async {
            let events = self.events(resource);
            let found = events.iter().find(|(found, _)| found == reason);
            found.map(|(_, note)| note.clone()).ok_or(format!("{events:?}"))
        })
        .await
    }

    pub(crate) fn replicas(&self, deployment: &str) -> i64 {
        let object = self.get("deployment", deployment).expect("the deployment exists");
        object["spec"]["replicas"].as_i64().expect("replicas is a number")
    }
}

/// An operator without leader election that sees one namespace.
pub(crate) fn operator(cluster: &Cluster, namespace: &str, flags: &[&str]) -> Process {
    operator_with(&cluster.kubeconfig(), namespace, flags)
}

/// The same under another account.
pub(crate) fn operator_with(kubeconfig: &Path, namespace: &str, flags: &[&str]) -> Process {
    let mut args: Vec<String> = [
        "operator",
        "--leader-elect=false",
        "--metrics-bind-address=127.0.0.1:0",
        "--log-format=text",
        "--log-level=info,vas=debug",
    ]
    .map(str::to_owned)
    .into();
    args.push(format!("--kubeconfig={}", kubeconfig.display()));
    args.push(format!("--watch-namespace={namespace}"));
    args.extend(flags.iter().map(|flag| (*flag).to_owned()));
    vas::start("operator", &args, &[])
}

/// A Deployment whose pods carry `app: NAME`.
pub(crate) fn deployment(name: &str, replicas: i32) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name, "tier": "voice"}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "app", "image": "voiceassist/app",
                                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}],
                },
            },
        },
    })
    .to_string()
}

/// A workload of a resource that scales a Deployment of the same name on CPU, with a disruption budget.
pub(crate) fn workload(name: &str) -> Value {
    json!({
        "name": name,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
        "disruption": {"maxUnavailable": 1},
    })
}

/// A resource with these workloads.
pub(crate) fn resource(name: &str, workloads: &[Value]) -> Value {
    json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"name": name}, "spec": {"workloads": workloads},
    })
}
