//! Reads and writes thresholds: `latency p95 < 500ms`, `step log in: errors < 1%`.

use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};

use super::{
    duration,
    model::{Action, Bound, Journey, SocketTime, Threshold, any_action},
};

/// Why a threshold was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// The text has none of the known forms.
    #[error(
        "{0:?} is not a threshold: write \"latency p95 < 500ms\", \"within 500ms >= 95%\", \"errors < 1%\", \"retried < 1%\", \"rate >= 95/s\" or \"trend < 10%/h\", with \"step NAME: \" before it for one step; of WebSockets \"ws_rtt p95 < 200ms\", \"ws_connect p95 < 1s\", \"ws_ping p95 < 100ms\", \"ws_held >= 99%\" or \"ws_held >= 50\""
    )]
    Form(String),
    /// A limit of 0 % can never be met, because no share is below 0 %.
    #[error("{0:?} can never hold, because no share is below 0%: write 0.001% if there may be none")]
    Never(String),
    /// WebSocket connections are measured together, so their bounds cannot be for one step.
    #[error("{bound:?} is of all WebSocket connections; leave out \"step {step}: \"")]
    OfStep {
        /// Name of the step.
        step: String,
        /// The bound as it was written.
        bound: String,
    },
}

/// Why a threshold does not fit a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MisfitError {
    /// The scenario has no step of this name.
    #[error("no step is called {step:?}; there are {known}")]
    NoStep {
        /// The name of the step.
        step: String,
        /// Names of the scenario's steps.
        known: String,
    },
    /// The bound is on WebSocket connections, and the scenario has none.
    #[error("no step is a websocket")]
    NoWebSocket,
}

impl Threshold {
    /// Refuses a threshold on something that the journeys do not have.
    ///
    /// # Errors
    /// When no step has the name, or no step is a WebSocket connection.
    pub fn fits(&self, journeys: &[Journey]) -> Result<(), MisfitError> {
        let steps = || journeys.iter().flat_map(|journey| &journey.steps);
        if let Some(step) = &self.step
            && !steps().any(|known| known.name == *step)
        {
            let known: BTreeSet<String> = steps().map(|step| format!("{:?}", step.name)).collect();
            return Err(MisfitError::NoStep {
                step: step.clone(),
                known: Vec::from_iter(known).join(", "),
            });
        }
        if self.bound.is_of_sockets() && !any_action(journeys, Action::is_websocket) {
            return Err(MisfitError::NoWebSocket);
        }
        Ok(())
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ThresholdError::Form(text.to_owned());
        let (step, bound) = match text.trim().strip_prefix("step ") {
            Some(rest) => {
                // From the right, because names of steps may contain ": " themselves.
                let (name, bound) = rest.rsplit_once(": ").ok_or_else(refused)?;
                (Some(name.trim().to_owned()), bound)
            }
            None => (None, text),
        };
        let words: Vec<&str> = bound.split_whitespace().collect();
        let bound = bound_of(&words).ok_or_else(refused)?;
        if matches!(bound, Bound::Errors(share) | Bound::Retried(share) if share <= 0.0) {
            return Err(ThresholdError::Never(text.to_owned()));
        }
        match step {
            Some(step) if bound.is_of_sockets() => Err(ThresholdError::OfStep {
                step,
                bound: words.join(" "),
            }),
            step => Ok(Self { step, bound }),
        }
    }
}

fn bound_of(words: &[&str]) -> Option<Bound> {
    match *words {
        ["latency", quantile, "<", limit] => {
            Some(Bound::Latency(share_of_quantile(quantile)?, positive(limit)?))
        }
        ["within", limit, ">=", share] => Some(Bound::Within(positive(limit)?, percent(share)?)),
        ["errors", "<", share] => Some(Bound::Errors(percent(share)?)),
        ["retried", "<", share] => Some(Bound::Retried(percent(share)?)),
        ["rate", ">=", rate] => {
            let rate: f64 = rate.strip_suffix("/s")?.parse().ok()?;
            (rate.is_finite() && rate > 0.0).then_some(Bound::Rate(rate))
        }
        ["trend", "<", growth] => Some(Bound::Trend(percent(growth.strip_suffix("/h")?)?)),
        ["ws_rtt", quantile, "<", limit] => socket(SocketTime::RoundTrip, quantile, limit),
        ["ws_connect", quantile, "<", limit] => socket(SocketTime::Connect, quantile, limit),
        ["ws_ping", quantile, "<", limit] => socket(SocketTime::Ping, quantile, limit),
        ["ws_held", ">=", share] if share.ends_with('%') => Some(Bound::Held(percent(share)?)),
        ["ws_held", ">=", count] => {
            let count = count.parse().ok()?;
            (count > 0).then_some(Bound::HeldAtOnce(count))
        }
        _ => None,
    }
}

fn socket(time: SocketTime, quantile: &str, limit: &str) -> Option<Bound> {
    Some(Bound::Socket(
        time,
        share_of_quantile(quantile)?,
        positive(limit)?,
    ))
}

/// The share of a quantile: 0.95 for `p95`, 0.999 for `p99.9`, 1 for `max`.
fn share_of_quantile(text: &str) -> Option<f64> {
    if text == "max" {
        return Some(1.0);
    }
    let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
    (percent > 0.0 && percent < 100.0).then_some(percent / 100.0)
}

fn positive(text: &str) -> Option<Duration> {
    duration::parse_positive(text).ok()
}

fn percent(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = &self.step {
            write!(f, "step {step}: ")?;
        }
        match self.bound {
            Bound::Latency(share, limit) => {
                write!(
                    f,
                    "latency {} < {}",
                    quantile_name(share),
                    duration::format(limit)
                )
            }
            Bound::Within(limit, share) => {
                write!(
                    f,
                    "within {} >= {}",
                    duration::format(limit),
                    written_percent(share)
                )
            }
            Bound::Errors(share) => write!(f, "errors < {}", written_percent(share)),
            Bound::Retried(share) => write!(f, "retried < {}", written_percent(share)),
            Bound::Rate(rate) => write!(f, "rate >= {rate}/s"),
            Bound::Trend(growth) => write!(f, "trend < {}/h", written_percent(growth)),
            Bound::Socket(time, share, limit) => {
                let name = match time {
                    SocketTime::RoundTrip => "ws_rtt",
                    SocketTime::Connect => "ws_connect",
                    SocketTime::Ping => "ws_ping",
                };
                write!(f, "{name} {} < {}", quantile_name(share), duration::format(limit))
            }
            Bound::Held(share) => write!(f, "ws_held >= {}", written_percent(share)),
            Bound::HeldAtOnce(count) => write!(f, "ws_held >= {count}"),
        }
    }
}

fn written_percent(share: f64) -> String {
    format!("{}%", written(share))
}

/// The name of a quantile: `p95`, `p99.9`, `max`.
pub fn quantile_name(share: f64) -> String {
    if share >= 1.0 {
        "max".to_owned()
    } else {
        format!("p{}", written(share))
    }
}

/// A share as a percentage: 0.95 as `95%`.
pub fn in_percent(share: f64) -> String {
    format!("{}%", rounded(share * 100.0))
}

/// Rounds to a thousandth, because 0.29 * 100 is 28.999999999999996.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A share in percent with all digits that it was written with, so that 99.9999 does not become 100.
fn written(share: f64) -> f64 {
    (share * 1e12).round() / 1e10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_form_is_read_and_written_as_it_was() {
        for (text, bound) in [
            (
                "latency p95 < 500ms",
                Bound::Latency(0.95, Duration::from_millis(500)),
            ),
            ("latency max < 2s", Bound::Latency(1.0, Duration::from_secs(2))),
            (
                "within 500ms >= 95%",
                Bound::Within(Duration::from_millis(500), 0.95),
            ),
            ("errors < 1%", Bound::Errors(0.01)),
            ("retried < 1%", Bound::Retried(0.01)),
            ("rate >= 95/s", Bound::Rate(95.0)),
            ("trend < 10%/h", Bound::Trend(0.1)),
        ] {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold, Threshold { step: None, bound });
            assert_eq!(threshold.to_string(), text);
            let of_step: Threshold = format!("step log in: {text}").parse().unwrap();
            assert_eq!(of_step.step.as_deref(), Some("log in"));
            assert_eq!(of_step.to_string(), format!("step log in: {text}"));
        }
    }

    #[test]
    fn bounds_on_websockets_are_read_and_written_as_they_were() {
        let limit = Duration::from_millis(200);
        for (text, bound) in [
            (
                "ws_rtt p95 < 200ms",
                Bound::Socket(SocketTime::RoundTrip, 0.95, limit),
            ),
            (
                "ws_connect max < 200ms",
                Bound::Socket(SocketTime::Connect, 1.0, limit),
            ),
            ("ws_ping p50 < 200ms", Bound::Socket(SocketTime::Ping, 0.5, limit)),
            ("ws_held >= 99.5%", Bound::Held(0.995)),
            ("ws_held >= 50", Bound::HeldAtOnce(50)),
        ] {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold, Threshold { step: None, bound });
            assert_eq!(threshold.to_string(), text);
        }
        for text in ["ws_held >= 0", "ws_held >= -1", "ws_held < 5", "ws_rtt < 200ms"] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.contains("ws_rtt p95 < 200ms"), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_the_forms_there_are() {
        for text in [
            "",
            "latency p95 > 500ms",
            "latency p0 < 1s",
            "latency p95 < 0s",
            "errors < 1",
            "errors < 101%",
            "rate >= NaN/s",
            "step x errors < 1%",
        ] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.contains("latency p95 < 500ms"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = text.parse::<Threshold>();
        }

        #[test]
        fn what_is_written_is_read_again(percent in 1_u32..1000, millis in 1_u64..100_000) {
            let share = f64::from(percent) / 1000.0;
            for bound in [
                Bound::Latency(share, Duration::from_millis(millis)),
                Bound::Within(Duration::from_millis(millis), share),
                Bound::Errors(share),
                Bound::Retried(share),
                Bound::Trend(share),
            ] {
                let written = Threshold { step: None, bound }.to_string();
                let read: Threshold = written.parse().unwrap();
                prop_assert_eq!(read.to_string(), written);
            }
        }
    }
}
