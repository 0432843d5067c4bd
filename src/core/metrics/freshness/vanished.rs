//! Exporters that vanished from a gauge although they should still be there, and the earlier number below
//! which the gauge therefore does not fall.
//!
//! An example: three exporters have ten jobs each, and the sum is 30. The scrape of one exporter fails.
//! Prometheus marks its series as gone at once, and the sum is 20. No job was done, so 20 is wrong. The last
//! number that had all three exporters, 30, is served until its sample is older than `maxAge`, or until the
//! other two alone exceed 30. After that the number of the other two is served, and a note names the exporter
//! that it lacks.
//!
//! So a value never becomes missing because exporters drop their series while they have nothing to report,
//! however often they do that. The price is that the value falls late, by at most `maxAge`. It never rises
//! above what Prometheus said within that time.
//!
//! Where polls failed before an exporter was missed, the number that had it may be too old by now. That
//! happens while a Prometheus that lost its storage scrapes one target after the other. Then there is no
//! number for `maxAge`.
//!
//! An exporter in a pod of the namespace is missed only while that very pod is live: a pod that is
//! terminating, deleted or replaced takes its series along. For any other exporter (outside the cluster, or
//! in another namespace) nobody can tell whether it was removed on purpose, so it is missed for `maxAge`.
//!
//! A pod counts as live until its deletion begins; whether it is ready is not known here. The time before
//! this process started is not known either. The memory is bounded for each namespace, and only namespaces of
//! the query have any.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::metrics::promql::{Answer, Exporter, Exporters, Point, Room};

/// Finds the live pod of a namespace (first argument) with a name (second). The result is a number that
/// identifies the pod itself: a new pod of the same name has another number.
pub type LivePods<'a> = dyn Fn(&str, &str) -> Option<u32> + 'a;

/// How long a vanished exporter is remembered: twice the greatest `maxAge`, so that people have time to read
/// the note.
const REMEMBERED: Duration = Duration::from_hours(2);
/// Greatest age of a number that is kept: the greatest `maxAge`.
const OLDEST: Duration = Duration::from_hours(1);
/// Greatest number of earlier numbers of a namespace that are kept. The lowest is dropped first.
const NUMBERS: usize = 32;

/// What is known of the exporters of one gauge, by namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vanished {
    namespaces: BTreeMap<String, Known>,
}

/// What is known of the exporters of one namespace.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    /// Exporters in the latest answer. The value identifies the pod of the namespace that the exporter runs
    /// in.
    present: Arc<BTreeMap<Exporter, Option<u32>>>,
    /// Exporters that the latest answer lacks although they should be there.
    missed: BTreeMap<Exporter, Missed>,
    /// Earlier numbers that include missed exporters, in the order in which they lost one. Invariant: empty
    /// while nobody is missed.
    numbers: Vec<EarlierNumber>,
}

/// An exporter that vanished.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Missed {
    /// Our monotonic time of the first answer without the exporter.
    since: Duration,
    /// Our monotonic time from which `maxAge` counts for the exporter: the sample time of the last number
    /// that included it, or `since` where polls failed in between.
    from: Duration,
    /// The pod of the namespace that the exporter ran in; `None` where it ran in none.
    pod: Option<u32>,
}

/// An earlier number of a namespace that included exporters which later numbers lack. Times are our monotonic
/// ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlierNumber {
    /// Value and sample time of the number.
    pub point: Point,
    /// When the number was requested.
    pub requested: Duration,
    /// When the first answer that lacks one of its exporters was requested.
    lost: Duration,
}

impl Vanished {
    /// Records a clean answer after the one `before`. `after_failure` says that polls failed in between.
    pub fn observe(
        &mut self,
        before: Option<&Answer>,
        after_failure: bool,
        answer: &mut Answer,
        pods: &LivePods<'_>,
    ) {
        let mut exporters = std::mem::take(&mut answer.exporters);
        // A namespace that is no longer in the query is forgotten. Whoever is back later starts anew.
        self.namespaces.retain(|namespace, _| answer.covers(namespace));
        for namespace in exporters.keys() {
            self.namespaces.entry(namespace.clone()).or_default();
        }
        for (namespace, known) in &mut self.namespaces {
            // This answer says nothing of the namespace, so nobody vanished from it.
            if answer.unanswered.contains_key(namespace) {
                continue;
            }
            let number = before.and_then(|before| number(before, namespace, answer.requested));
            let is_after_gap =
                after_failure || before.is_some_and(|before| before.unanswered.contains_key(namespace));
            let from = number
                .filter(|_| !is_after_gap)
                .map_or(answer.requested, |number| number.sampled());
            let exporters = exporters.remove(namespace).unwrap_or_default();
            // The order matters: who is missed decides which numbers are kept, and both compare with the
            // exporters of the answer before, which `replace_present` replaces.
            known.miss(&exporters, answer.requested, from, &|pod| pods(namespace, pod));
            known.keep_numbers(number, answer.requested);
            known.replace_present(exporters, &|pod| pods(namespace, pod));
        }
        self.namespaces
            .retain(|_, known| !known.present.is_empty() || !known.missed.is_empty());
    }

    /// An exporter that vanished less than `max_age` ago, so that a number without it is not trusted yet. Of
    /// several it is the first by name.
    #[must_use]
    pub fn missed(&self, namespace: &str, max_age: Duration, now: Duration) -> Option<&Exporter> {
        let known = self.namespaces.get(namespace)?;
        let mut missed = known.missed.iter();
        let (exporter, _) = missed.find(|(_, missed)| missed.counts(max_age, now))?;
        Some(exporter)
    }

    /// The earlier numbers of a namespace that included exporters which are missed now.
    pub fn earlier_numbers(&self, namespace: &str) -> impl Iterator<Item = &EarlierNumber> {
        let known = self.namespaces.get(namespace);
        known.into_iter().flat_map(|known| &known.numbers)
    }

    /// An exporter that vanished more than `max_age` ago, so that the number is served without it: the first
    /// by name, and whether there are more of them.
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
    /// Updates who is missed: adds the exporters that vanished with this answer, and forgets those that are
    /// back, whose pod is gone, or that vanished too long ago.
    fn miss(
        &mut self,
        exporters: &Exporters,
        requested: Duration,
        from: Duration,
        live: &dyn Fn(&str) -> Option<u32>,
    ) {
        for (exporter, pod) in &*self.present {
            if exporters.lack(exporter) {
                let since = requested;
                let missed = Missed {
                    since,
                    from,
                    pod: *pod,
                };
                self.missed.entry(exporter.clone()).or_insert(missed);
            }
        }
        self.missed.retain(|exporter, missed| {
            // An exporter outside of the pods cannot be seen to go. One in a pod is missed while the pod of
            // that name is still the same pod.
            let is_there = missed.pod.is_none() || missed.pod == number_of(exporter, live);
            is_there && requested.saturating_sub(missed.since) < REMEMBERED && exporters.lack(exporter)
        });
        // Exporters that vanished in the same answer are kept or dropped together, the latest first. With room for
        // 3 and vanishing times of 1, 2, 2, 3 and 3 s those of 3 s stay.
        let mut latest_first: Vec<(Duration, &str)> = self
            .missed
            .iter()
            .map(|(exporter, missed)| (missed.since, exporter.name()))
            .collect();
        latest_first.sort_unstable_by(|one, other| other.cmp(one));
        let mut room = Room::default();
        let too_old = latest_first.into_iter().find(|(_, name)| !room.takes(name));
        if let Some((too_old, _)) = too_old {
            self.missed.retain(|_, missed| missed.since > too_old);
        }
    }

    /// Keeps the number before this answer if the answer lacks one of its exporters. Drops the numbers whose
    /// exporters are all back or forgotten.
    ///
    /// A number that lost exporters at `lost` includes every exporter that vanished at `lost` or later. If
    /// the latest missed exporter vanished before `lost`, the number includes nobody who is missed.
    fn keep_numbers(&mut self, number: Option<EarlierNumber>, requested: Duration) {
        let Some(latest) = self.missed.values().map(|missed| missed.since).max() else {
            self.numbers = Vec::new();
            return;
        };
        if latest == requested {
            self.numbers.extend(number);
        }
        self.numbers
            .retain(|number| number.lost <= latest && requested.saturating_sub(number.requested) < OLDEST);
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

    /// Replaces the present exporters by those of this answer.
    fn replace_present(&mut self, exporters: Exporters, live: &dyn Fn(&str) -> Option<u32>) {
        let before = std::mem::take(&mut self.present);
        let present = exporters.into_iter().map(|exporter| {
            // A terminating pod is not live any more but still exports, so its exporter keeps the pod that it
            // had.
            let pod = number_of(&exporter, live).or_else(|| before.get(&exporter).copied().flatten());
            (exporter, pod)
        });
        self.present = Arc::new(present.collect());
    }
}

impl Missed {
    /// Whether the exporter vanished so recently that a number without it is not trusted yet.
    fn counts(self, max_age: Duration, now: Duration) -> bool {
        now.saturating_sub(self.from) <= max_age
    }
}

impl EarlierNumber {
    /// When the number was sampled, on our monotonic clock.
    fn sampled(&self) -> Duration {
        let age = self.point.sampled.map(|sampled| sampled.age);
        self.requested.saturating_sub(age.unwrap_or_default())
    }
}

/// The number of a namespace in an answer, as an earlier number that may have lost exporters in the answer
/// requested at `lost`.
fn number(answer: &Answer, namespace: &str, lost: Duration) -> Option<EarlierNumber> {
    let point = *answer.points.get(namespace)?.get("")?;
    let requested = answer.requested_at(namespace)?;
    Some(EarlierNumber {
        point,
        requested,
        lost,
    })
}

/// Identifies the live pod of the namespace that an exporter runs in; `None` where there is none.
fn number_of(exporter: &Exporter, live: &dyn Fn(&str) -> Option<u32>) -> Option<u32> {
    match exporter {
        Exporter::Pod(pod) => live(pod),
        Exporter::Instance(_) => None,
    }
}
