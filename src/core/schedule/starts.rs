//! When windows begin, by the clock on the wall: at each match of a cron expression, or once.

use jiff::civil::DateTime;

use super::cron::{Cron, CronError};

/// The wall clocks at which windows begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Starts {
    /// At each match.
    Cron(Box<Cron>),
    /// Once.
    At(DateTime),
}

/// Why a text says no start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartsError {
    /// Not a cron expression.
    #[error("not a cron expression: {0}")]
    Cron(#[from] CronError),
    /// Not a date with a time.
    #[error(
        "not a date with a time to the minute; write it as 2026-12-01T08:00, without an offset: timeZone says where that is"
    )]
    At,
}

impl Starts {
    /// Starts at each match of a cron expression.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn cron(text: &str) -> Result<Self, StartsError> {
        Ok(Self::Cron(Box::new(Cron::parse(text)?)))
    }

    /// One start at `YYYY-MM-DDTHH:MM`.
    ///
    /// # Errors
    /// When the text is not such a date.
    pub fn at(text: &str) -> Result<Self, StartsError> {
        let wall: DateTime = text.parse().map_err(|_| StartsError::At)?;
        // The parser takes seconds, spaces and offsets too, which would be read and then not obeyed.
        if wall.strftime("%Y-%m-%dT%H:%M").to_string() == text {
            Ok(Self::At(wall))
        } else {
            Err(StartsError::At)
        }
    }

    /// The first start after a wall clock.
    pub(super) fn after(&self, wall: DateTime) -> Option<DateTime> {
        match self {
            Self::Cron(cron) => cron.after(wall),
            Self::At(at) => (*at > wall).then_some(*at),
        }
    }

    /// The last start at or before a wall clock.
    pub(super) fn at_or_before(&self, wall: DateTime) -> Option<DateTime> {
        match self {
            Self::Cron(cron) => cron.at_or_before(wall),
            Self::At(at) => (*at <= wall).then_some(*at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_a_time_to_the_minute_and_no_offset() {
        assert!(Starts::at("2026-12-01T08:00").is_ok());
        for text in [
            "2026-12-01",
            "2026-12-01T08:00:30",
            "2026-12-01 08:00",
            "2026-12-01T08:00Z",
            "2026-12-01T08:00+01:00",
            "2026-02-30T08:00",
            "tomorrow",
        ] {
            assert_eq!(Starts::at(text), Err(StartsError::At), "{text}");
        }
    }
}
