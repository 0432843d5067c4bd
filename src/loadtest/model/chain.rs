//! The time-to-scale chain of one scale-up: each event from the rise of the load to enough Ready replicas,
//! and the seconds between them.

use super::scaling::Moment;

/// One scale-up of the workload, from the rise of the load to enough Ready replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Desired replicas before the scale-up.
    pub from: u32,
    /// Desired replicas after the scale-up.
    pub to: u32,
    /// One link for each kind of event, in the order of [`LinkKind`].
    pub links: Vec<Link>,
    /// What to change to make the slowest link faster.
    pub hint: Option<String>,
}

/// One event of a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The kind of event.
    pub kind: LinkKind,
    /// Seconds since the run began; `None` where the event was not seen.
    pub at: Option<Moment>,
    /// Seconds since the last earlier link that was seen. `None` for the first link, and where this one was
    /// not seen.
    pub seconds: Option<f64>,
}

/// Kinds of events of a scale-up, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// The load rose above what the current replicas can carry.
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
    /// The link that took longest; `None` where no link has a duration.
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

    /// Seconds from the load step until all new pods are Ready; `None` unless both were seen.
    pub fn time_to_scale(&self) -> Option<f64> {
        let at = |kind| self.links.iter().find(|link| link.kind == kind)?.at;
        Some(at(LinkKind::Ready)? - at(LinkKind::LoadStep)?)
    }
}
