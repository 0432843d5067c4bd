//! How far a load is, in one line. Computes the line; [`Progress`] is implemented by whoever shows it.

use std::time::Duration;

use super::{
    model::{latencies::Quantiles, measured::Second},
    scenario::{duration::short, model::Scenario},
};
use vas_core::k8s::duration;

/// Shows how a test goes on.
pub trait Progress {
    /// Shows words that stay, on a line of their own.
    fn say(&mut self, words: &str);
    /// Is called when a second of the load is over, which `line` has counted already. Whoever shows the line
    /// [takes](Line::take) it; the seconds of a line that is not taken go into the next one.
    fn second(&mut self, line: &mut Line);
    /// The load is over.
    fn end(&mut self);
}

/// The line about a load: what was counted since the last line, and the state of its last second.
#[derive(Debug)]
pub struct Line {
    planned: Duration,
    concurrency: &'static str,
    since: Sums,
    last: Second,
    state: String,
}

/// Sums over the seconds since the last line.
#[derive(Debug, Default)]
struct Sums {
    seconds: u32,
    answered: u64,
    failed: u64,
}

impl Line {
    /// The line about the load of this scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let concurrency = if scenario.load.has_schedule() {
            "under way"
        } else {
            "users"
        };
        Self::new(scenario.load.profile().duration(), concurrency)
    }

    /// The line about a load of this length. `concurrency` is the unit of what goes on at once.
    fn new(planned: Duration, concurrency: &'static str) -> Self {
        Self {
            planned,
            concurrency,
            since: Sums::default(),
            last: Second::default(),
            state: String::new(),
        }
    }

    /// Counts a second that is over. `state` is appended to the line, such as the number of replicas.
    pub fn add(&mut self, second: Second, state: String) {
        self.since.seconds += 1;
        self.since.answered += second.answered;
        self.since.failed += second.failed;
        self.last = second;
        self.state = state;
    }

    /// The second that was counted last.
    pub fn last(&self) -> &Second {
        &self.last
    }

    /// Number of seconds since the last line was taken.
    pub fn seconds(&self) -> u32 {
        self.since.seconds
    }

    /// The line in words. The next one begins to count anew.
    pub fn take(&mut self) -> String {
        let since = std::mem::take(&mut self.since);
        let over = f64::from(since.seconds.max(1));
        #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
        let (answered, failed) = (since.answered as f64 / over, since.failed as f64 / over);
        let latency = self.last.latency.map_or_else(
            || "no answer".to_owned(),
            |Quantiles { p50, p95, p99, .. }| {
                format!("p50 {} p95 {} p99 {}", short(p50), short(p95), short(p99))
            },
        );
        let failed = if failed > 0.0 {
            format!("{failed:.1}/s failed  ")
        } else {
            String::new()
        };
        let state = if self.state.is_empty() {
            String::new()
        } else {
            format!("  {}", self.state)
        };
        format!(
            "{:>5} of {}  {answered:.1}/s answered  {failed}{latency}  {} {}{state}",
            duration::format(Duration::from_secs(u64::from(self.last.at + 1))),
            duration::format(Duration::from_secs(self.planned.as_secs())),
            self.last.concurrency,
            self.concurrency,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second() -> Second {
        let quantile = Duration::from_micros;
        Second {
            at: 64,
            answered: 50,
            failed: 5,
            latency: Some(Quantiles {
                p50: quantile(850),
                p95: quantile(12_340),
                p99: quantile(1_250_000),
                ..Quantiles::default()
            }),
            concurrency: 7,
            ..Second::default()
        }
    }

    #[test]
    fn a_line_says_how_far_it_is_and_how_it_goes() {
        let mut line = Line::new(Duration::from_secs(540), "users");
        for _ in 0..5 {
            line.add(second(), "replicas 2/4".to_owned());
        }
        assert_eq!(line.seconds(), 5);
        assert_eq!(
            line.take(),
            " 1m5s of 9m  50.0/s answered  5.0/s failed  p50 850us p95 12.3ms p99 1.25s  7 users  replicas 2/4"
        );
        assert_eq!(line.seconds(), 0);
    }

    #[test]
    fn a_second_without_an_answer_is_not_one_of_zero_latency() {
        let mut line = Line::new(Duration::from_secs(60), "under way");
        line.add(Second::default(), String::new());
        assert_eq!(line.take(), "   1s of 1m  0.0/s answered  no answer  0 under way");
    }
}
