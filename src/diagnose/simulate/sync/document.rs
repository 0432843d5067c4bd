//! The file that `vas simulate sync` reads.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::memory::Memory;
use vas_core::hpa::{self, Controller};

/// One sync of the HPA controller: what it reads, and what it remembers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Document {
    /// The HorizontalPodAutoscaler (autoscaling/v2), as `kubectl get hpa NAME -o yaml` prints it. Of its status the
    /// condition ScaledToZero counts; the other conditions are in the output as the sync leaves them.
    #[schemars(with = "Map<String, Value>")]
    pub hpa: Value,
    /// The scale subresource (autoscaling/v1) of the target: `spec.replicas`, `status.replicas` and
    /// `status.selector` count.
    #[schemars(with = "Map<String, Value>")]
    pub scale: Value,
    /// The pods (v1) that the selector selects.
    #[serde(default)]
    #[schemars(with = "Vec<Map<String, Value>>")]
    pub pods: Vec<Value>,
    /// The answer to each metric, in the order of `spec.metrics`: what metrics.k8s.io, custom.metrics.k8s.io or
    /// external.metrics.k8s.io answers, with a field `items`; or `{error: TEXT}` for a read that fails.
    #[serde(default)]
    #[schemars(with = "Vec<Map<String, Value>>")]
    pub answers: Vec<Value>,
    /// Whether another HPA selects some of the pods too.
    #[serde(default)]
    pub other_hpa_selects_pods: bool,
    /// What the controller remembers of earlier syncs. Without it, this is the first one.
    #[serde(default)]
    pub state: Memory,
    /// The moment of the sync. Default: the present.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub now: Option<Timestamp>,
    /// Feature gates of the controller; each is on by default, as in Kubernetes 1.37.
    #[serde(default)]
    pub feature_gates: Gates,
    /// Flags of the controller.
    #[serde(default)]
    pub controller: Flags,
}

/// Feature gates of kube-controller-manager.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gates {
    /// The controller remembers that it scaled to zero, and may leave zero again.
    #[serde(rename = "HPAScaleToZero")]
    pub scale_to_zero: bool,
    /// The tolerances of `behavior` count.
    #[serde(rename = "HPAConfigurableTolerance")]
    pub configurable_tolerance: bool,
    /// The requests of pods as a whole count.
    #[serde(rename = "PodLevelResources")]
    pub pod_level_resources: bool,
}

/// Flags of kube-controller-manager; without `--horizontal-pod-autoscaler-`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Flags {
    /// Deviation from a target that is ignored: 0.1 is 10 %.
    pub tolerance: f64,
    /// Stabilization window for scaling down, for HPAs that set none.
    pub downscale_stabilization_seconds: u16,
    /// How long CPU of a starting pod may not count.
    pub cpu_initialization_period_seconds: u32,
    /// How long after its start a pod that is not ready counts as starting.
    pub initial_readiness_delay_seconds: u32,
}

impl Default for Gates {
    fn default() -> Self {
        let hpa::Gates {
            scale_to_zero,
            configurable_tolerance,
            pod_level_resources,
        } = hpa::Gates::default();
        Self {
            scale_to_zero,
            configurable_tolerance,
            pod_level_resources,
        }
    }
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            tolerance: hpa::TOLERANCE,
            downscale_stabilization_seconds: 300,
            cpu_initialization_period_seconds: 300,
            initial_readiness_delay_seconds: 30,
        }
    }
}

impl Flags {
    pub(super) fn read(self, gates: Gates) -> Controller {
        Controller {
            tolerance: self.tolerance,
            downscale_stabilization: self.downscale_stabilization_seconds.into(),
            cpu_initialization_period: Duration::from_secs(self.cpu_initialization_period_seconds.into()),
            initial_readiness_delay: Duration::from_secs(self.initial_readiness_delay_seconds.into()),
            gates: hpa::Gates {
                scale_to_zero: gates.scale_to_zero,
                configurable_tolerance: gates.configurable_tolerance,
                pod_level_resources: gates.pod_level_resources,
            },
        }
    }
}
