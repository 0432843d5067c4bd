//! Conditions: findings, their summary, and the standard semantics of `metav1.Condition`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Largest message in bytes. The API server takes 32768 bytes, which is too much for people.
const LONGEST_MESSAGE: usize = 1024;

/// The status of a condition. The order is that of [`summarize`]: the greatest status wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The condition holds.
    True,
    /// It is not known, or not known yet, whether the condition holds.
    Unknown,
    /// The condition does not hold.
    False,
}

impl Status {
    /// The status as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::Unknown => "Unknown",
            Self::False => "False",
        }
    }

    /// Reads the API's spelling. Any other text is `Unknown`.
    pub fn of(text: &str) -> Self {
        match text {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }
}

/// A condition without its time and generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The condition type.
    pub type_: &'static str,
    /// The status of the condition.
    pub status: Status,
    /// Reason in PascalCase, never empty.
    pub reason: String,
    /// Text for people. The same state always gives the same text, so that it causes no status write.
    pub message: String,
}

impl Finding {
    /// A finding. A message of more than 1024 bytes is cut.
    pub fn new(type_: &'static str, status: Status, reason: &str, message: impl Into<String>) -> Self {
        Self {
            type_,
            status,
            reason: reason.to_owned(),
            message: cut(message.into()),
        }
    }
}

/// Cuts a text to at most 1024 bytes, at a character boundary. A text that was cut ends with `...`.
pub fn cut(mut text: String) -> String {
    if text.len() > LONGEST_MESSAGE {
        let mut end = LONGEST_MESSAGE - 3;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Sums up findings in one of type `type_`. False beats Unknown, and Unknown beats True. The first finding
/// with the worst status gives the reason, and the message names all findings with that status. `fine` is the
/// result if all findings are True.
pub fn summarize<'a>(
    type_: &'static str,
    parts: impl IntoIterator<Item = (&'a str, &'a Finding)>,
    fine: Finding,
) -> Finding {
    let parts: Vec<_> = parts.into_iter().collect();
    let worst = parts
        .iter()
        .map(|(_, part)| part.status)
        .max()
        .unwrap_or(Status::True);
    if worst == Status::True {
        return fine;
    }
    let of_worst = || parts.iter().filter(|(_, part)| part.status == worst);
    let reason = of_worst()
        .map(|(_, part)| part.reason.as_str())
        .next()
        .unwrap_or_default();
    let messages: Vec<String> = of_worst()
        .map(|(about, part)| {
            let what = if part.message.is_empty() {
                &part.reason
            } else {
                &part.message
            };
            if about.is_empty() {
                what.clone()
            } else {
                format!("{about}: {what}")
            }
        })
        .collect();
    Finding::new(type_, worst, reason, messages.join("; "))
}

/// The conditions to write. `lastTransitionTime` changes only if the status of the condition does.
pub fn conditions(
    findings: &[Finding],
    old: &[Condition],
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    findings
        .iter()
        .map(|finding| {
            // A new reason or message leaves the time as it is: `metav1.Condition` counts changes of status
            // alone.
            let since = old
                .iter()
                .find(|condition| {
                    condition.type_ == finding.type_ && condition.status == finding.status.as_str()
                })
                .map_or_else(
                    || Time(whole_seconds(now)),
                    |condition| condition.last_transition_time.clone(),
                );
            Condition {
                type_: finding.type_.to_owned(),
                status: finding.status.as_str().to_owned(),
                reason: finding.reason.clone(),
                message: finding.message.clone(),
                observed_generation: Some(generation),
                last_transition_time: since,
            }
        })
        .collect()
}

/// Removes the fraction of a second, because the API stores whole seconds.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finding(status: Status, reason: &str) -> Finding {
        Finding::new("Part", status, reason, format!("message of {reason}"))
    }

    fn fine() -> Finding {
        Finding::new("Ready", Status::True, "Ready", "")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn false_beats_unknown_beats_true() {
        let (good, odd, bad) = (
            finding(Status::True, "Good"),
            finding(Status::Unknown, "Odd"),
            finding(Status::False, "Bad"),
        );
        let sum = |parts: &[&Finding]| summarize("Ready", parts.iter().map(|part| ("w", *part)), fine());
        assert_eq!(sum(&[&good, &odd, &bad]).reason, "Bad");
        assert_eq!(sum(&[&good, &odd]).status, Status::Unknown);
        assert_eq!(sum(&[&good]), fine());
        assert_eq!(sum(&[]), fine());
        assert_eq!(sum(&[&bad, &bad]).message, "w: message of Bad; w: message of Bad");
    }

    #[test]
    fn the_transition_time_moves_only_with_the_status() {
        let old = conditions(&[finding(Status::True, "A")], &[], 1, at(100));
        let same = conditions(&[finding(Status::True, "B")], &old, 2, at(200));
        assert_eq!(same[0].last_transition_time.0, at(100));
        assert_eq!(
            (same[0].reason.as_str(), same[0].observed_generation),
            ("B", Some(2))
        );
        let moved = conditions(&[finding(Status::False, "B")], &same, 2, at(300));
        assert_eq!(moved[0].last_transition_time.0, at(300));
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let text = cut("é".repeat(2000));
        assert!(text.len() <= LONGEST_MESSAGE && text.ends_with("..."));
    }

    proptest! {
        #[test]
        fn the_status_of_a_summary_does_not_depend_on_order(
            statuses in prop::collection::vec(prop_oneof![Just(Status::True), Just(Status::Unknown), Just(Status::False)], 0..8)
        ) {
            let parts: Vec<Finding> = statuses.iter().map(|status| finding(*status, "X")).collect();
            let forward = summarize("Ready", parts.iter().map(|part| ("", part)), fine());
            let backward = summarize("Ready", parts.iter().rev().map(|part| ("", part)), fine());
            prop_assert_eq!(forward.status, backward.status);
            prop_assert_eq!(forward.status, statuses.into_iter().max().unwrap_or(Status::True));
        }
    }
}
