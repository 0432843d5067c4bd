//! What to change if a link of a chain is the slowest.

use crate::model::chain::LinkKind;

/// The advice for the slowest link.
pub(super) fn of(slowest: LinkKind) -> &'static str {
    match slowest {
        LinkKind::LoadStep => "the load rose before it was known what the replicas are for",
        LinkKind::MetricVisible => {
            "the metric shows the load late: shorten Prometheus' scrape interval and the metric's window"
        }
        LinkKind::Desired => {
            "the controller waited: give scaleUp larger policies or shorter periods, and no stabilization window; else it is its sync period (15 s by default)"
        }
        LinkKind::PodCreated => {
            "pods came late after they were asked for: look at the events of the ReplicaSet (quota, admission webhooks)"
        }
        LinkKind::Scheduled => {
            "pods waited for a node: keep spare room (low-priority placeholder pods), lower their requests, or have nodes added sooner"
        }
        LinkKind::Started => {
            "containers started late: a smaller image, one that is on the nodes already, or fewer init containers"
        }
        LinkKind::Ready => {
            "the service took its time to become Ready: a startup probe with a short period, less work at the start, or a lower target so that scaling begins sooner"
        }
        LinkKind::Recovered => {
            "what had queued up took long to be worked off: a lower target or more minReplicas leave room for it, and a limit on the queue sheds it"
        }
    }
}
