//! Which exporters of a gauge have vanished from the number of their namespace although they should still be there, and
//! below which number it therefore does not fall.
//!
//! Of three exporters with ten jobs each, one fails its scrape: Prometheus marks its series as gone at once, and their
//! sum is 20. That is no fact about jobs. The last number that had them, 30, stands until its sample is older than
//! `maxAge`, or until the others exceed it; then what the others say stands, and a note says without whom. A value is
//! therefore never missing because exporters drop their series while they have nothing to say, however often they do:
//! its fall is late by `maxAge` at most, and it never rises above what Prometheus said within that time.
//!
//! Where polls failed before an exporter was missed, the number that had it may be too old by now, as while a Prometheus
//! that lost its storage scrapes one target after the other. Then there is no number for `maxAge`.
//!
//! An exporter in a pod of the namespace is missed only while that very pod is live: one that is terminating, gone or
//! replaced takes its series along. Of any other exporter (outside the cluster, in another namespace) nobody can tell
//! whether it was taken away, so it is missed for `maxAge`.
//!
//! A pod is live until its deletion begins; whether it is ready is not known here. What was before the process began
//! is not known either. What is kept is bounded for each namespace, and only for those that are asked for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::core::metrics::promql::{Answer, Exporter, Exporters, Point};

/// Which live pod of a namespace has a name; a pod that replaces another has another number.
pub type LivePods<'a> = dyn Fn(&str, &str) -> Option<u32> + 'a;

/// How long a vanished exporter is remembered: twice the greatest `maxAge`, so that a note is there to be read.
const REMEMBERED: Duration = Duration::from_hours(2);
/// Vanished exporters of a namespace that are remembered; those that vanished together stay together.
const KEPT: usize = 1000;
/// Nobody asks for an older number: the greatest `maxAge`.
const OLDEST: Duration = Duration::from_hours(1);
/// Numbers of a namespace that are kept: the greatest.
const NUMBERS: usize = 32;

/// What is known of the exporters of a gauge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vanished {
    namespaces: BTreeMap<String, Known>,
}

/// What is known of those of a namespace.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    /// In the latest answer, each with the pod of the namespace that it is.
    present: Arc<BTreeMap<Exporter, Option<u32>>>,
    missed: BTreeMap<Exporter, Missed>,
    /// In the order in which they lost a part.
    numbers: Vec<Fuller>,
}

/// An exporter that vanished.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Missed {
    /// Our monotonic time of the first answer without it.
    since: Duration,
    /// From when its `maxAge` counts: from the sample of the last number with it, or from the first answer without it
    /// where polls failed in between.
    from: Duration,
    /// The pod of the namespace that it is.
    pod: Option<u32>,
}

/// A number of a namespace that had what later numbers lack. Times are our monotonic ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fuller {
    /// The number.
    pub point: Point,
    /// When it was asked for.
    pub asked: Duration,
    /// When the first answer that lacks a part of it was asked for.
    lost: Duration,
}

impl Vanished {
    /// Takes in a clean answer after the one `before`. `after_failure` says that polls failed in between.
    pub fn observe(
        &mut self,
        before: Option<&Answer>,
        after_failure: bool,
        answer: &mut Answer,
        pods: &LivePods<'_>,
    ) {
        let mut exporters = std::mem::take(&mut answer.exporters);
        self.namespaces.retain(|namespace, _| answer.covers(namespace));
        for namespace in exporters.keys() {
            self.namespaces.entry(namespace.clone()).or_default();
        }
        for (namespace, known) in &mut self.namespaces {
            if answer.unanswered.contains_key(namespace) {
                continue;
            }
            let number = before.and_then(|before| number(before, namespace, answer.asked));
            let is_after_gap =
                after_failure || before.is_some_and(|before| before.unanswered.contains_key(namespace));
            let from = number
                .filter(|_| !is_after_gap)
                .map_or(answer.asked, |number| number.sampled());
            let exporters = exporters.remove(namespace).unwrap_or_default();
            known.miss(&exporters, answer.asked, from, &|pod| pods(namespace, pod));
            known.keep_numbers(number, answer.asked);
            known.see(exporters, &|pod| pods(namespace, pod));
        }
        self.namespaces
            .retain(|_, known| !known.present.is_empty() || !known.missed.is_empty());
    }

    /// Who is missed: of those that vanished within `max_age` the first by name.
    #[must_use]
    pub fn missed(&self, namespace: &str, max_age: Duration, now: Duration) -> Option<&Exporter> {
        let known = self.namespaces.get(namespace)?;
        let mut missed = known.missed.iter();
        let (exporter, _) = missed.find(|(_, missed)| missed.counts(max_age, now))?;
        Some(exporter)
    }

    /// The numbers of a namespace that had those who are missed.
    pub fn fuller(&self, namespace: &str) -> impl Iterator<Item = &Fuller> {
        let known = self.namespaces.get(namespace);
        known.into_iter().flat_map(|known| &known.numbers)
    }

    /// Without whom the number of a namespace stands: the first by name, and whether there are more.
    #[must_use]
    pub fn without(&self, namespace: &str, max_age: Duration, now: Duration) -> Option<(&Exporter, bool)> {
        let missed = self.namespaces.get(namespace)?.missed.iter();
        let mut without = missed.filter(|(_, missed)| !missed.counts(max_age, now));
        let (first, _) = without.next()?;
        Some((first, without.next().is_some()))
    }

    /// How many exporters and numbers are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize) {
        let known = self.namespaces.values();
        known.fold((0, 0), |(exporters, numbers), known| {
            (
                exporters + known.present.len() + known.missed.len(),
                numbers + known.numbers.len(),
            )
        })
    }
}

impl Known {
    /// Finds out who is missed from an answer, and who is no more.
    fn miss(
        &mut self,
        exporters: &Exporters,
        asked: Duration,
        from: Duration,
        live: &dyn Fn(&str) -> Option<u32>,
    ) {
        for (exporter, pod) in &*self.present {
            if exporters.lack(exporter) {
                let since = asked;
                let missed = Missed {
                    since,
                    from,
                    pod: *pod,
                };
                self.missed.entry(exporter.clone()).or_insert(missed);
            }
        }
        self.missed.retain(|exporter, missed| {
            let is_there = missed.pod.is_none() || missed.pod == number_of(exporter, live);
            is_there && asked.saturating_sub(missed.since) < REMEMBERED && exporters.lack(exporter)
        });
        let surplus = self.missed.len().saturating_sub(KEPT);
        if surplus > 0 {
            let mut times: Vec<Duration> = self.missed.values().map(|missed| missed.since).collect();
            times.sort_unstable();
            if let Some(oldest) = times.get(surplus) {
                self.missed.retain(|_, missed| missed.since >= *oldest);
            }
        }
    }

    /// Keeps the number before the answer if that has lost a part of it, and drops those of which all parts are back.
    fn keep_numbers(&mut self, number: Option<Fuller>, asked: Duration) {
        let Some(latest) = self.missed.values().map(|missed| missed.since).max() else {
            self.numbers = Vec::new();
            return;
        };
        if latest == asked {
            self.numbers.extend(number);
        }
        self.numbers
            .retain(|number| number.lost <= latest && asked.saturating_sub(number.asked) < OLDEST);
        if self.numbers.len() > NUMBERS {
            let values = self.numbers.iter().map(|number| number.point.value);
            let lowest = values
                .enumerate()
                .min_by(|(_, one), (_, other)| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
            if let Some((place, _)) = lowest {
                self.numbers.remove(place);
            }
        }
    }

    /// Takes in who is there.
    fn see(&mut self, exporters: Exporters, live: &dyn Fn(&str) -> Option<u32>) {
        let before = std::mem::take(&mut self.present);
        let present = exporters.into_iter().map(|exporter| {
            // A pod that is terminating still exports.
            let pod = number_of(&exporter, live).or_else(|| before.get(&exporter).copied().flatten());
            (exporter, pod)
        });
        self.present = Arc::new(present.collect());
    }
}

impl Missed {
    /// Whether it is not known yet that the number stands without it.
    fn counts(self, max_age: Duration, now: Duration) -> bool {
        now.saturating_sub(self.from) <= max_age
    }
}

impl Fuller {
    /// When it was sampled.
    fn sampled(&self) -> Duration {
        let age = self.point.sampled.map(|sampled| sampled.age);
        self.asked.saturating_sub(age.unwrap_or_default())
    }
}

/// The number of a namespace in an answer, of which one asked for at `lost` may lack a part.
fn number(answer: &Answer, namespace: &str, lost: Duration) -> Option<Fuller> {
    let point = *answer.points.get(namespace)?.get("")?;
    let asked = answer.asked_for(namespace)?;
    Some(Fuller { point, asked, lost })
}

/// The number of the live pod of the namespace that an exporter is.
fn number_of(exporter: &Exporter, live: &dyn Fn(&str) -> Option<u32>) -> Option<u32> {
    match exporter {
        Exporter::Pod(pod) => live(pod),
        Exporter::Instance(_) => None,
    }
}
