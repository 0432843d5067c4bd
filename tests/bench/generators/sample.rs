//! Figures of one run of a generator, and medians of several.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    cost::Cost,
    schedule,
    tools::{Mode, Tool},
};

/// Figures of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Requests per second that reached the server.
    pub rate: f64,
    /// Schedule error in seconds: the median, and the 99th percentile. `None` in a closed loop, which has no
    /// schedule.
    pub error: Option<(f64, f64)>,
    /// CPU time of the generator per request, in microseconds.
    pub micros: f64,
    /// The most memory that was resident, in KiB.
    pub peak: f64,
}

impl Sample {
    /// Combines the figures of the server and of the kernel; `None` if too few requests came.
    pub(crate) fn of(mode: Mode, arrivals: Vec<f64>, cost: Cost) -> Option<Self> {
        let count = f64::from(u32::try_from(arrivals.len()).ok()?);
        let rate = schedule::rate(&arrivals)?;
        let error = match mode {
            Mode::Closed => None,
            Mode::Open(wanted) => {
                let errors = schedule::errors(arrivals, f64::from(wanted));
                let seconds = |percent| Some(schedule::percentile(&errors, percent)?.as_secs_f64());
                Some((seconds(50)?, seconds(99)?))
            }
        };
        Some(Self {
            rate,
            error,
            micros: cost.cpu.as_secs_f64() * 1e6 / count,
            peak: f64::from(u32::try_from(cost.peak).ok()?),
        })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} requests/s, {:.1} µs CPU each", self.rate, self.micros)?;
        if let Some((_, p99)) = self.error {
            write!(f, ", p99 {:?} late", Duration::from_secs_f64(p99))?;
        }
        Ok(())
    }
}

/// Figures of all runs.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<(Mode, Tool), Vec<Sample>>);

impl Samples {
    pub(crate) fn add(&mut self, mode: Mode, tool: Tool, sample: Sample) {
        self.0.entry((mode, tool)).or_default().push(sample);
    }

    /// Number of runs of a generator that could be measured.
    pub(crate) fn count(&self, mode: Mode, tool: Tool) -> usize {
        self.0.get(&(mode, tool)).map_or(0, Vec::len)
    }

    /// The median of each figure; `None` without any run.
    pub(crate) fn median(&self, mode: Mode, tool: Tool) -> Option<Sample> {
        let runs = self.0.get(&(mode, tool))?;
        let of = |figure: fn(&Sample) -> f64| middle(runs.iter().map(figure).collect());
        let error = |figure: fn((f64, f64)) -> f64| {
            middle(runs.iter().filter_map(|run| run.error).map(figure).collect())
        };
        Some(Sample {
            rate: of(|run| run.rate)?,
            error: error(|(p50, _)| p50).zip(error(|(_, p99)| p99)),
            micros: of(|run| run.micros)?,
            peak: of(|run| run.peak)?,
        })
    }
}

/// The median. For an even number of values it is the mean of the two in the middle.
fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(middle(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(middle(vec![9.0, 1.0, 2.0, 4.0]), Some(3.0));
        assert_eq!(middle(Vec::new()), None);
    }

    #[test]
    fn cost_is_shared_by_all_requests() {
        let arrivals = (0..4000).map(|k| f64::from(k) / 1000.0).collect();
        let cost = Cost {
            cpu: Duration::from_millis(80),
            peak: 2048,
        };
        let sample = Sample::of(Mode::Open(1000), arrivals, cost).unwrap();
        assert!((sample.micros - 20.0).abs() < 1e-9 && (sample.rate - 1000.0).abs() < 1e-6);
        assert!(sample.error.unwrap().1 < 1e-6);
        assert_eq!(Sample::of(Mode::Closed, vec![1.0], cost), None);
    }
}
