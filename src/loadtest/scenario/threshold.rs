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
        "{0:?} is not a threshold: write \"latency p95 < 500ms\", \"latency mean < 200ms\", \"within 500ms >= 95%\", \"errors < 1%\", \"errors < 10\", \"requests >= 1000\", \"retried < 1%\", \"rate >= 95/s\" or \"trend < 10%/h\", with \"step NAME: \" before it for one step; of WebSockets \"ws_rtt p95 < 200ms\", \"ws_connect p95 < 1s\", \"ws_ping p95 < 100ms\", \"ws_held >= 99%\" or \"ws_held >= 50\""
    )]
    Form(String),
    /// The limit is a number where a time, or a number per second, is needed.
    #[error("{text:?} has no unit: write {limit}{unit}")]
    Unit {
        /// The threshold as it was written.
        text: String,
        /// The limit.
        limit: String,
        /// The unit that is likely meant.
        unit: &'static str,
    },
    /// A limit of 0 can never be met, because nothing is below 0.
    #[error("{0:?} can never hold, because nothing is below 0: write <= if there may be none")]
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
        let (left, sign, limit) = sides(bound).ok_or_else(refused)?;
        let words: Vec<&str> = left.split_whitespace().collect();
        let limit: &str = &limit.split_whitespace().collect::<String>();
        let bound = bound_of(&words, limit).ok_or_else(|| {
            missing_unit(&words, limit).map_or_else(refused, |unit| ThresholdError::Unit {
                text: text.to_owned(),
                limit: limit.to_owned(),
                unit,
            })
        })?;
        let inclusive = sign.ends_with('=');
        if sign.starts_with('>') != is_lower(bound) {
            return Err(refused());
        }
        let zero = match bound {
            Bound::Errors(share) | Bound::Retried(share) => share <= 0.0,
            Bound::Failed(count) => count == 0,
            _ => false,
        };
        if zero && !inclusive {
            return Err(ThresholdError::Never(text.to_owned()));
        }
        match step {
            Some(step) if bound.is_of_sockets() => Err(ThresholdError::OfStep {
                step,
                bound: format!("{} {sign} {limit}", words.join(" ")),
            }),
            step => Ok(Self {
                step,
                bound,
                inclusive,
            }),
        }
    }
}

/// The measured value, the sign and the limit of a bound. Spaces around the sign are free.
fn sides(text: &str) -> Option<(&str, &str, &str)> {
    let begin = text.find(['<', '>'])?;
    let (left, rest) = text.split_at(begin);
    let length = if rest.get(1..2) == Some("=") { 2 } else { 1 };
    let (sign, limit) = rest.split_at(length);
    Some((left, sign, limit.trim()))
}

/// Whether the limit of a bound is the least that may be measured, so that its sign is `>=` or `>`.
fn is_lower(bound: Bound) -> bool {
    match bound {
        Bound::Within(..) | Bound::Requests(_) | Bound::Rate(_) | Bound::Held(_) | Bound::HeldAtOnce(_) => {
            true
        }
        Bound::Latency(..)
        | Bound::Mean(_)
        | Bound::Errors(_)
        | Bound::Failed(_)
        | Bound::Retried(_)
        | Bound::Trend(_)
        | Bound::Socket(..) => false,
    }
}

fn bound_of(words: &[&str], limit: &str) -> Option<Bound> {
    let count = || limit.parse().ok();
    match *words {
        // k6 has the name avg.
        ["latency", "mean" | "avg"] => Some(Bound::Mean(positive(limit)?)),
        ["latency", quantile] => Some(Bound::Latency(share_of_quantile(quantile)?, positive(limit)?)),
        ["within", time] => Some(Bound::Within(positive(time)?, percent(limit)?)),
        ["errors"] if limit.ends_with('%') => Some(Bound::Errors(percent(limit)?)),
        ["errors"] => Some(Bound::Failed(count()?)),
        ["requests"] => Some(Bound::Requests(count()?)),
        ["retried"] => Some(Bound::Retried(percent(limit)?)),
        ["rate"] => {
            let rate: f64 = limit.strip_suffix("/s")?.parse().ok()?;
            (rate.is_finite() && rate > 0.0).then_some(Bound::Rate(rate))
        }
        ["trend"] => Some(Bound::Trend(percent(limit.strip_suffix("/h")?)?)),
        ["ws_rtt", quantile] => socket(SocketTime::RoundTrip, quantile, limit),
        ["ws_connect", quantile] => socket(SocketTime::Connect, quantile, limit),
        ["ws_ping", quantile] => socket(SocketTime::Ping, quantile, limit),
        ["ws_held"] if limit.ends_with('%') => Some(Bound::Held(percent(limit)?)),
        ["ws_held"] => {
            let count = count()?;
            (count > 0).then_some(Bound::HeldAtOnce(count))
        }
        _ => None,
    }
}

/// The unit that a limit lacks. k6 writes `p(95)<500`, and means milliseconds.
fn missing_unit(words: &[&str], limit: &str) -> Option<&'static str> {
    ["ms", "/s"]
        .into_iter()
        .find(|unit| bound_of(words, &format!("{limit}{unit}")).is_some())
}

fn socket(time: SocketTime, quantile: &str, limit: &str) -> Option<Bound> {
    Some(Bound::Socket(
        time,
        share_of_quantile(quantile)?,
        positive(limit)?,
    ))
}

/// The share of a quantile: 0.95 for `p95`, 0.999 for `p99.9`, 1 for `max`. k6 writes `p(95)` and `med`.
fn share_of_quantile(text: &str) -> Option<f64> {
    match text {
        "max" => return Some(1.0),
        "med" => return Some(0.5),
        _ => {}
    }
    let percent = text.strip_prefix('p')?;
    let in_brackets = percent
        .strip_prefix('(')
        .and_then(|percent| percent.strip_suffix(')'));
    let percent: f64 = in_brackets.unwrap_or(percent).parse().ok()?;
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
        let (low, high) = if self.inclusive { ("<=", ">=") } else { ("<", ">") };
        match self.bound {
            Bound::Latency(share, limit) => {
                let (name, limit) = (quantile_name(share), duration::format(limit));
                write!(f, "latency {name} {low} {limit}")
            }
            Bound::Mean(limit) => write!(f, "latency mean {low} {}", duration::format(limit)),
            Bound::Within(limit, share) => {
                let (limit, share) = (duration::format(limit), written_percent(share));
                write!(f, "within {limit} {high} {share}")
            }
            Bound::Errors(share) => write!(f, "errors {low} {}", written_percent(share)),
            Bound::Failed(count) => write!(f, "errors {low} {count}"),
            Bound::Requests(count) => write!(f, "requests {high} {count}"),
            Bound::Retried(share) => write!(f, "retried {low} {}", written_percent(share)),
            Bound::Rate(rate) => write!(f, "rate {high} {rate}/s"),
            Bound::Trend(growth) => write!(f, "trend {low} {}/h", written_percent(growth)),
            Bound::Socket(time, share, limit) => {
                let name = match time {
                    SocketTime::RoundTrip => "ws_rtt",
                    SocketTime::Connect => "ws_connect",
                    SocketTime::Ping => "ws_ping",
                };
                let (quantile, limit) = (quantile_name(share), duration::format(limit));
                write!(f, "{name} {quantile} {low} {limit}")
            }
            Bound::Held(share) => write!(f, "ws_held {high} {}", written_percent(share)),
            Bound::HeldAtOnce(count) => write!(f, "ws_held {high} {count}"),
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
mod tests;
