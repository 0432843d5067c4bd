//! A load from Prometheus: one series of the past, read piece by piece.
//!
//! Invariant: a moment of which Prometheus has no value is a gap, never a zero. Memory is bounded by the values that a
//! load may have.

use std::time::Duration;

use jiff::Timestamp;
use vas_core::{
    metrics::promql::Track,
    replay::{Builder, Load, LoadError, MOST_VALUES, Value},
};
use vas_prometheus::{Client, QueryError, Range};

/// Most moments of one query. Prometheus refuses more than 11,000.
const MOST_MOMENTS: u32 = 10_000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// PromQL whose result is one series: requests per second.
    pub query: String,
    /// The first moment.
    pub start: Timestamp,
    /// The last moment.
    pub end: Timestamp,
    /// Seconds from one moment to the next, at least 1.
    pub step: u32,
    /// Over which time each value is the mean: it holds from so long before its moment.
    pub window: Duration,
}

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The end is not after the start.
    #[error("--end {end} is not after --start {start}")]
    Order {
        /// The first moment.
        start: Timestamp,
        /// The last moment.
        end: Timestamp,
    },
    /// There are more moments than a load may have values.
    #[error(
        "there are {0} values from --start to --end, and a load has at most {MOST_VALUES}: give a longer --step"
    )]
    Many(i64),
    /// A query failed.
    #[error("{of} from {start}: {source}")]
    Query {
        /// The query.
        of: String,
        /// Where the piece begins.
        start: Timestamp,
        /// What Prometheus or the connection said.
        source: QueryError,
    },
    /// There is more than one series.
    #[error("{of} has {count} series: a load is one, such as sum({of})")]
    Several {
        /// The query.
        of: String,
        /// How many.
        count: usize,
    },
    /// The values are no load.
    #[error("{of}: {source}")]
    Load {
        /// The query.
        of: String,
        /// Why not.
        source: LoadError,
    },
}

impl Past {
    /// Reads the load. `read` is told after each piece how many of how many are read.
    ///
    /// # Errors
    /// See [`PastError`].
    pub async fn read(&self, client: &Client, mut read: impl FnMut(usize, usize)) -> Result<Load, PastError> {
        let pieces = self.pieces()?;
        let mut values = Values::of(self);
        for (position, piece) in pieces.iter().enumerate() {
            let answer = client.range(&self.query, *piece).await;
            let tracks = answer.map_err(|source| PastError::Query {
                of: self.query.clone(),
                start: Timestamp::from_second(piece.start).unwrap_or(self.start),
                source,
            })?;
            values.add(*piece, &tracks)?;
            read(position + 1, pieces.len());
        }
        values.builder.finish().map_err(|source| self.no_load(source))
    }

    /// The queries, in the order of time.
    fn pieces(&self) -> Result<Vec<Range>, PastError> {
        let (start, end, step) = (self.start.as_second(), self.end.as_second(), i64::from(self.step));
        if end <= start {
            return Err(PastError::Order {
                start: self.start,
                end: self.end,
            });
        }
        let moments = (end - start) / step + 1;
        if usize::try_from(moments).unwrap_or(usize::MAX) > MOST_VALUES {
            return Err(PastError::Many(moments));
        }
        let most = i64::from(MOST_MOMENTS);
        let pieces = (0..moments).step_by(MOST_MOMENTS as usize).map(|first| Range {
            start: start + first * step,
            end: start + ((first + most).min(moments) - 1) * step,
            step: self.step,
        });
        Ok(pieces.collect())
    }

    fn no_load(&self, source: LoadError) -> PastError {
        PastError::Load {
            of: self.query.clone(),
            source,
        }
    }
}

/// The values so far.
struct Values<'a> {
    past: &'a Past,
    builder: Builder,
}

impl<'a> Values<'a> {
    fn of(past: &'a Past) -> Self {
        Self {
            past,
            builder: Builder::default(),
        }
    }

    /// Adds a piece. Each moment has its value or is a gap.
    fn add(&mut self, piece: Range, tracks: &[Track]) -> Result<(), PastError> {
        let points: &[(f64, f64)] = match tracks {
            [] => &[],
            [one] => &one.points,
            several => {
                return Err(PastError::Several {
                    of: self.past.query.clone(),
                    count: several.len(),
                });
            }
        };
        let mut points = points.iter().peekable();
        let mut moment = piece.start;
        while moment <= piece.end {
            let mut rate = None;
            // Prometheus answers exactly the moments that were asked for, in milliseconds.
            while let Some((_, value)) = points.next_if(|(at, _)| at.round() <= seconds(moment)) {
                rate = Some(*value).filter(|value| value.is_finite());
            }
            self.add_one(moment, rate)
                .map_err(|source| self.past.no_load(source))?;
            moment += i64::from(piece.step);
        }
        Ok(())
    }

    fn add_one(&mut self, moment: i64, rate: Option<f64>) -> Result<(), LoadError> {
        let at = Timestamp::from_second(moment).unwrap_or(self.past.start);
        let at = at.checked_sub(self.past.window).unwrap_or(at);
        self.builder.add(Value { at, rate })
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
fn seconds(moment: i64) -> f64 {
    moment as f64
}

#[cfg(test)]
mod tests {
    use vas_core::metrics::promql::ByName;

    use super::*;

    fn past(start: i64, end: i64, step: u32) -> Past {
        Past {
            query: "sum(x)".to_owned(),
            start: Timestamp::from_second(start).unwrap(),
            end: Timestamp::from_second(end).unwrap(),
            step,
            window: Duration::ZERO,
        }
    }

    fn track(points: &[(f64, f64)]) -> Track {
        Track {
            labels: ByName::default(),
            points: points.to_vec(),
        }
    }

    #[test]
    fn a_month_in_minutes_is_five_queries_that_meet_and_do_not_overlap() {
        let month = 30 * 24 * 3600;
        let pieces = past(0, month, 60).pieces().unwrap();
        assert_eq!(pieces.len(), 5);
        for pair in pieces.windows(2) {
            assert_eq!(pair[0].end + 60, pair[1].start);
        }
        assert_eq!((pieces[0].start, pieces[4].end), (0, month));
        assert!(pieces.iter().all(|piece| (piece.end - piece.start) / 60 < 10_000));
        assert_eq!(past(0, 59, 60).pieces().unwrap().len(), 1);
        assert!(matches!(past(60, 60, 60).pieces(), Err(PastError::Order { .. })));
        assert!(matches!(
            past(0, 3_000_000, 1).pieces(),
            Err(PastError::Many(3_000_001))
        ));
    }

    #[test]
    fn a_moment_without_a_value_and_one_that_is_no_number_are_gaps() {
        let asked = Past {
            window: Duration::from_secs(60),
            ..past(600, 900, 60)
        };
        let mut values = Values::of(&asked);
        let piece = asked.pieces().unwrap()[0];
        let points = [
            (600.0, 1.0),
            (660.0, f64::NAN),
            (780.0, 2.0),
            (840.0, 3.0),
            (900.0, 4.0),
        ];
        values.add(piece, &[track(&points)]).unwrap();
        let load = values.builder.finish().unwrap();
        assert_eq!(
            load.start(),
            Timestamp::from_second(540).unwrap(),
            "the mean of the minute before"
        );
        let rates: Vec<Option<f64>> = load.pieces().iter().map(|(_, rate)| *rate).collect();
        assert_eq!(rates, [Some(1.0), None, None, Some(2.0), Some(3.0), Some(4.0)]);
    }

    #[test]
    fn several_series_and_a_load_without_any_value_are_told() {
        let asked = past(0, 600, 60);
        let piece = asked.pieces().unwrap()[0];
        let error = Values::of(&asked)
            .add(piece, &[track(&[]), track(&[])])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "sum(x) has 2 series: a load is one, such as sum(sum(x))"
        );
        let mut values = Values::of(&asked);
        values.add(piece, &[]).unwrap();
        assert_eq!(values.builder.finish().unwrap_err(), LoadError::Empty);
    }
}
