//! A model of what Prometheus stores and answers: samples, staleness markers, ingestion lag, and the formula
//! of `rate`.

/// Milliseconds on the one clock of the model.
pub(super) type Millis = i64;

/// How far back an instant query looks for a sample.
const LOOKBACK: Millis = 300_000;

/// A stretch of time, which includes the first moment and excludes the last.
pub(super) type Stretch = (Millis, Millis);

/// A pod that counts requests at a constant rate and is scraped.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub name: String,
    /// Requests per second.
    pub rate: f64,
    /// The life of the pod.
    pub lives: Stretch,
    /// Value of the counter when the pod starts.
    pub begins_at: f64,
    /// Moments at which the container restarts, with the counter at zero.
    pub resets: Vec<Millis>,
    /// Time between scrapes.
    pub interval: Millis,
    /// Moment of the first scrape, if the pod lives then.
    pub phase: Millis,
    /// Times at which its scrapes fail.
    pub away: Vec<Stretch>,
}

/// A stored sample, and the moment from which queries see it. A sample without a value is a staleness marker.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Millis,
    visible: Millis,
    value: Option<f64>,
}

/// The samples that Prometheus stored of a pod.
#[derive(Debug)]
pub(super) struct Stored(Vec<Sample>);

impl Pod {
    /// Value of the counter at a moment of the pod's life.
    pub(super) fn counter(&self, at: Millis) -> f64 {
        let began = self.resets.iter().copied().filter(|reset| *reset <= at).max();
        let from = began.unwrap_or(self.lives.0);
        let base = if began.is_some() { 0.0 } else { self.begins_at };
        base + self.rate * seconds(at - from)
    }

    /// The true mean increase per second over a window, which a rate should equal.
    pub(super) fn truth(&self, window: Stretch) -> f64 {
        let alive = window.1.min(self.lives.1) - window.0.max(self.lives.0);
        self.rate * seconds(alive.max(0)) / seconds(window.1 - window.0)
    }

    /// The samples that Prometheus stores of the pod. Prometheus is away at times, and queries see a sample
    /// only after a lag.
    pub(super) fn scraped(&self, prometheus_away: &[Stretch], lag: impl Fn(Millis) -> Millis) -> Stored {
        let mut samples = Vec::new();
        let mut present = false;
        let first = self.lives.0 - (self.lives.0 - self.phase).rem_euclid(self.interval);
        for step in 1.. {
            let at = first + step * self.interval;
            if at > self.lives.1 + 2 * self.interval {
                break;
            }
            if within(prometheus_away, at) {
                continue;
            }
            let up = at < self.lives.1 && !within(&self.away, at);
            let value = up.then(|| self.counter(at));
            if up || present {
                let visible = at + lag(at);
                samples.push(Sample { at, visible, value });
            }
            present = up;
        }
        Stored(samples)
    }
}

impl Stored {
    /// The newest sample that an instant query at `at` finds, asked at the time `now`.
    pub(super) fn newest(&self, at: Millis, now: Millis) -> Option<Millis> {
        let newest = self.visible(now).rfind(|sample| sample.at <= at)?;
        newest.value?;
        (newest.at > at - LOOKBACK).then_some(newest.at)
    }

    /// `rate(counter[window])` at the time `now`: the increase between the first and the last sample of the
    /// window, extended to its ends as Prometheus' `extrapolatedRate` does.
    pub(super) fn rate(&self, window: Millis, now: Millis) -> Option<f64> {
        let start = now - window;
        let inside = self
            .visible(now)
            .filter(|sample| sample.at > start && sample.at <= now);
        let samples: Vec<(Millis, f64)> = inside
            .filter_map(|sample| Some((sample.at, sample.value?)))
            .collect();
        let ((first, from), (last, _)) = (*samples.first()?, *samples.last()?);
        if samples.len() < 2 {
            return None;
        }
        let steps = samples.windows(2).map(|pair| {
            let (before, after) = (pair[0].1, pair[1].1);
            if after < before { after } else { after - before }
        });
        let increase: f64 = steps.sum();
        let length = seconds(last - first);
        let average = length / super::parts(samples.len() - 1);
        let reach = |distance: f64| {
            if distance >= average * 1.1 {
                average / 2.0
            } else {
                distance
            }
        };
        let mut to_start = reach(seconds(first - start));
        if increase > 0.0 {
            to_start = to_start.min(length * from / increase);
        }
        let covered = length + to_start + reach(seconds(now - last));
        Some(increase * covered / length / seconds(window))
    }

    fn visible(&self, now: Millis) -> impl DoubleEndedIterator<Item = &Sample> {
        self.0.iter().filter(move |sample| sample.visible <= now)
    }
}

pub(super) fn within(stretches: &[Stretch], at: Millis) -> bool {
    stretches.iter().any(|(from, to)| (*from..*to).contains(&at))
}

pub(super) fn seconds(millis: Millis) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let millis = millis as f64;
    millis / 1000.0
}

/// Shows that the model gives the same results as `promtool test rules` for the same samples.
mod tests {
    use super::*;

    fn pod(rate: f64, lives: Stretch) -> Pod {
        Pod {
            name: "p".to_owned(),
            rate,
            lives,
            begins_at: 1e6,
            resets: Vec::new(),
            interval: 10_000,
            phase: 5000,
            away: Vec::new(),
        }
    }

    #[test]
    fn a_rate_is_right_while_samples_come_and_low_when_the_window_begins_in_a_gap() {
        let mut pod = pod(100.0, (0, 1_000_000));
        pod.away = vec![(300_000, 345_000)];
        let stored = pod.scraped(&[], |_| 0);
        let rate = |second: Millis| stored.rate(60_000, second * 1000).map(f64::round);
        assert_eq!(rate(299), Some(100.0));
        assert_eq!(
            rate(346),
            Some(100.0),
            "the increase over the gap is in the window"
        );
        assert_eq!(
            rate(361),
            Some(35.0),
            "10 s of samples, half a step and 6 s, of 60 s"
        );
        assert_eq!(rate(405), Some(100.0));
        assert_eq!(stored.newest(310_000, 310_000), None, "marked stale");
        assert_eq!(stored.newest(346_000, 346_000), Some(345_000));
    }

    #[test]
    fn a_young_counter_is_extended_to_its_zero_and_no_further() {
        let mut pod = pod(100.0, (100_000, 1_000_000));
        pod.begins_at = 0.0;
        let stored = pod.scraped(&[], |_| 0);
        // Two samples: 500 requests at 105 s, 1500 at 115 s.
        assert_eq!(stored.rate(60_000, 116_000).map(f64::round), Some(27.0));
        assert_eq!(stored.rate(60_000, 114_000), None);
    }
}
