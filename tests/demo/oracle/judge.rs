//! Goes through the syncs and judges for each whether its count was right.

use super::{
    Between, Evidence, Hpa, Moment, Reading, Sync,
    combine::{Proposals, combine},
    propose::{World, propose},
    rate::{self, Rescale},
    stabilize::{Recommendation, stabilize},
};

/// How exactly the time of the controller's view of pods and scale is known, in seconds. Its caches and the
/// watches of the demo are fed by the same API server.
const VIEW_BLUR: Moment = 1.0;
/// How exactly the ages of earlier proposals and rescales are known, in seconds. The moment at which a sync
/// read its metrics stands for all moments of the sync.
const AGE_BLUR: Moment = 0.8;

/// The verdict on one sync.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Moment of the sync.
    pub at: Moment,
    /// The count it found.
    pub current: i32,
    /// The count it left.
    pub chosen: i32,
    /// The raw proposals, before stabilization and limits; `None` if every combination of samples fails.
    pub proposed: Option<Between>,
    /// The counts that the sync may have chosen.
    pub allowed: Between,
    /// The metrics that may have made the proposal which led to the chosen count.
    pub deciding: Vec<String>,
    /// Whether the evidence is complete at this moment.
    pub judged: bool,
}

impl Verdict {
    /// Whether the count is one that the algorithm gives.
    pub(crate) fn is_right(&self) -> bool {
        !self.judged || self.allowed.holds(self.chosen)
    }
}

/// Replays the algorithm over all syncs.
pub(crate) fn judge(hpa: &Hpa, evidence: &Evidence) -> Vec<Verdict> {
    let mut memory = Memory {
        current: evidence.initial,
        history: Vec::new(),
        rescales: Vec::new(),
    };
    evidence
        .syncs
        .iter()
        .map(|sync| memory.step(hpa, evidence, sync))
        .collect()
}

/// What the controller remembers of an HPA.
struct Memory {
    current: i32,
    history: Vec<Recommendation>,
    rescales: Vec<Rescale>,
}

impl Memory {
    fn step(&mut self, hpa: &Hpa, evidence: &Evidence, sync: &Sync) -> Verdict {
        let current = self.current;
        if self.history.is_empty() {
            // The history begins with the count that the first sync found.
            self.remember(sync.at, Between::exactly(current), true);
        }
        let metrics: Vec<(&str, Proposals)> = hpa
            .metrics
            .iter()
            .map(|metric| {
                let name = metric.name.as_str();
                (name, proposals(hpa, name, evidence, current, sync.at))
            })
            .collect();
        let mut outcomes = combine(metrics.iter().map(|(_, proposals)| proposals), current);
        if !sync.judged {
            outcomes.insert(None);
        }
        let may_fail = outcomes.contains(&None);
        let proposed = Between::hull(outcomes.iter().filter_map(|outcome| *outcome));
        let mut allowed = proposed.map(|proposed| self.normalize(hpa, proposed, sync.at));
        if may_fail {
            let held = Between::exactly(current);
            allowed = Some(allowed.map_or(held, |allowed| allowed.or(held)));
        }
        if let Some(proposed) = proposed {
            self.remember(sync.at, proposed, !may_fail);
        }
        let chosen = sync.wrote.unwrap_or(current);
        self.rescaled(sync.at, chosen);
        Verdict {
            at: sync.at,
            current,
            chosen,
            proposed,
            allowed: allowed.unwrap_or(Between::exactly(current)),
            deciding: deciding(&metrics, current, chosen),
            judged: sync.judged,
        }
    }

    fn normalize(&self, hpa: &Hpa, proposed: Between, now: Moment) -> Between {
        let rules = (&hpa.up, &hpa.down);
        let stable = stabilize(&self.history, rules, self.current, proposed, now, AGE_BLUR);
        rate::limit(hpa, &self.rescales, self.current, stable, now, AGE_BLUR)
    }

    fn remember(&mut self, at: Moment, proposed: Between, certain: bool) {
        self.history.push(Recommendation {
            at,
            proposed,
            certain,
        });
    }

    fn rescaled(&mut self, at: Moment, count: i32) {
        if count != self.current {
            self.rescales.push(Rescale {
                at,
                change: count - self.current,
            });
            self.current = count;
        }
    }
}

/// The possible proposals of a metric at a sync, over all samples and views of the pods that the sync may
/// have seen.
fn proposals(hpa: &Hpa, name: &str, evidence: &Evidence, current: i32, now: Moment) -> Proposals {
    let (Some(feed), Some(metric)) = (
        evidence.feeds.get(name),
        hpa.metrics.iter().find(|metric| metric.name == name),
    ) else {
        return Proposals::from([None]);
    };
    let mut proposals = Proposals::new();
    for pods in evidence.pods.during(now - VIEW_BLUR, now + VIEW_BLUR) {
        for status in evidence.status_replicas.during(now - VIEW_BLUR, now + VIEW_BLUR) {
            let world = World {
                pods,
                current,
                status: *status,
                now,
            };
            for reading in feed.readings.during(now - feed.lag, now) {
                let reading = reading.of_existing(pods);
                proposals.insert(propose(hpa, metric.target, &reading, &world));
            }
        }
    }
    if proposals.is_empty() {
        proposals.insert(None);
    }
    proposals
}

impl Reading {
    /// The readings of the pods that exist: metrics APIs answer for no others.
    fn of_existing(&self, pods: &super::Pods) -> Self {
        match self {
            Self::PerPod(samples) => Self::PerPod(
                samples
                    .iter()
                    .filter(|(pod, _)| pods.contains_key(*pod))
                    .map(|(pod, sample)| (pod.clone(), *sample))
                    .collect(),
            ),
            other => other.clone(),
        }
    }
}

/// The metrics whose proposal may have been the largest and may have led to the chosen count. Limits only
/// make a rise smaller, so a rise needs a proposal that is at least as high.
fn deciding(metrics: &[(&str, Proposals)], current: i32, chosen: i32) -> Vec<String> {
    let lowest = metrics
        .iter()
        .filter_map(|(_, proposals)| proposals.iter().copied().flatten().min());
    let rise = (chosen > current).then_some(chosen);
    let Some(floor) = lowest.chain(rise).max() else {
        return Vec::new();
    };
    metrics
        .iter()
        .filter(|(_, proposals)| proposals.iter().copied().flatten().any(|it| it >= floor))
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
