//! The load over time.

use jiff::Timestamp;

use super::Millis;

/// Most values of one load: a year in steps of 15 s has 2.1 million.
pub const MOST_VALUES: usize = 2_500_000;

/// A value holds for at most so many usual steps. Longer than that, nobody knows the load.
const LONGEST_HOLD: i64 = 2;

/// One value of a load as it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// From when on the value holds.
    pub at: Timestamp,
    /// Requests per second; `None` where the source says that there is no value.
    pub rate: Option<f64>,
}

/// A load: requests per second, from each value to the next. After the last value, and where the next one is more
/// than twice the usual step away, the value ends after one usual step. The usual step is the median.
///
/// Example: values at 0, 60, 120 and 600 s have the usual step 60 s, so the third one holds until 180 s, and then
/// there is none until 600 s.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    start: Timestamp,
    /// Where each piece begins, and its rate; `None` for a gap.
    pieces: Vec<(Millis, Option<f64>)>,
    end: Millis,
}

/// Why values are no load. Who reads a file puts the line in front.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// There are not enough values to know how long one holds.
    #[error("a load needs at least 3 values, and there are {0}")]
    Few(usize),
    /// There are more values than are kept.
    #[error(
        "a load has at most {MOST_VALUES} values, a year in steps of 12.6 s: take a part of it, or longer steps"
    )]
    Many,
    /// A value is not later than the one before.
    #[error("the time {at} is not after the one before it, {before}")]
    Order {
        /// Its time.
        at: Timestamp,
        /// The time of the value before it.
        before: Timestamp,
    },
    /// A value is no number of requests per second.
    #[error("the value {0} must be 0 or more, and a thousand million at most")]
    Rate(f64),
    /// No value at all is there.
    #[error("all values are missing")]
    Empty,
    /// The values span more time than is replayed.
    #[error("the time {0} is more than 3,660 days after the first one")]
    Long(Timestamp),
}

/// Largest rate, in requests per second.
const MOST_RATE: f64 = 1e9;
const LONGEST: Millis = 3660 * 24 * 3600 * 1000;

/// Takes the values of a load in the order of their times.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    start: Option<Timestamp>,
    last: Option<Timestamp>,
    pieces: Vec<(Millis, Option<f64>)>,
}

impl Builder {
    /// Adds the next value.
    ///
    /// # Errors
    /// When it is not later than the one before, no rate, or one too many.
    pub fn add(&mut self, value: Value) -> Result<(), LoadError> {
        if self.pieces.len() == MOST_VALUES {
            return Err(LoadError::Many);
        }
        if let Some(rate) = value.rate.filter(|rate| !(0.0..=MOST_RATE).contains(rate)) {
            return Err(LoadError::Rate(rate));
        }
        let since = |from: Timestamp| value.at.as_millisecond() - from.as_millisecond();
        if let Some(before) = self.last.filter(|before| since(*before) <= 0) {
            return Err(LoadError::Order { at: value.at, before });
        }
        let at = since(*self.start.get_or_insert(value.at));
        if at > LONGEST {
            return Err(LoadError::Long(value.at));
        }
        self.last = Some(value.at);
        self.pieces.push((at, value.rate));
        Ok(())
    }

    /// The load of all values.
    ///
    /// # Errors
    /// When the values are too few, or all are missing.
    pub fn finish(self) -> Result<Load, LoadError> {
        let Self {
            start,
            pieces: values,
            ..
        } = self;
        let step = |pair: &[(Millis, Option<f64>)]| match pair {
            [(at, _), (next, _)] => next - at,
            _ => 0,
        };
        let mut steps: Vec<Millis> = values.windows(2).map(step).collect();
        let (Some(start), Some(&(last, _)), 2..) = (start, values.last(), steps.len()) else {
            return Err(LoadError::Few(values.len()));
        };
        if values.iter().all(|(_, rate)| rate.is_none()) {
            return Err(LoadError::Empty);
        }
        let middle = steps.len() / 2;
        let usual = *steps.select_nth_unstable(middle).1;
        let mut pieces = Vec::with_capacity(values.len());
        for (position, &(at, rate)) in values.iter().enumerate() {
            pieces.push((at, rate));
            let next = values.get(position + 1).map(|(next, _)| *next);
            if next.is_some_and(|next| next - at > LONGEST_HOLD * usual) {
                pieces.push((at + usual, None));
            }
        }
        Ok(Load {
            start,
            end: last + usual,
            pieces,
        })
    }
}

impl Load {
    /// When the first value begins.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The moment after the first value has begun, on the calendar.
    #[must_use]
    pub fn time(&self, at: Millis) -> Timestamp {
        let at = self.start.as_millisecond().saturating_add(at);
        Timestamp::from_millisecond(at).unwrap_or(Timestamp::MAX)
    }

    /// When the last value ends.
    #[must_use]
    pub fn end(&self) -> Millis {
        self.end
    }

    /// The pieces in order: beginning and rate, `None` for a gap. Each lasts until the next one, the last until
    /// [`Load::end`].
    #[must_use]
    pub fn pieces(&self) -> &[(Millis, Option<f64>)] {
        &self.pieces
    }

    /// The load between two moments, which begins anew at the moment 0. A moment beyond the load is its end.
    #[must_use]
    pub fn part(&self, from: Millis, to: Millis) -> Self {
        let to = to.clamp(0, self.end);
        let from = from.clamp(0, to);
        // The piece that holds at `from` began before it.
        let first = self.pieces.partition_point(|(begins, _)| *begins <= from);
        let pieces = self.pieces.iter().skip(first.saturating_sub(1));
        let pieces = pieces.take_while(|(begins, _)| *begins < to);
        Self {
            start: self.time(from),
            pieces: pieces
                .map(|(begins, rate)| ((begins - from).max(0), *rate))
                .collect(),
            end: to - from,
        }
    }

    /// The largest rate.
    #[must_use]
    pub fn peak(&self) -> f64 {
        let rates = self.pieces.iter().filter_map(|(_, rate)| *rate);
        rates.fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(all: &[(i64, Option<f64>)]) -> Result<Load, LoadError> {
        let mut builder = Builder::default();
        for &(second, rate) in all {
            let at = Timestamp::from_second(1_700_000_000 + second).unwrap();
            builder.add(Value { at, rate })?;
        }
        builder.finish()
    }

    #[test]
    fn a_value_holds_until_the_next_one_but_not_over_a_gap() {
        let of = |second, rate| (second, Some(rate));
        let found = load(&[of(0, 1.0), of(60, 2.0), of(120, 3.0), of(600, 4.0), of(660, 5.0)]).unwrap();
        assert_eq!(
            found.pieces(),
            [
                (0, Some(1.0)),
                (60_000, Some(2.0)),
                (120_000, Some(3.0)),
                (180_000, None),
                (600_000, Some(4.0)),
                (660_000, Some(5.0)),
            ]
        );
        assert_eq!((found.end(), found.peak()), (720_000, 5.0));
        // One step that is missing is no gap: the value before it holds.
        let found = load(&[of(0, 1.0), of(60, 2.0), of(180, 3.0), of(240, 3.0)]).unwrap();
        assert_eq!(found.pieces().len(), 4);
    }

    #[test]
    fn a_part_has_the_values_of_its_time_and_begins_anew() {
        let of = |second, rate| (second, Some(rate));
        let whole = load(&[of(0, 1.0), of(60, 2.0), of(120, 3.0), of(600, 4.0), of(660, 5.0)]).unwrap();
        let part = whole.part(90_000, 610_000);
        assert_eq!(
            part.pieces(),
            [
                (0, Some(2.0)),
                (30_000, Some(3.0)),
                (90_000, None),
                (510_000, Some(4.0))
            ]
        );
        assert_eq!((part.end(), part.time(30_000)), (520_000, whole.time(120_000)));
        assert_eq!(whole.part(0, whole.end()), whole);
        assert_eq!(whole.part(60_000, 120_000).pieces(), [(0, Some(2.0))]);
        assert_eq!(whole.part(700_000, 9_000_000).end(), 20_000);
    }

    #[test]
    fn what_is_no_load_is_told() {
        let error = |all: &[(i64, Option<f64>)]| load(all).unwrap_err();
        let one = Some(1.0);
        assert_eq!(error(&[(0, one), (1, one)]), LoadError::Few(2));
        assert_eq!(error(&[]), LoadError::Few(0));
        assert_eq!(error(&[(0, None), (1, None), (2, None)]), LoadError::Empty);
        for second in [5, 0] {
            assert!(matches!(
                error(&[(0, one), (5, one), (second, one)]),
                LoadError::Order { .. }
            ));
        }
        for wrong in [-1.0, f64::NAN, f64::INFINITY, 1.1e9] {
            assert!(
                matches!(error(&[(0, one), (1, Some(wrong))]), LoadError::Rate(_)),
                "{wrong}"
            );
        }
        assert!(matches!(
            error(&[(0, one), (1, one), (400_000_000, one)]),
            LoadError::Long(_)
        ));
    }
}
