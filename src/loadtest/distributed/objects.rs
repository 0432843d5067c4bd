//! The objects of a load in pods, as values: an Indexed Job, the Service at which its pods meet, and the Secret with
//! what they need. Service and Secret belong to the Job and go with it.
//!
//! Invariant: a namespace that enforces `restricted` takes the pods; the Job ends and goes without anybody's help.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    ByteString,
    api::{
        batch::v1::Job,
        core::v1::{Secret, Service},
    },
};
use serde_json::{Value, json};

use super::parcel::{BARRIER, Parcel};

/// The annotation in which Kubernetes says the number of a worker.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The label with the name of the Job.
pub(super) const OF_JOB: &str = "batch.kubernetes.io/job-name";
/// The container that sends.
pub(super) const CONTAINER: &str = "vas";
/// Where the pods meet.
pub(super) const PORT: u16 = 7419;
/// Where a pod has its parcel.
const FOLDER: &str = "/etc/vas-test";
/// How long a Job that ended stays where nobody removed it, so that its logs can be read.
const KEPT: Duration = Duration::from_secs(3600);
/// What a worker needs besides the load: to begin, to report, to end.
const SPARE: Duration = Duration::from_secs(300);

/// Where and how the workers run.
#[derive(Clone, Debug)]
pub struct Order {
    /// How many there are.
    pub workers: u32,
    /// Image of vas.
    pub image: String,
    /// Secrets for its registry.
    pub pull_secrets: Vec<String>,
    /// Account of the pods; it needs no rights.
    pub service_account: Option<String>,
    /// Processors that each pod requests, as a quantity.
    pub cpu: String,
    /// Memory that each pod requests and may have, as a quantity.
    pub memory: String,
    /// Arguments of each worker, which must hold no secrets.
    pub arguments: Vec<String>,
    /// Longest wait until all are ready.
    pub start_within: Duration,
    /// How long the load is.
    pub load: Duration,
    /// Longest wait for what is under way when a worker is told to end.
    pub patience: Duration,
}

/// The Job. It has the name of its Secret, because its pods name that before there is one.
///
/// # Errors
/// The form of the Job can always be read.
pub(super) fn job(order: &Order, parcel: &Parcel, secret: &str) -> Result<Job, serde_json::Error> {
    let seconds = |time: Duration| time.as_secs() + 1;
    let deadline = order.start_within + order.load + order.patience + SPARE;
    let items: Vec<Value> = parcel
        .files()
        .iter()
        .map(|(path, key)| json!({"key": key, "path": path}))
        .chain([json!({"key": BARRIER, "path": BARRIER})])
        .collect();
    let variables: Vec<Value> = parcel
        .variables()
        .iter()
        .map(|(name, key)| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}))
        .collect();
    let pull_secrets: Vec<Value> = order
        .pull_secrets
        .iter()
        .map(|name| json!({"name": name}))
        .collect();
    serde_json::from_value(json!({
        "metadata": {"name": secret, "labels": labels()},
        "spec": {
            "completionMode": "Indexed",
            "completions": order.workers,
            "parallelism": order.workers,
            // A worker that is lost is not replaced, and the others go on: their reports are wanted.
            "backoffLimitPerIndex": 0,
            "activeDeadlineSeconds": seconds(deadline),
            "ttlSecondsAfterFinished": KEPT.as_secs(),
            "template": {
                "metadata": {
                    "labels": labels(),
                    // A run that is moved is a run that is lost.
                    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
                },
                "spec": {
                    "serviceAccountName": order.service_account,
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": seconds(order.patience) + 10,
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "imagePullSecrets": pull_secrets,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    // Nodes are shared where there are too few.
                    "topologySpreadConstraints": [{
                        "maxSkew": 1,
                        "topologyKey": "kubernetes.io/hostname",
                        "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": {OF_JOB: secret}},
                    }],
                    "containers": [{
                        "name": CONTAINER,
                        "image": order.image,
                        "imagePullPolicy": "IfNotPresent",
                        "args": order.arguments,
                        "workingDir": FOLDER,
                        "env": variables,
                        "ports": [{"name": "barrier", "containerPort": PORT}],
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        // No limit of CPU: a generator that is throttled sends late, and its run is INVALID.
                        "resources": {
                            "requests": {"cpu": order.cpu, "memory": order.memory},
                            "limits": {"memory": order.memory},
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "readOnlyRootFilesystem": true,
                            "capabilities": {"drop": ["ALL"]},
                        },
                        "volumeMounts": [{"name": "parcel", "mountPath": FOLDER, "readOnly": true}],
                    }],
                    "volumes": [{"name": "parcel", "secret": {"secretName": secret, "items": items}}],
                },
            },
        },
    }))
}

/// The Service at which worker 0 is reached. It has an address before the pods are there, so none of them asks for a
/// name that is not known yet.
///
/// # Errors
/// The form of the Service can always be read.
pub(super) fn service(owner: &Value, name: &str) -> Result<Service, serde_json::Error> {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": labels(), "ownerReferences": [owner]},
        "spec": {
            "selector": {OF_JOB: name, INDEX: "0"},
            "publishNotReadyAddresses": true,
            "ports": [{"name": "barrier", "port": PORT, "targetPort": "barrier"}],
        },
    }))
}

/// The Secret with the parcel.
///
/// # Errors
/// The form of the Secret can always be read.
pub(super) fn secret(
    owner: &Value,
    name: &str,
    parcel: Parcel,
    barrier: Vec<u8>,
) -> Result<Secret, serde_json::Error> {
    let mut secret: Secret = serde_json::from_value(json!({
        "metadata": {"name": name, "labels": labels(), "ownerReferences": [owner]},
        "immutable": true,
    }))?;
    let mut data: BTreeMap<String, ByteString> = parcel
        .into_contents()
        .into_iter()
        .map(|(key, content)| (key, ByteString(content)))
        .collect();
    data.insert(BARRIER.to_owned(), ByteString(barrier));
    secret.data = Some(data);
    Ok(secret)
}

/// The reference of an object that belongs to the Job.
pub(super) fn owner(job: &Job) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job.metadata.name,
        "uid": job.metadata.uid,
        "controller": true,
        "blockOwnerDeletion": false,
    })
}

fn labels() -> Value {
    json!({
        "app.kubernetes.io/name": "vas-load-test",
        "app.kubernetes.io/part-of": "voiceassist-scaling",
    })
}
