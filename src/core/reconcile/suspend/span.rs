//! The length that a user gives to a suspension, and the moment at which it then ends.

use std::time::Duration;

use jiff::Timestamp;

/// The requested length of a suspension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Until somebody resumes.
    UntilResumed,
    /// This long from now.
    For(Duration),
    /// Until this time.
    Until(Timestamp),
}

/// Why a suspension cannot have the requested length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// The end is beyond what a timestamp can hold.
    #[error("--for: is too long; leave it out to suspend until it is resumed")]
    TooLong,
    /// The time is not in the future.
    #[error("--until {until} is over: it is {now:.0} on the API server's clock")]
    Over {
        /// The requested end.
        until: Timestamp,
        /// The time on the API server's clock.
        now: Timestamp,
    },
}

impl Span {
    /// The end of the suspension; `None` where it lasts until somebody resumes. `now` is the time on the API
    /// server's clock, which decides when a suspension has ended. A length counts in whole seconds.
    ///
    /// # Errors
    /// When the end is over, or too far away.
    pub fn end(self, now: Timestamp) -> Result<Option<Timestamp>, SpanError> {
        match self {
            Self::UntilResumed => Ok(None),
            Self::For(length) => {
                let second = i64::try_from(length.as_secs())
                    .ok()
                    .and_then(|seconds| now.as_second().checked_add(seconds));
                let end = second.and_then(|second| Timestamp::from_second(second).ok());
                end.map(Some).ok_or(SpanError::TooLong)
            }
            Self::Until(until) if until <= now => Err(SpanError::Over { until, now }),
            Self::Until(until) => Ok(Some(until)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_in_the_future_and_can_be_written() {
        let now: Timestamp = "2026-11-28T16:00:00.7Z".parse().unwrap();
        let end = |span: Span| span.end(now).map(|end| end.map(|end| end.to_string()));
        assert_eq!(end(Span::UntilResumed), Ok(None));
        let two_hours = Span::For(Duration::from_secs(7200));
        assert_eq!(end(two_hours), Ok(Some("2026-11-28T18:00:00Z".to_owned())));
        assert_eq!(end(Span::For(Duration::MAX)), Err(SpanError::TooLong));
        let over = end(Span::Until(now)).unwrap_err();
        assert!(
            over.to_string().contains("it is 2026-11-28T16:00:01Z")
                || over.to_string().contains("it is 2026-11-28T16:00:00Z"),
            "{over}"
        );
    }
}
