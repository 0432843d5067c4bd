//! Progress lines about the replicas while a test runs: one line for each thing that people wait for.

use crate::model::scaling::{EventKind, Moment, Replicas, Scaling};

/// The end of a line that counts Ready replicas.
const ARE_READY: &str = "replicas are Ready";

/// How much of a [`Scaling`] was reported before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reported {
    replicas: usize,
    events: usize,
    last: Option<Replicas>,
}

impl Reported {
    /// The news since the last call, one line each. Single pods are not reported, only their number.
    pub fn news(&mut self, scaling: &Scaling) -> Vec<String> {
        let mut news: Vec<(Moment, String)> = Vec::new();
        for seen in scaling.replicas.iter().skip(self.replicas) {
            if let Some(last) = self.last {
                news.extend(replicas(last, *seen).map(|words| (seen.at, words)));
            }
            self.last = Some(*seen);
        }
        for event in scaling.events.iter().skip(self.events) {
            let words = match event.kind {
                EventKind::HpaCondition if matters(&event.object, &event.words) => {
                    format!("HPA {} {}", event.object, event.words)
                }
                EventKind::PodUnready => format!("pod {} is no longer Ready", event.object),
                EventKind::PodRefused => format!("{} gets no pod: {}", event.object, event.words),
                EventKind::VpaRecommendation => format!("VPA recommends {}", event.words),
                _ => continue,
            };
            news.push((event.at, words));
        }
        self.replicas = scaling.replicas.len();
        self.events = scaling.events.len();
        news.sort_by(|one, other| one.0.total_cmp(&other.0));
        // While pods become Ready one after another, only the last count of a sequence is shown.
        let lines = news.iter().zip(news.iter().skip(1).map(Some).chain([None]));
        lines
            .filter(|(now, next)| !next.is_some_and(|next| counts(&now.1) && counts(&next.1)))
            .map(|((at, words), _)| format!("  {at:>6.1}s  {words}"))
            .collect()
    }
}

/// Whether a line is a count of Ready replicas.
fn counts(words: &str) -> bool {
    words.ends_with(ARE_READY)
}

/// Whether a change of a condition is news. `AbleToScale` and `ScalingLimited` (at the lower bound) change
/// with each rescale. People want to know only that the HPA cannot scale, or may not scale up.
fn matters(condition: &str, words: &str) -> bool {
    match condition {
        "AbleToScale" => words.starts_with("False"),
        "ScalingLimited" => words.starts_with("True") && !words.ends_with("TooFewReplicas"),
        _ => true,
    }
}

fn replicas(before: Replicas, now: Replicas) -> Option<String> {
    if now.desired != before.desired {
        return Some(format!(
            "HPA wants {} replicas (was {}), {} are Ready",
            now.desired, before.desired, now.ready
        ));
    }
    (now.ready != before.ready).then(|| format!("{} of {} {ARE_READY}", now.ready, now.desired))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scaling::Event;

    #[test]
    fn each_change_is_told_once_and_in_order() {
        let seen = |at: f64, desired: u32, ready: u32| Replicas {
            at,
            desired,
            current: desired,
            ready,
        };
        let mut scaling = Scaling {
            replicas: vec![seen(0.0, 2, 2)],
            ..Scaling::default()
        };
        let mut reported = Reported::default();
        assert!(reported.news(&scaling).is_empty());
        scaling.replicas.push(seen(12.0, 4, 2));
        scaling.replicas.push(seen(19.9, 4, 3));
        scaling.replicas.push(seen(20.0, 4, 4));
        scaling.events.push(Event {
            at: 13.0,
            kind: EventKind::PodRefused,
            object: "replicaset/api-1".to_owned(),
            words: "exceeded quota".to_owned(),
        });
        let condition = |object: &str, words: &str| Event {
            at: 30.0,
            kind: EventKind::HpaCondition,
            object: object.to_owned(),
            words: words.to_owned(),
        };
        scaling
            .events
            .push(condition("AbleToScale", "True: ReadyForNewScale"));
        scaling
            .events
            .push(condition("ScalingLimited", "True: TooManyReplicas"));
        assert_eq!(
            reported.news(&scaling),
            [
                "    12.0s  HPA wants 4 replicas (was 2), 2 are Ready",
                "    13.0s  replicaset/api-1 gets no pod: exceeded quota",
                "    20.0s  4 of 4 replicas are Ready",
                "    30.0s  HPA ScalingLimited True: TooManyReplicas",
            ]
        );
        assert!(reported.news(&scaling).is_empty());
    }
}
