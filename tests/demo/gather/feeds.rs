//! What each metric would have told the HPA controller at each moment.
//!
//! For a metric from Prometheus that is what a metrics server with a poll every two seconds may have in
//! memory: the newest value, not older than `maxAge`. While Prometheus was down nobody could read it, but
//! later range queries show values for that time too, so these do not count. A rate whose window reaches back
//! into that time is too low, so it is no value either.

use std::collections::BTreeMap;

use super::{
    queries::STEP,
    young::{self, Births},
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
            Some(outage) if (outage.to..outage.to + window).contains(&at) => {
                readings.push(since, Reading::Missing);
            }
            _ => {
                let newest = newest.at(at).copied().flatten();
                let fresh = newest.is_some_and(|newest| at - newest <= max_age);
                let told = if fresh {
                    young::readings(reading, at, births, window)
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

    #[test]
    fn a_rate_counts_again_once_its_window_lies_after_the_outage() {
        let outage = Outage { from: 30.0, to: 50.0 };
        let feed = rate(Some(outage), 15.0);
        assert!(
            told(&feed, 64.0)
                .iter()
                .all(|reading| *reading == Reading::Missing)
        );
        assert!(told(&feed, 70.0).contains(&Reading::Object(69)));
        assert!(!told(&feed, 90.0).contains(&Reading::Missing));
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
