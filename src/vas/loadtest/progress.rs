//! Shows on standard error how far a load is. On a terminal it is one line that is overwritten. Elsewhere,
//! and on a dumb terminal, it is a line every few seconds.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use vas_cluster::terminal;
use vas_core::k8s::duration;
use vas_loadtest::{
    model::{latencies::Quantiles, measured::Second},
    scenario::duration::short,
};

/// Seconds between two lines where there is no terminal.
const EVERY: u32 = 5;

/// Shows how far a load is.
#[derive(Debug)]
pub(crate) struct Progress {
    planned: Duration,
    concurrency: &'static str,
    redraw: bool,
    quiet: bool,
    since: Seconds,
}

/// Sums over the seconds since the last line.
#[derive(Debug, Default)]
struct Seconds {
    count: u32,
    answered: u64,
    failed: u64,
}

impl Progress {
    /// The progress of a load of this length. `concurrency` is the word for the level: "users" or "under
    /// way".
    pub(crate) fn new(planned: Duration, concurrency: &'static str, quiet: bool) -> Self {
        Self {
            planned,
            concurrency,
            redraw: terminal::redraws(&io::stderr()),
            quiet,
            since: Seconds::default(),
        }
    }

    /// Counts a second that is over, and writes a line if one is due. `more` is appended to it, such as the
    /// number of replicas.
    pub(crate) fn second(&mut self, second: &Second, more: &str) {
        self.since.count += 1;
        self.since.answered += second.answered;
        self.since.failed += second.failed;
        let due = self.redraw || self.since.count >= EVERY;
        if self.quiet || !due {
            return;
        }
        let line = self.line(second, more);
        self.since = Seconds::default();
        let mut err = io::stderr().lock();
        // A closed standard error is ignored.
        let _ = if self.redraw {
            // The width is read for each line, because the terminal may have been resized.
            let line = fitting(&line, terminal::width(&err));
            write!(err, "\r\x1b[2K{line}").and_then(|()| err.flush())
        } else {
            writeln!(err, "{line}")
        };
    }

    /// Prints words on a line of their own.
    pub(crate) fn say(&self, words: &str) {
        if self.quiet {
            return;
        }
        let before = if self.redraw { "\r\x1b[2K" } else { "" };
        let _ = writeln!(io::stderr().lock(), "{before}{words}");
    }

    /// Ends the line, so that what is printed next begins on a new one.
    pub(crate) fn end(&self) {
        if self.redraw && !self.quiet {
            let _ = writeln!(io::stderr().lock());
        }
    }

    fn line(&self, second: &Second, more: &str) -> String {
        let over = f64::from(self.since.count.max(1));
        let planned = self.planned.as_secs();
        #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
        let (answered, failed) = (self.since.answered as f64 / over, self.since.failed as f64 / over);
        let latency = second.latency.map_or_else(
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
        let more = if more.is_empty() {
            String::new()
        } else {
            format!("  {more}")
        };
        format!(
            "{:>5} of {}  {answered:.1}/s answered  {failed}{latency}  {} {}{more}",
            duration::format(Duration::from_secs(u64::from(second.at + 1))),
            duration::format(Duration::from_secs(planned)),
            second.concurrency,
            self.concurrency,
        )
    }
}

/// The beginning of a line that fits into a terminal of that width. A longer line would wrap, and its first
/// row could not be overwritten. The last column stays free, because some terminals wrap after it.
fn fitting(line: &str, width: Option<usize>) -> &str {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(1));
    match line.char_indices().nth(room) {
        Some((end, _)) => line.get(..end).unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_width_of_a_narrow_terminal() {
        assert_eq!(fitting("20.0/s answered", Some(10)), "20.0/s an");
        assert_eq!(fitting("20.0/s answered", Some(16)), "20.0/s answered");
        assert_eq!(fitting("übermäßig", Some(4)), "übe");
        assert_eq!(fitting("20.0/s answered", Some(0)), "");
        assert_eq!(fitting("20.0/s answered", None), "20.0/s answered");
    }

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
        let mut progress = Progress::new(Duration::from_secs(540), "users", true);
        for _ in 0..5 {
            progress.second(&second(), "");
        }
        assert_eq!(
            progress.line(&second(), "replicas 2/4"),
            " 1m5s of 9m  50.0/s answered  5.0/s failed  p50 850us p95 12.3ms p99 1.25s  7 users  replicas 2/4"
        );
    }

    #[test]
    fn a_second_without_an_answer_is_not_one_of_zero_latency() {
        let progress = Progress::new(Duration::from_secs(60), "under way", true);
        let line = progress.line(&Second::default(), "");
        assert_eq!(line, "   1s of 1m  0.0/s answered  no answer  0 under way");
    }
}
