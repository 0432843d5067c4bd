//! The text of one annotation: `workloads=api-gateway,worker until=2026-11-28T12:00:00Z reason=incident
//! 4711`.
//!
//! Every part may be left out. `reason` is always the last part, because it goes on to the end of the text.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::Timestamp;
use thiserror::Error;

use super::quoted;

/// Largest text that is read, in bytes. 16 names of 63 characters, a time and a reason fit.
pub(super) const LONGEST: usize = 1536;
/// Largest reason in bytes.
const LONGEST_REASON: usize = 256;

/// The suspension of one holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The suspended workloads.
    pub workloads: Workloads,
    /// When the suspension ends by itself; `None` for one that lasts until somebody resumes.
    pub until: Option<Timestamp>,
    /// Why scaling is suspended, for people.
    pub reason: Option<Reason>,
}

/// A set of workloads of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workloads {
    /// All workloads that the resource has now or will have.
    All,
    /// The workloads with these names.
    Named(Names),
}

/// Names of workloads: at least one, each a DNS label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(BTreeSet<String>);

/// The reason of a suspension: one line, not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text cannot be read as a [`Suspension`]. Messages quote at most 80 characters of the text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SuspensionError {
    /// The text is too long.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// A word is not `KEY=VALUE` with a known key.
    #[error("{} is none of workloads=NAME,... until=TIME reason=TEXT", quoted(.0))]
    Word(String),
    /// A key occurs for the second time.
    #[error("{0}= is there twice")]
    Twice(&'static str),
    /// A workload's name is not a DNS label.
    #[error("{} is no name of a workload", quoted(.0))]
    Name(String),
    /// The end is not an RFC 3339 time.
    #[error("{} is no time; write it as 2026-11-28T12:00:00Z", quoted(.0))]
    Until(String),
    /// The reason is too long, or more than one line.
    #[error("the reason must be one line of at most {LONGEST_REASON} bytes")]
    Reason,
}

impl Suspension {
    /// Whether the suspension holds at a moment. At the moment of its end it does not hold any more.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Workloads {
    /// The workloads with these names; all workloads if there are no names.
    ///
    /// # Errors
    /// When a name is not a DNS label.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, SuspensionError> {
        let names = names.into_iter().map(|name| {
            if is_name(name) {
                Ok(name.to_owned())
            } else {
                Err(SuspensionError::Name(name.to_owned()))
            }
        });
        let names: BTreeSet<String> = names.collect::<Result<_, _>>()?;
        Ok(if names.is_empty() {
            Self::All
        } else {
            Self::Named(Names(names))
        })
    }

    /// Whether the set has a workload of this name.
    pub fn contains(&self, workload: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.0.contains(workload),
        }
    }

    /// The names in the set; empty for [`Workloads::All`].
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::All => None,
            Self::Named(names) => Some(names),
        };
        names
            .into_iter()
            .flat_map(|names| names.0.iter().map(String::as_str))
    }
}

impl Reason {
    /// The reason with this text; `None` if the text is blank.
    ///
    /// # Errors
    /// When the text is too long, or has more than one line.
    pub fn of(text: &str) -> Result<Option<Self>, SuspensionError> {
        let text = text.trim();
        if text.len() > LONGEST_REASON || text.chars().any(char::is_control) {
            return Err(SuspensionError::Reason);
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }
}

impl FromStr for Suspension {
    type Err = SuspensionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(SuspensionError::TooLong);
        }
        let (mut workloads, mut until, mut reason) = (None, None, None);
        let mut rest = text.trim();
        while !rest.is_empty() {
            // The reason may hold anything, `until=` too, so it takes the rest of the text.
            if let Some(words) = rest.strip_prefix("reason=") {
                reason = Reason::of(words)?;
                break;
            }
            let (word, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            match word.split_once('=') {
                Some(("workloads", names)) => {
                    once("workloads", &mut workloads, Workloads::of(names.split(','))?)?;
                }
                Some(("until", time)) => {
                    let parsed = time.parse();
                    let parsed = parsed.map_err(|_| SuspensionError::Until(time.to_owned()))?;
                    once("until", &mut until, parsed)?;
                }
                _ => return Err(SuspensionError::Word(word.to_owned())),
            }
            rest = tail.trim_start();
        }
        Ok(Self {
            workloads: workloads.unwrap_or(Workloads::All),
            until,
            reason,
        })
    }
}

impl fmt::Display for Suspension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workloads = match &self.workloads {
            Workloads::All => None,
            named @ Workloads::Named(_) => Some(format!("workloads={named}")),
        };
        let until = self.until.map(|until| format!("until={until}"));
        let reason = self.reason.as_ref().map(|reason| format!("reason={reason}"));
        let parts: Vec<String> = [workloads, until, reason].into_iter().flatten().collect();
        f.write_str(&parts.join(" "))
    }
}

impl fmt::Display for Workloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Named(_) => f.write_str(&self.names().collect::<Vec<_>>().join(",")),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Stores the value of a key, or fails if the key has one already.
fn once<T>(key: &'static str, place: &mut Option<T>, value: T) -> Result<(), SuspensionError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(SuspensionError::Twice(key)),
    }
}

/// A DNS label, as the CRD asks of names of workloads.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Suspension {
        text.parse().unwrap()
    }

    fn refused(text: &str) -> String {
        text.parse::<Suspension>().unwrap_err().to_string()
    }

    #[test]
    fn every_part_is_read_and_every_part_may_be_left_out() {
        let all =
            read("workloads=worker,api-gateway until=2026-11-28T13:00:00+01:00 reason=incident 4711: x=y");
        assert_eq!(
            all.workloads.names().collect::<Vec<_>>(),
            ["api-gateway", "worker"]
        );
        assert_eq!(
            all.to_string(),
            "workloads=api-gateway,worker until=2026-11-28T12:00:00Z reason=incident 4711: x=y"
        );
        let none = read(" \n");
        assert_eq!(
            (none.workloads, none.until, none.reason),
            (Workloads::All, None, None)
        );
        assert_eq!(
            read("until=2026-11-28T12:00:00Z\nworkloads=a\n").to_string(),
            "workloads=a until=2026-11-28T12:00:00Z"
        );
        assert_eq!(read("reason=").reason, None);
    }

    #[test]
    fn it_ends_at_its_moment_and_not_before() {
        let suspension = read("until=2026-11-28T12:00:00Z");
        let at = |time: &str| suspension.holds_at(time.parse().unwrap());
        assert!(at("2026-11-28T11:59:59.999Z"));
        assert!(!at("2026-11-28T12:00:00Z"));
        assert!(read("").holds_at(Timestamp::MAX));
    }

    #[test]
    fn what_cannot_be_read_is_quoted_in_part() {
        for (text, words) in [
            ("true", "\"true\" is none of workloads="),
            ("worklods=api", "\"worklods=api\""),
            ("workloads=", "\"\" is no name"),
            ("workloads=Api", "\"Api\" is no name"),
            ("workloads=a until=tomorrow", "\"tomorrow\" is no time"),
            ("until=2026-11-28T12:00:00", "is no time"),
            ("workloads=a workloads=b", "workloads= is there twice"),
            ("reason=a\nb", "one line"),
        ] {
            assert!(refused(text).contains(words), "{text}: {}", refused(text));
        }
        assert!(refused(&format!("reason={}", "é".repeat(129))).contains("at most 256 bytes"));
        assert!(refused(&"x".repeat(LONGEST + 1)).contains("longer than"));
        assert!(refused(&"x".repeat(LONGEST)).len() < 200);
        assert!(!refused("\u{1b}[31m\u{202e}").contains(['\u{1b}', '\u{202e}']));
    }
}
