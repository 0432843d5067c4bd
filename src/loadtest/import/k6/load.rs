//! The load of a k6 script: its executor, or the short forms of the options.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::{
    LeftOut,
    scenario::{Lane, Load, Stage},
};
use crate::scenario::duration;

/// Time that a script with iterations gets at most unless it says otherwise, as in k6.
const MAX_DURATION: Duration = Duration::from_mins(10);
/// Length of a stage that stands for a jump. A stage of `vas test` has a length.
const JUMP: &str = "10ms";

/// Name of the only function of a script without scenarios, and of the journey that stands for it.
const FUNCTION: &str = "default";

/// The load of a script, and the names of the functions that its users run.
pub(super) struct Course {
    /// The load, if it is one; otherwise there are several.
    pub(super) load: Option<Load>,
    /// Several loads, or one that begins later.
    pub(super) loads: Vec<Lane>,
    /// Names of the functions; at least one.
    pub(super) functions: Vec<String>,
}

/// The load; `None` when there is none or it cannot be taken.
pub(super) fn of(options: &Value, left_out: &mut Vec<LeftOut>) -> Option<Course> {
    if let Some(scenarios) = options
        .get("scenarios")
        .and_then(Value::as_object)
        .filter(|all| !all.is_empty())
    {
        return of_scenarios(scenarios, left_out);
    }
    let taken = of_shortcuts(options)?;
    let load = taken
        .map_err(|why| left_out.push(LeftOut::new("the load", why)))
        .ok()?;
    Some(Course {
        load: Some(load),
        loads: Vec::new(),
        functions: vec![FUNCTION.to_owned()],
    })
}

/// The loads of all scenarios that can be taken; `None` where none can.
fn of_scenarios(scenarios: &Map<String, Value>, left_out: &mut Vec<LeftOut>) -> Option<Course> {
    let (mut loads, mut functions) = (Vec::new(), Vec::new());
    for (name, scenario) in scenarios {
        let taken = of_executor(scenario).and_then(|load| Ok((load, start(scenario)?)));
        let (load, start) = match taken {
            Ok(taken) => taken,
            Err(why) => {
                left_out.push(LeftOut::new(format!("scenarios.{name}"), why));
                continue;
            }
        };
        let function = scenario.get("exec").and_then(Value::as_str).unwrap_or(FUNCTION);
        if !functions.iter().any(|known| known == function) {
            functions.push(function.to_owned());
        }
        loads.push(Lane {
            name: name.clone(),
            start,
            journeys: vec![function.to_owned()],
            load,
        });
    }
    if let [
        Lane {
            start: None, load, ..
        },
    ] = loads.as_slice()
    {
        return Some(Course {
            load: Some(load.clone()),
            loads: Vec::new(),
            functions,
        });
    }
    (!loads.is_empty()).then_some(Course {
        load: None,
        loads,
        functions,
    })
}

/// The start of a scenario; `None` for one that begins at once.
fn start(scenario: &Value) -> Result<Option<String>, String> {
    let start = time(scenario.get("startTime")).transpose()?;
    let start = start.filter(|start| !start.is_zero());
    Ok(start.map(duration::format))
}

/// The load of `stages`, or of `vus`, `duration` and `iterations`; `None` without any of them.
fn of_shortcuts(options: &Value) -> Option<Result<Load, String>> {
    let has = |name: &str| {
        let value = options.get(name);
        value.is_some_and(|value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()))
    };
    if has("stages") {
        return Some(ramp(options, "vus", 1.0).map(Load::users));
    }
    if has("iterations") {
        return Some(iterations(options, 1.0, "duration"));
    }
    if has("duration") {
        return Some(constant(options, number(options, "vus").unwrap_or(1.0)).map(Load::users));
    }
    // Users without a time run one iteration each in k6.
    has("vus").then(|| iterations(options, number(options, "vus").unwrap_or(1.0), "duration"))
}

fn of_executor(scenario: &Value) -> Result<Load, String> {
    let users = number(scenario, "vus").unwrap_or(1.0);
    match scenario
        .get("executor")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "constant-vus" => Ok(Load::users(constant(scenario, users)?)),
        "ramping-vus" => Ok(Load::users(ramp(scenario, "startVUs", 1.0)?)),
        "constant-arrival-rate" => {
            let rate = number(scenario, "rate").ok_or("its rate is missing")? / unit(scenario)?;
            Ok(Load::rate(constant(scenario, rate)?))
        }
        "ramping-arrival-rate" => {
            let unit = unit(scenario)?;
            let mut stages = ramp(scenario, "startRate", 0.0)?;
            for stage in &mut stages {
                stage.at = stage.at.map(|level| level / unit);
                stage.target = stage.target.map(|level| level / unit);
            }
            Ok(Load::rate(stages))
        }
        "shared-iterations" => iterations(scenario, 1.0, "maxDuration"),
        "per-vu-iterations" => iterations(scenario, users, "maxDuration"),
        "" => Err("its executor is missing".to_owned()),
        other => Err(format!("the executor {other} has no counterpart")),
    }
}

/// A load at one level for the whole `duration`.
fn constant(of: &Value, level: f64) -> Result<Vec<Stage>, String> {
    let duration = time(of.get("duration")).ok_or("its duration is missing")??;
    Ok(vec![Stage::at(level, &duration::format(duration))])
}

/// The stages of a ramp. k6 begins at `start`; a scenario begins at 0.
fn ramp(of: &Value, start: &str, otherwise: f64) -> Result<Vec<Stage>, String> {
    let given = of
        .get("stages")
        .and_then(Value::as_array)
        .ok_or("its stages are missing")?;
    let mut level = number(of, start).unwrap_or(otherwise);
    let mut stages = Vec::new();
    // One user more or less at the beginning of a ramp is no jump.
    let mut jumps = level > 1.0;
    for stage in given {
        // In k6 a stage without a target stays at the level.
        let target = match stage.get("target") {
            None | Some(Value::Null) => level,
            Some(_) => number(stage, "target").ok_or("the target of a stage is not a number")?,
        };
        let length = time(stage.get("duration")).ok_or("a stage has no duration")??;
        if length.is_zero() {
            (level, jumps) = (target, true);
            continue;
        }
        let length = duration::format(length);
        #[expect(clippy::float_cmp, reason = "both were read from the same text")]
        let constant = level == target;
        stages.extend((jumps && !constant).then(|| Stage::at(level, JUMP)));
        stages.push(if jumps && constant {
            Stage::at(level, &length)
        } else {
            Stage::to(target, &length)
        });
        (level, jumps) = (target, false);
    }
    if stages.is_empty() {
        return Err("its stages take no time".to_owned());
    }
    Ok(stages)
}

/// A load that ends with a number of journeys: `iterations` times `factor`, in the time of the field `limit`.
fn iterations(of: &Value, factor: f64, limit: &str) -> Result<Load, String> {
    let users = number(of, "vus").unwrap_or(1.0);
    let all = number(of, "iterations").unwrap_or(1.0) * factor;
    let time = time(of.get(limit)).unwrap_or(Ok(MAX_DURATION))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers are not negative and below 2^53"
    )]
    let all = all.round() as u64;
    Ok(Load {
        iterations: Some(all),
        ..Load::users(vec![Stage::at(users, &duration::format(time))])
    })
}

/// A number that is not negative.
fn number(of: &Value, name: &str) -> Option<f64> {
    of.get(name)?
        .as_f64()
        .filter(|number| number.is_finite() && *number >= 0.0)
}

/// Seconds in which the rate of an arrival-rate executor is counted.
fn unit(scenario: &Value) -> Result<f64, String> {
    match time(scenario.get("timeUnit")) {
        None => Ok(1.0),
        Some(unit) => Ok(unit?.as_secs_f64()).and_then(|unit| {
            if unit > 0.0 {
                Ok(unit)
            } else {
                Err("its timeUnit is zero".to_owned())
            }
        }),
    }
}

/// A duration as k6 writes it: `1m30s`, or a number of milliseconds. `None` where there is none.
fn time(value: Option<&Value>) -> Option<Result<Duration, String>> {
    let value = value.filter(|value| !value.is_null())?;
    let refused = || format!("{value} is not a duration");
    Some(match value {
        Value::String(text) => with_days(text).ok_or_else(refused),
        Value::Number(number) => number
            .as_f64()
            .and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok())
            .ok_or_else(refused),
        _ => Err(refused()),
    })
}

/// A duration that may begin with days, such as `1d12h`.
fn with_days(text: &str) -> Option<Duration> {
    let Some((days, rest)) = text.split_once('d') else {
        return duration::parse(text).ok();
    };
    let days = Duration::from_secs(days.parse::<u64>().ok()?.checked_mul(24 * 60 * 60)?);
    if rest.is_empty() {
        return Some(days);
    }
    days.checked_add(duration::parse(rest).ok()?)
}
