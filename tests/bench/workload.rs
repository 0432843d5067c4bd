//! One simulated workload: its objects and its URLs, the same for every adapter.

use serde_json::{Value, json};

use crate::arguments::Read;

/// Pods of a workload.
pub(crate) const PODS: usize = 3;

/// The workload with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Workload(pub usize);

/// The adapter that a URL is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// vas, with the selectors that the HPAs of `vas operator` have.
    Vas,
    /// prometheus-adapter, as its documentation writes HPAs.
    PrometheusAdapter,
    /// KEDA, as the HPAs that it makes read.
    Keda,
}

impl Workload {
    pub(crate) fn namespace(self) -> String {
        format!("bench-{:04}", self.0)
    }

    pub(crate) fn pod(self, index: usize) -> String {
        format!("api-{:04}-{index}", self.0)
    }

    /// Its pods. They are never scheduled, which makes thousands of them cheap. For a server of their metrics
    /// they are live all the same: only the HPA treats pending pods differently.
    pub(crate) fn pods(self) -> impl Iterator<Item = Value> {
        (0..PODS).map(move |index| pending_pod(&self.pod(index), "api"))
    }

    /// The resource that asks for its metrics.
    pub(crate) fn scaling(external: bool) -> Value {
        let mut metrics = vec![
            json!({"name": "request-rate", "requestRate": {
                "counter": "bench_requests_total", "window": "1m", "target": {"averageValue": "100"}}}),
            json!({"name": "queue-depth", "queueDepth": {
                "gauge": "bench_queue_depth", "target": {"averageValue": "50"}}}),
        ];
        if external {
            metrics.push(
                json!({"name": "queue-depth-outside", "external": true, "queueDepth": {
                "gauge": "bench_queue_depth", "target": {"averageValue": "50"}}}),
            );
        }
        json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1",
            "kind": "VoiceAssistScaling",
            "metadata": {"name": "voiceassist"},
            "spec": {"workloads": [{
                "name": "api",
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
                "maxReplicas": 10,
                "metrics": metrics,
            }]},
        })
    }

    /// The URL that the HPA reads. Discovery has one URL for all workloads.
    pub(crate) fn path(self, read: Read, dialect: Dialect) -> String {
        const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";
        const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";
        let namespace = self.namespace();
        let selector = match dialect {
            Dialect::Vas => {
                "scaling.voiceassist.io%2Fname%3Dvoiceassist%2Cscaling.voiceassist.io%2Fworkload%3Dapi"
            }
            Dialect::Keda => "scaledobject.keda.sh%2Fname%3Dapi",
            Dialect::PrometheusAdapter => "",
        };
        let metric_selector = match dialect {
            Dialect::Vas => format!("&metricLabelSelector={selector}"),
            Dialect::PrometheusAdapter | Dialect::Keda => String::new(),
        };
        match (read, dialect) {
            (Read::Object, _) => format!(
                "{CUSTOM}/namespaces/{namespace}/deployments.apps/api/queue-depth?{}",
                metric_selector.trim_start_matches('&')
            ),
            (Read::Pods, _) => format!(
                "{CUSTOM}/namespaces/{namespace}/pods/*/request-rate?labelSelector=app%3Dapi{metric_selector}"
            ),
            (Read::External, Dialect::Vas) => {
                format!("{EXTERNAL}/namespaces/{namespace}/queue-depth-outside?labelSelector={selector}")
            }
            (Read::External, Dialect::PrometheusAdapter) => {
                format!("{EXTERNAL}/namespaces/{namespace}/queue-depth-outside")
            }
            (Read::External, Dialect::Keda) => {
                format!("{EXTERNAL}/namespaces/{namespace}/s0-prometheus?labelSelector={selector}")
            }
            (Read::Discovery, Dialect::Keda) => EXTERNAL.to_owned(),
            (Read::Discovery, Dialect::Vas | Dialect::PrometheusAdapter) => CUSTOM.to_owned(),
        }
    }
}

/// A pod that is never scheduled.
pub(crate) fn pending_pod(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": app}},
        "spec": {
            "schedulerName": "nobody",
            "automountServiceAccountToken": false,
            "containers": [{"name": "app", "image": "voiceassist/app"}],
        },
    })
}
