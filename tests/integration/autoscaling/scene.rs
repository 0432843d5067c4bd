//! A gateway that scales: the load model answers its requests, Prometheus counts them, the HPA controller
//! reads them from the metrics server, and the operator has written the HPA.

use std::{process::Output, time::Duration};

use serde_json::{Value, json};

use crate::{
    metrics_server::stack::{Stack, deployment, stack},
    operator::fixture::Operated,
};
use support::{eventually, load_model::LoadModel, turn, vas};

/// A deadline for a machine that runs all tests at once.
const SOON: Duration = Duration::from_secs(90);

/// Requests per second of one pod: the HPA's target, and what the pod can carry.
pub(super) const TARGET: u32 = 20;
const CAPACITY: &str = "--capacity=40";

pub(super) struct Scene {
    pub operated: Operated<'static>,
    pub model: LoadModel,
    _stack: &'static Stack,
}

impl Scene {
    /// Two gateway pods without load. Their HPA scales between 2 and 10, and has a value for its metric.
    pub(super) async fn set(name: &str) -> Self {
        turn::wait_to_load();
        let stack = stack().await;
        let operated = Operated::start(name);
        let namespace = operated.namespace.name();
        // The load model looks for both Deployments when it starts.
        operated.namespace.apply(&gateway());
        operated.namespace.apply(&deployment("worker", 1));
        let arguments = [CAPACITY, "--service-time=5ms", "--queue-limit=20000"];
        let model = LoadModel::start_serving(operated.cluster, namespace, &arguments);
        stack.prometheus.register(namespace, model.address());
        operated.namespace.apply(&voice(namespace).to_string());
        let scene = Self {
            operated,
            model,
            _stack: stack,
        };
        scene.model.until_serving().await;
        scene.active().await;
        scene
    }

    async fn active(&self) {
        eventually(SOON, "the HPA has a value for its metric", || async {
            let hpa = self.operated.get("hpa", "voice-api-gateway").unwrap_or_default();
            match hpa.pointer("/status/currentMetrics/0/pods") {
                Some(_) => Ok(()),
                None => Err(hpa["status"].to_string()),
            }
        })
        .await;
    }

    /// Runs a test of this gateway to its end.
    pub(super) fn run(&self, more: &[&str]) -> Output {
        let arguments = self.arguments(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        vas::run(&arguments)
    }

    /// Arguments of a test of this gateway.
    pub(super) fn arguments(&self, more: &[&str]) -> Vec<String> {
        let mut arguments: Vec<String> = ["test", "autoscaling", "voice"].map(str::to_owned).into();
        arguments.push(format!("--namespace={}", self.operated.namespace.name()));
        arguments.push(format!(
            "--kubeconfig={}",
            self.operated.cluster.kubeconfig().display()
        ));
        arguments.push(format!("--target=http://{}/health", self.model.service()));
        arguments.extend(more.iter().map(|one| (*one).to_owned()));
        arguments
    }
}

/// Pods take three seconds to become Ready.
fn gateway() -> String {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api-gateway"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "api-gateway"}},
            "template": {
                "metadata": {"labels": {"app": "api-gateway"}, "annotations": {"vas.test/ready-after": "3s"}},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "app", "image": "voiceassist/api-gateway"}],
                },
            },
        },
    })
    .to_string()
}

/// The resource of the production gateway, with windows and periods of seconds.
fn voice(namespace: &str) -> Value {
    json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1",
        "kind": "VoiceAssistScaling",
        "metadata": {"name": "voice", "namespace": namespace},
        "spec": {"workloads": [{
            "name": "api-gateway",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api-gateway"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "disruption": {"minAvailable": "50%"},
            "metrics": [{"name": "request-rate", "requestRate": {
                "counter": "voiceassist_http_requests_total",
                "window": "10s",
                "target": {"averageValue": TARGET.to_string()},
            }}],
            "behavior": {
                "scaleUp": {"policies": [
                    {"type": "Percent", "value": 100, "periodSeconds": 5},
                    {"type": "Pods", "value": 4, "periodSeconds": 5},
                ]},
                "scaleDown": {
                    "stabilizationWindowSeconds": 10,
                    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 5}],
                },
            },
        }]},
    })
}
