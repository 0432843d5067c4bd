//! The thresholds of a k6 script, in the words of a scenario.

use serde_json::Value;

use super::super::LeftOut;
use crate::scenario::model::Threshold;

/// All thresholds that a scenario can have; the others are listed.
pub(super) fn all(options: &Value, left_out: &mut Vec<LeftOut>) -> Vec<String> {
    let (mut found, mut read): (Vec<String>, Vec<Threshold>) = (Vec::new(), Vec::new());
    let metrics = options.get("thresholds").and_then(Value::as_object);
    for (metric, list) in metrics.into_iter().flatten() {
        // A single threshold may stand without a list.
        let list = list.as_array().map_or(std::slice::from_ref(list), Vec::as_slice);
        for threshold in list {
            let text = threshold
                .get("threshold")
                .unwrap_or(threshold)
                .as_str()
                .unwrap_or_default();
            let part = format!("thresholds.{metric} {text:?}");
            if threshold.get("abortOnFail") == Some(&Value::Bool(true)) {
                let why = "the field abort of a scenario ends a run early, by the share of errors";
                left_out.push(LeftOut::new(format!("{part} abortOnFail"), why));
            }
            match one(metric, text) {
                Ok(written) => match written.parse::<Threshold>() {
                    Ok(threshold) if read.contains(&threshold) => {}
                    Ok(threshold) => {
                        found.push(written);
                        read.push(threshold);
                    }
                    Err(_) => {
                        let why = "its limit is none that a threshold can have";
                        left_out.push(LeftOut::new(part, why));
                    }
                },
                Err(why) => left_out.push(LeftOut::new(part, why)),
            }
        }
    }
    found
}

/// The threshold of one metric.
fn one(metric: &str, text: &str) -> Result<String, String> {
    if let Some((_, tags)) = metric.split_once('{') {
        let tags = tags.trim_end_matches('}');
        return Err(format!(
            "it is for {tags}: write \"step NAME: \" before a threshold for one step"
        ));
    }
    let refused = || "vas has no such threshold; see `vas test run --help`".to_owned();
    let (what, operator, limit) = parts(text).ok_or_else(refused)?;
    let below = matches!(operator, "<" | "<=");
    let above = matches!(operator, ">" | ">=");
    match (metric, what) {
        ("http_req_duration", _) if below => {
            let figure = if what == "avg" {
                "mean".to_owned()
            } else {
                quantile(what)?
            };
            Ok(format!("latency {figure} {operator} {}", milliseconds(limit)))
        }
        // The scenario that is written has no step with a WebSocket, and refuses the threshold without one.
        ("ws_connecting", _) if below => Err(format!(
            "write \"ws_connect {} {operator} {}\" when you have written a step with websocket",
            quantile(what)?,
            milliseconds(limit)
        )),
        ("http_req_failed", "rate") if below && percent(limit) > 0.0 => {
            Ok(format!("errors {operator} {}%", percent(limit)))
        }
        ("http_req_failed", "rate") if operator == "==" || below => Ok("errors <= 0%".to_owned()),
        // A check that fails is a request that fails.
        ("checks", "rate") if above && percent(1.0 - limit) > 0.0 => {
            Ok(format!("errors < {}%", percent(1.0 - limit)))
        }
        ("checks", "rate") if above || operator == "==" => Ok("errors <= 0%".to_owned()),
        ("http_reqs", "rate") if above && limit > 0.0 => Ok(format!("rate {operator} {limit}/s")),
        ("http_reqs", "count") if above && limit.fract() == 0.0 => Ok(format!("requests {operator} {limit}")),
        _ => Err(refused()),
    }
}

/// What is measured, the operator and the limit: `p(95)<500`.
fn parts(text: &str) -> Option<(&str, &str, f64)> {
    let start = text.find(['<', '>', '=', '!'])?;
    let (what, rest) = text.split_at_checked(start)?;
    let end = rest.find(|letter| !"<>=!".contains(letter))?;
    let (operator, limit) = rest.split_at_checked(end)?;
    let limit: f64 = limit.trim().parse().ok()?;
    (limit.is_finite() && limit >= 0.0).then_some((what.trim(), operator, limit))
}

/// `p95` for `p(95)`.
fn quantile(what: &str) -> Result<String, String> {
    match what {
        "med" => Ok("p50".to_owned()),
        "max" => Ok("max".to_owned()),
        _ => what
            .strip_prefix("p(")
            .and_then(|rest| rest.strip_suffix(')'))
            .filter(|number| {
                number
                    .parse()
                    .is_ok_and(|number: f64| number > 0.0 && number < 100.0)
            })
            .map(|number| format!("p{number}"))
            .ok_or_else(|| format!("{what:?} is none of p(95), avg, med and max")),
    }
}

fn milliseconds(limit: f64) -> String {
    format!("{limit}ms")
}

/// A share in percent, without the digits that binary fractions add.
fn percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}
