//! What is told of the replicas while a test runs: a line for each thing that people wait for.

use crate::core::loadtest::scaling::{EventKind, Moment, Replicas, Scaling};

/// How much of a [`Scaling`] has been told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    replicas: usize,
    events: usize,
    last: Option<Replicas>,
}

impl Told {
    /// What is new since the last time, a line each. Pods come one by one; their count is what is told.
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
                EventKind::HpaCondition => format!("HPA {} {}", event.object, event.words),
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
        news.into_iter()
            .map(|(at, words)| format!("  {at:>6.1}s  {words}"))
            .collect()
    }
}

fn replicas(before: Replicas, now: Replicas) -> Option<String> {
    if now.desired != before.desired {
        return Some(format!(
            "HPA wants {} replicas (was {}), {} are Ready",
            now.desired, before.desired, now.ready
        ));
    }
    (now.ready != before.ready).then(|| format!("{} of {} replicas are Ready", now.ready, now.desired))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::loadtest::scaling::Event;

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
        let mut told = Told::default();
        assert!(told.news(&scaling).is_empty());
        scaling.replicas.push(seen(12.0, 4, 2));
        scaling.replicas.push(seen(20.0, 4, 4));
        scaling.events.push(Event {
            at: 13.0,
            kind: EventKind::PodRefused,
            object: "replicaset/api-1".to_owned(),
            words: "exceeded quota".to_owned(),
        });
        assert_eq!(
            told.news(&scaling),
            [
                "    12.0s  HPA wants 4 replicas (was 2), 2 are Ready",
                "    13.0s  replicaset/api-1 gets no pod: exceeded quota",
                "    20.0s  4 of 4 replicas are Ready",
            ]
        );
        assert!(told.news(&scaling).is_empty());
    }
}
