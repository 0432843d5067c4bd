//! The two workloads of the story, and the names in it.

/// Namespace of the production overlay.
pub(crate) const NAMESPACE: &str = "voiceassist-production";
/// Name of the `VoiceAssistScaling`.
pub(crate) const SCALING: &str = "voiceassist";
/// The environment that the demo adds.
pub(crate) const ENVIRONMENT: &str = "demo";

/// One of the two workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Workload {
    /// The gateway, scaled on its request rate.
    Gateway,
    /// The workers, scaled on the queue's depth and age.
    Worker,
}

impl Workload {
    /// Both workloads, in the order of the tables.
    pub(crate) const ALL: [Self; 2] = [Self::Gateway, Self::Worker];

    /// Name of the workload, of its Deployment, and the `app` label of its pods.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "api-gateway",
            Self::Worker => "worker",
        }
    }

    /// The workload of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.name() == name)
    }

    /// Name of its HPA.
    pub(crate) fn hpa(self) -> String {
        format!("{SCALING}-{}", self.name())
    }

    /// Replicas in production: fewest and most.
    pub(crate) fn bounds(self) -> (i32, i32) {
        match self {
            Self::Gateway => (3, 15),
            Self::Worker => (1, 8),
        }
    }

    /// A custom metric that the HPA controller reads at every sync.
    pub(crate) fn first_custom_metric(self) -> &'static str {
        match self {
            Self::Gateway => "request-rate",
            Self::Worker => "queue-depth",
        }
    }
}
