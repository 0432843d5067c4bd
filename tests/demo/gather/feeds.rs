//! What each metric would have told the HPA controller at each moment.
//!
//! For a metric from Prometheus that is what a metrics server with a poll every two seconds may have in
//! memory: the newest value, not older than `maxAge`. While Prometheus was down nobody could read it, but
//! later range queries show values for that time too, so these do not count. A rate whose window reaches back
//! into that time is too low in Prometheus. The metrics server treats all counters after that time like those
//! of young pods, and so does the feed.

use std::collections::BTreeMap;

use super::{
    queries::STEP,
    young::{self, Births, Samples},
};
use crate::oracle::{Feed, Moment, Reading, Resource, Sample, Track};

/// Longest time between a poll of the metrics server and the HPA's read: the poll interval with its jitter,
/// and the time that poll and read take on a busy machine.
pub(super) const POLL_LAG: Moment = 4.5;
/// Age of the newest scraped sample at a poll.
const SCRAPE: Moment = 1.5;
/// Longest time after Prometheus is back until a poll succeeds.
const RECOVERY: Moment = 12.0;
/// How much older than a sync the usage may be that it saw: two polls of the demo.
const USAGE_LAG: Moment = 2.5;

/// The time in which Prometheus was down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outage {
    /// Moment at which it stopped answering.
    pub from: Moment,
    /// Moment at which it answered again.
    pub to: Moment,
}

impl Outage {
    fn covers(self, moment: Moment) -> bool {
        (self.from..self.to).contains(&moment)
    }
}

/// The feed of a metric that the metrics server reads from Prometheus; `window` is that of a rate, else zero.
pub(crate) fn prometheus_feed(
    values: &Track<Reading>,
    newest: &Track<Option<Moment>>,
    births: &Births,
    outage: Option<Outage>,
    (max_age, window): (Moment, Moment),
) -> Feed {
    let resumed = outage.and_then(|outage| {
        let mut newest = newest.points().filter_map(|(_, newest)| *newest);
        newest.find(|newest| *newest >= outage.to)
    });
    let mut readings = Track::default();
    for (at, reading) in values.points() {
        // A scrape between two points shows only at the second one, but may have been seen since the first
        // one.
        let since = at - STEP;
        match outage {
            Some(outage) if outage.covers(at) => {
                for reading in in_memory(values, outage, at, max_age) {
                    readings.push(since, reading);
                }
            }
            _ => {
                let newest = newest.at(at).copied().flatten();
                let fresh = newest.is_some_and(|newest| at - newest <= max_age);
                let resumed = resumed.filter(|resumed| *resumed <= at);
                let told = if fresh {
                    young::readings(reading, at, &Samples { births, resumed }, window)
                } else {
                    vec![Reading::Missing]
                };
                for reading in told {
                    readings.push(since, reading);
                }
                let whole = outage.map(|outage| outage.to + window);
                if whole.is_some_and(|whole| (whole..whole + RECOVERY).contains(&at)) {
                    readings.push(since, Reading::Missing);
                }
            }
        }
    }
    Feed {
        readings,
        lag: POLL_LAG + STEP,
    }
}

/// Readings that the metrics server may have in memory while Prometheus is down: those that the last polls
/// may have seen, until they are too old.
fn in_memory(values: &Track<Reading>, outage: Outage, at: Moment, max_age: Moment) -> Vec<Reading> {
    let mut readings = Vec::new();
    if at < outage.from + max_age + SCRAPE {
        readings.extend(values.during(outage.from - POLL_LAG, outage.from).cloned());
    }
    if at > outage.from - POLL_LAG + max_age - SCRAPE {
        readings.push(Reading::Missing);
    }
    readings
}

/// The feed of a resource metric, as metrics.k8s.io served it.
pub(crate) fn usage_feed(
    usage: &Track<BTreeMap<Resource, BTreeMap<String, Sample>>>,
    resource: Resource,
) -> Feed {
    let readings = usage.points().map(|(at, usage)| {
        let samples = usage.get(&resource).filter(|samples| !samples.is_empty());
        (at, samples.cloned().map_or(Reading::Missing, Reading::PerPod))
    });
    Feed {
        readings: readings.collect(),
        lag: USAGE_LAG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(outage: Option<Outage>) -> Feed {
        rate(outage, 0.0)
    }

    fn rate(outage: Option<Outage>, window: Moment) -> Feed {
        let seconds = |value: u32| f64::from(value);
        let values = (0..100)
            .map(|at| (seconds(at), Reading::Object(i64::from(at))))
            .collect();
        let newest = (0..100).map(|at| (seconds(at), Some(seconds(at)))).collect();
        prometheus_feed(&values, &newest, &Births::new(), outage, (10.0, window))
    }

    fn told(feed: &Feed, at: Moment) -> Vec<Reading> {
        feed.readings.during(at - feed.lag, at).cloned().collect()
    }

    #[test]
    fn a_sync_may_have_seen_what_was_polled_within_the_last_seconds() {
        let told = told(&feed(None), 50.0);
        assert!(told.contains(&Reading::Object(50)));
        assert!(told.contains(&Reading::Object(46)));
        assert!(!told.contains(&Reading::Object(43)));
        assert!(!told.contains(&Reading::Missing));
    }

    #[test]
    fn while_prometheus_is_down_the_last_value_is_served_until_it_is_too_old() {
        let feed = feed(Some(Outage { from: 30.0, to: 60.0 }));
        let early = told(&feed, 31.0);
        assert!(early.contains(&Reading::Object(29)) && !early.contains(&Reading::Missing));
        assert!(told(&feed, 39.0).contains(&Reading::Object(29)));
        assert!(told(&feed, 39.0).contains(&Reading::Missing), "in doubt, both");
        let late = told(&feed, 55.0);
        assert!(
            late.iter().all(|reading| *reading == Reading::Missing),
            "{late:?}"
        );
    }

    #[test]
    fn what_was_scraped_while_nobody_could_ask_does_not_count() {
        let feed = feed(Some(Outage { from: 30.0, to: 60.0 }));
        assert!(!told(&feed, 45.0).contains(&Reading::Object(45)));
        assert!(told(&feed, 65.0).contains(&Reading::Object(65)));
    }

    /// What a sync may have seen of nine pods that each get 100 requests a second, where no samples were
    /// taken from 30 s to 50 s. Values are in requests per second.
    fn of_nine_pods(at: Moment) -> Vec<Option<i64>> {
        const WINDOW: u32 = 15;
        let pods = |value| {
            let sample = |at| Sample {
                value,
                at,
                window: 0.0,
            };
            (0..9)
                .map(move |pod| (format!("pod-{pod}"), sample(0.0)))
                .collect()
        };
        // As Prometheus gives it: the increase since the first sample, over the whole window.
        let values = (0..100)
            .map(|at: u32| {
                let covered = if at < 50 { WINDOW } else { (at - 50).min(WINDOW) };
                let milli = i64::from(covered) * 100_000 / i64::from(WINDOW);
                (f64::from(at), Reading::PerPod(pods(milli)))
            })
            .collect();
        let newest = (0..100)
            .map(|at: u32| {
                (
                    f64::from(at),
                    Some(f64::from(if (30..50).contains(&at) { 29 } else { at })),
                )
            })
            .collect();
        let outage = Outage { from: 30.0, to: 50.0 };
        let feed = prometheus_feed(
            &values,
            &newest,
            &Births::new(),
            Some(outage),
            (10.0, f64::from(WINDOW)),
        );
        told(&feed, at)
            .into_iter()
            .map(|reading| match reading {
                Reading::PerPod(pods) => {
                    assert_eq!(pods.len(), 9, "the pods of one gap have a number together");
                    pods.values().map(|sample| sample.value / 1000).max()
                }
                Reading::Missing | Reading::Object(_) => None,
            })
            .collect()
    }

    #[test]
    fn a_rate_is_missing_until_half_of_its_window_lies_after_the_outage() {
        assert!(of_nine_pods(56.0).iter().all(Option::is_none));
    }

    #[test]
    fn then_it_is_what_the_covered_part_says_and_never_the_low_rate_of_prometheus() {
        let told = of_nine_pods(63.0);
        assert!(told.contains(&None), "the poll may have failed");
        let values: Vec<i64> = told.into_iter().flatten().collect();
        assert!(
            values.iter().all(|value| (90..=125).contains(value)),
            "{values:?}"
        );
        assert!(values.iter().any(|value| *value > 110), "{values:?}");
    }

    #[test]
    fn a_window_and_a_poll_later_it_is_what_prometheus_says() {
        let told = of_nine_pods(90.0);
        assert!(told.iter().all(|value| *value == Some(100)), "{told:?}");
    }

    #[test]
    fn a_sample_older_than_max_age_is_missing() {
        let values = (0..100).map(|at| (f64::from(at), Reading::Object(7))).collect();
        let newest = (0..100)
            .map(|at| (f64::from(at), Some(f64::from(at.min(20)))))
            .collect();
        let feed = prometheus_feed(&values, &newest, &Births::new(), None, (10.0, 0.0));
        assert!(told(&feed, 28.0).contains(&Reading::Object(7)));
        assert_eq!(told(&feed, 50.0).first(), Some(&Reading::Missing));
    }
}
