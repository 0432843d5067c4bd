//! The flags and feature gates of the HPA controller, and the two directions in which it scales.

use std::time::Duration;

/// Default of the controller's tolerance: it ignores a deviation of up to 10 % from a target.
pub const TOLERANCE: f64 = 0.1;

/// Flags of the kube-controller-manager. No API serves them, so the defaults are assumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Controller {
    /// A metric within this share of its target changes nothing (`--horizontal-pod-autoscaler-tolerance`):
    /// 0.1 is 10 %.
    pub tolerance: f64,
    /// `--horizontal-pod-autoscaler-downscale-stabilization`, in seconds.
    pub downscale_stabilization: i32,
    /// For so long after its start a pod's CPU counts only from a sample that was taken while the pod was
    /// Ready (`--horizontal-pod-autoscaler-cpu-initialization-period`).
    pub cpu_initialization_period: Duration,
    /// Later, a pod that is not Ready is left out if it became so within this time of its start, because it
    /// has then never been Ready (`--horizontal-pod-autoscaler-initial-readiness-delay`).
    pub initial_readiness_delay: Duration,
    /// Its feature gates (`--feature-gates`).
    pub gates: Gates,
}

/// The feature gates that decisions depend on. The defaults are those of 1.37, where all are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// `HPAScaleToZero`: the controller remembers that it scaled to zero, and may leave zero again.
    pub scale_to_zero: bool,
    /// `HPAConfigurableTolerance`: the tolerances of `behavior` count.
    pub configurable_tolerance: bool,
    /// `PodLevelResources`: the requests of a pod as a whole count.
    pub pod_level_resources: bool,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            scale_to_zero: true,
            configurable_tolerance: true,
            pod_level_resources: true,
        }
    }
}

impl Default for Controller {
    fn default() -> Self {
        Self {
            tolerance: TOLERANCE,
            downscale_stabilization: 300,
            cpu_initialization_period: Duration::from_mins(5),
            initial_readiness_delay: Duration::from_secs(30),
            gates: Gates::default(),
        }
    }
}

/// Which way the number of replicas moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Direction {
    /// Towards more replicas.
    Up,
    /// Towards fewer replicas.
    Down,
}
