//! What happened from more load to enough replicas, in seconds: the time-to-scale chain of one scale-up.

use super::scaling::Moment;

/// One scale-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Replicas before.
    pub from: u32,
    /// Replicas that the HPA asked for.
    pub to: u32,
    /// What happened, in the order of [`LinkKind`]; each once.
    pub links: Vec<Link>,
    /// What to change so that it goes faster, for the slowest link.
    pub hint: Option<String>,
}

/// One thing that happened in a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// What.
    pub kind: LinkKind,
    /// When; `None` where it was not seen.
    pub at: Option<Moment>,
    /// Seconds since the link before it that was seen; `None` for the first, and where it was not seen.
    pub seconds: Option<f64>,
}

/// What happens in a scale-up, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// The load went above what the replicas were for.
    LoadStep,
    /// The HPA's status shows a metric above its target.
    MetricVisible,
    /// The HPA asked for more replicas.
    Desired,
    /// The first new pod exists.
    PodCreated,
    /// The last new pod has a node.
    Scheduled,
    /// The containers of the last new pod run.
    Started,
    /// All new pods are Ready.
    Ready,
    /// The p95 latency is below its objective again, if it ever was above.
    Recovered,
}

impl Chain {
    /// The link that took longest.
    pub fn slowest(&self) -> Option<&Link> {
        self.links
            .iter()
            .filter(|link| link.seconds.is_some())
            .max_by(|one, other| {
                one.seconds
                    .unwrap_or(0.0)
                    .total_cmp(&other.seconds.unwrap_or(0.0))
            })
    }

    /// Seconds from the load step to Ready pods; `None` unless both were seen.
    pub fn time_to_scale(&self) -> Option<f64> {
        let at = |kind| self.links.iter().find(|link| link.kind == kind)?.at;
        Some(at(LinkKind::Ready)? - at(LinkKind::LoadStep)?)
    }
}
