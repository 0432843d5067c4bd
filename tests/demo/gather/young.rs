//! The rates of pods whose samples began less than a window ago.
//!
//! A pod is young for a window after its first sample, and all pods are for a window after an outage of
//! Prometheus. Prometheus divides the increase of a young pod by the whole window, so its rate is too low. The metrics
//! server serves no number for such a pod until half of the window has samples. After that it serves
//! `rate x window / covered`. It knows the covered time only to one poll, because the first sample came at
//! some moment between two polls. A sync may thus have seen one of several readings, and this module lists
//! them.
//!
//! Example: the window is 15 s, and the first sample of a pod with a rate of 60/s is 10 s old. The pod has no
//! number, or one from 60 x 15 / 11 = 82/s to a quarter more, 102/s.

use std::collections::BTreeMap;

use super::feeds::POLL_LAG;
use crate::oracle::{Moment, Reading, Sample};

/// The moment of the first sample of each pod that had none when the story began.
pub(super) type Births = BTreeMap<String, Moment>;

/// Time between two samples, in seconds.
const SCRAPE_INTERVAL: Moment = 1.0;
/// A number of the metrics server may be too high by a quarter at most.
const UNCERTAIN: f64 = 1.25;
/// Most pods that are treated as young at once. Each pod doubles the number of readings.
const MOST: usize = 6;

/// Where the samples of the pods begin.
pub(super) struct Samples<'a> {
    /// The moment of the first sample of each pod.
    pub births: &'a Births,
    /// The first sample after an outage of Prometheus, if there was one. For every older pod the samples
    /// before it do not count.
    pub resumed: Option<Moment>,
}

impl Samples<'_> {
    /// The moment at which the samples of a pod begin; `None` if they began before the story.
    fn since(&self, pod: &str) -> Option<Moment> {
        let born = self.births.get(pod).copied();
        match self.resumed {
            Some(resumed) => Some(born.map_or(resumed, |born| born.max(resumed))),
            None => born,
        }
    }

    /// Young pods whose samples began at the same moment have numbers from the same moment on. They are one
    /// group. Every other young pod is a group of its own.
    fn groups<'s>(&self, young: Vec<(&'s String, &'s Sample)>) -> Vec<Vec<(&'s String, &'s Sample)>> {
        let (old, new): (Vec<_>, Vec<_>) = young
            .into_iter()
            .partition(|(pod, _)| self.resumed.is_some() && self.since(pod) == self.resumed);
        let new = new.into_iter().map(|pod| vec![pod]).take(MOST);
        std::iter::once(old)
            .filter(|old| !old.is_empty())
            .chain(new)
            .collect()
    }
}

/// All readings that a rate over `window` seconds may have had at a moment, given what Prometheus says.
pub(super) fn readings(reading: &Reading, at: Moment, begin: &Samples<'_>, window: Moment) -> Vec<Reading> {
    let Reading::PerPod(samples) = reading else {
        return vec![reading.clone()];
    };
    let age = |pod: &str| begin.since(pod).map_or(Moment::INFINITY, |since| at - since);
    let known: BTreeMap<String, Sample> = samples
        .iter()
        .filter(|(pod, _)| age(pod) >= window + POLL_LAG)
        .map(|(pod, sample)| (pod.clone(), *sample))
        .collect();
    let young: Vec<(&String, &Sample)> = samples
        .iter()
        .filter(|(pod, _)| (window / 2.0 - SCRAPE_INTERVAL..window + POLL_LAG).contains(&age(pod)))
        .collect();
    let groups = begin.groups(young);
    let mut readings = Vec::new();
    for served in 0..1_usize << groups.len() {
        for surplus in [1.0, UNCERTAIN] {
            let mut samples = known.clone();
            for (place, group) in groups.iter().enumerate() {
                if served & (1 << place) != 0 {
                    let group = group.iter().map(|(pod, sample)| {
                        let corrected = corrected(**sample, age(pod), window, surplus);
                        ((*pod).clone(), corrected)
                    });
                    samples.extend(group);
                }
            }
            let reading = if samples.is_empty() {
                Reading::Missing
            } else {
                Reading::PerPod(samples)
            };
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
    }
    readings
}

/// The rate over the part of the window that has samples, or `surplus` times that rate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "rates are small"
)]
fn corrected(sample: Sample, age: Moment, window: Moment, surplus: f64) -> Sample {
    let covered = (age + SCRAPE_INTERVAL).min(window);
    Sample {
        value: (sample.value as f64 * window / covered * surplus).round() as i64,
        ..sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Moment = 15.0;

    fn begin(births: &Births) -> Samples<'_> {
        Samples {
            births,
            resumed: None,
        }
    }

    fn told(at: Moment) -> Vec<BTreeMap<String, i64>> {
        let sample = |value| Sample {
            value,
            at,
            window: 0.0,
        };
        let samples = [
            ("old".to_owned(), sample(100_000)),
            ("new".to_owned(), sample(60_000)),
        ];
        let births = Births::from([("new".to_owned(), 50.0)]);
        let readings = readings(&Reading::PerPod(samples.into()), at, &begin(&births), WINDOW);
        let values = |reading: Reading| match reading {
            Reading::PerPod(samples) => {
                let values = samples.into_iter().map(|(pod, sample)| (pod, sample.value));
                values.collect()
            }
            Reading::Missing | Reading::Object(_) => BTreeMap::new(),
        };
        readings.into_iter().map(values).collect()
    }

    fn of_new(at: Moment) -> Vec<Option<i64>> {
        told(at)
            .iter()
            .map(|reading| reading.get("new").copied())
            .collect()
    }

    #[test]
    fn a_pod_has_no_number_until_half_of_the_window_has_samples() {
        assert_eq!(of_new(51.0), [None]);
        assert_eq!(of_new(56.0), [None]);
        assert_eq!(told(56.0)[0]["old"], 100_000);
    }

    #[test]
    fn then_it_has_none_or_the_rate_over_the_part_with_samples() {
        assert_eq!(of_new(60.0), [None, Some(81_818), Some(102_273)]);
    }

    #[test]
    fn a_whole_window_and_a_poll_after_its_first_sample_it_has_what_prometheus_says() {
        assert_eq!(of_new(66.0), [None, Some(60_000), Some(75_000)]);
        assert_eq!(of_new(50.0 + WINDOW + POLL_LAG), [Some(60_000)]);
    }

    #[test]
    fn where_all_pods_are_young_there_may_be_no_data_at_all() {
        let samples = [(
            "new".to_owned(),
            Sample {
                value: 60_000,
                at: 60.0,
                window: 0.0,
            },
        )];
        let births = Births::from([("new".to_owned(), 50.0)]);
        let readings = readings(&Reading::PerPod(samples.into()), 60.0, &begin(&births), WINDOW);
        assert_eq!(readings.first(), Some(&Reading::Missing));
    }
}
