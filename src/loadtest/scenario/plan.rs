//! The plan of a run in words and a sparkline: the output of `--dry-run`.

use std::fmt::Write as _;

use super::{
    duration,
    expected::{self, Expected},
    inputs::{Inputs, Order},
    model::{Action, Journey, Lane, Load, Model, Scenario},
    rate::Profile,
    threshold::in_percent,
};

/// Width of the sparkline, in columns.
const WIDTH: u32 = 60;
/// Most stages that are listed.
const STAGES: usize = 12;
const BARS: [char; 9] = [
    ' ', '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}',
];

/// The plan of a run of this scenario against this target.
pub fn render(scenario: &Scenario, target: &str) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, scenario, target);
    out
}

fn write_all(out: &mut String, scenario: &Scenario, target: &str) -> std::fmt::Result {
    let profile = scenario.load.profile();
    writeln!(out, "{}: {}", scenario.name, scenario.description)?;
    writeln!(out, "target    {target}")?;
    for (index, (name, url)) in scenario.hosts.iter().enumerate() {
        let head = if index == 0 { "hosts     " } else { "          " };
        writeln!(out, "{head}{name}: {url}")?;
    }
    let lanes = scenario.lanes();
    for lane in &lanes {
        load(out, scenario, lane)?;
    }
    match expected::requests(scenario) {
        Expected::About(count) => writeln!(out, "requests  {count:.0}, if no step fails")?,
        Expected::AtMost(count) => writeln!(
            out,
            "requests  at most {count:.0}; the fewer, the longer answers take"
        )?,
        Expected::AsAnswered => writeln!(out, "requests  as many as are answered: users do not pause")?,
    }
    let head = match scenario.turns() {
        Some(count) => {
            writeln!(out, "ends      when {count} journeys have ended in all, or")?;
            "          "
        }
        None => "ends      ",
    };
    writeln!(
        out,
        "{head}after {}, and at most {} for the last answers",
        duration::format(profile.duration()),
        duration::format(scenario.timeout)
    )?;
    once(out, "setup     ", scenario.setup.as_ref())?;
    for (index, journey) in scenario.journeys.iter().enumerate() {
        writeln!(
            out,
            "journey   {} ({}{})",
            journey.name,
            shares(scenario, &lanes, index),
            if journey.cookies { ", with cookies" } else { "" }
        )?;
        let beside = journey
            .batches()
            .flat_map(|batch| batch.iter().map(|_| batch.len() - 1));
        for (index, (step, beside)) in journey.steps.iter().zip(beside).enumerate() {
            let what = match &step.action {
                Action::Request(request) => request.method.clone(),
                Action::WebSocket(websocket) => {
                    format!("WebSocket for {}", duration::format(websocket.duration()))
                }
            };
            let how = match step.weight {
                Some(_) => format!(", in {} of the turns", in_percent(journey.share_of(index))),
                None if step.batch.is_some() => {
                    let once = if step.once { ", once" } else { "" };
                    format!(", at once with {beside} beside it{once}")
                }
                None if step.once => ", once".to_owned(),
                None => String::new(),
            };
            writeln!(out, "          - {} ({what}{how})", step.name)?;
        }
    }
    once(out, "teardown  ", scenario.teardown.as_ref())?;
    inputs(out, &scenario.inputs)?;
    for threshold in &scenario.thresholds {
        writeln!(out, "threshold {threshold}")?;
    }
    if let Some(abort) = scenario.abort {
        writeln!(
            out,
            "gives up  when more than {} of the requests fail for {}",
            in_percent(abort.errors),
            duration::format(abort.over)
        )?;
    }
    Ok(())
}

/// One load: how much, how long, and its stages.
fn load(out: &mut String, scenario: &Scenario, lane: &Lane) -> std::fmt::Result {
    let profile = &lane.profile;
    let name = match scenario.load {
        Load::Several(_) => format!("{}: ", lane.name),
        Load::Open(_) | Load::Closed(_) => String::new(),
    };
    match lane.model {
        Model::Closed => writeln!(
            out,
            "load      {name}up to {:.0} users for {}; each waits for its answers (closed model)",
            profile.peak(),
            duration::format(profile.duration())
        )?,
        Model::Open => writeln!(
            out,
            "load      {name}up to {} journeys a second for {}, {:.0} in all, whatever the service does (open model)",
            (profile.peak() * 10.0).round() / 10.0,
            duration::format(profile.duration()),
            profile.total()
        )?,
    }
    writeln!(out, "          |{}|", sparkline(profile))?;
    if let (Load::Several(_), Some(turns)) = (&scenario.load, lane.iterations) {
        writeln!(out, "          its users end {turns} journeys in all")?;
    }
    stages(out, profile)
}

/// Which share of the users has a journey, for each load that has it.
fn shares(scenario: &Scenario, lanes: &[Lane], index: usize) -> String {
    let weight = |index: &usize| {
        let journey = scenario.journeys.get(*index);
        f64::from(journey.map_or(0, |journey| journey.weight))
    };
    let share = |lane: &Lane| {
        let all: f64 = lane.journeys.iter().map(weight).sum();
        in_percent(weight(&index) / all.max(1.0))
    };
    let having = lanes.iter().filter(|lane| lane.journeys.contains(&index));
    let words: Vec<String> = match scenario.load {
        Load::Several(_) => having
            .map(|lane| format!("{} of the users of {}", share(lane), lane.name))
            .collect(),
        Load::Open(_) | Load::Closed(_) => having
            .map(|lane| format!("{} of the users", share(lane)))
            .collect(),
    };
    words.join(", ")
}

/// Lists what is done once, outside of the load.
fn once(out: &mut String, head: &str, journey: Option<&Journey>) -> std::fmt::Result {
    let steps = journey.iter().flat_map(|journey| &journey.steps);
    for (index, step) in steps.enumerate() {
        let head = if index == 0 { head } else { "          " };
        let name = &step.name;
        writeln!(out, "{head}- {name} (once, outside of the load and its figures)")?;
    }
    Ok(())
}

/// Lists what is sent besides constant text and what is extracted from answers. It shows no values.
fn inputs(out: &mut String, inputs: &Inputs) -> std::fmt::Result {
    for (name, data) in &inputs.data {
        let order = match data.order {
            Order::PerUser => "each user has one",
            Order::InOrder => "each turn gets the next",
            Order::Random => "each turn gets any",
        };
        let (rows, file) = (data.table.rows(), &data.file);
        writeln!(
            out,
            "data      {name}: {rows} rows of {file} ({}); {order}",
            data.table.columns().join(", ")
        )?;
    }
    if !inputs.values.is_empty() {
        let names: Vec<&str> = inputs.values.keys().map(String::as_str).collect();
        writeln!(out, "values    {}", names.join(", "))?;
    }
    if !inputs.environment.is_empty() {
        let names: Vec<&str> = inputs.environment.iter().map(String::as_str).collect();
        writeln!(
            out,
            "secrets   {}, from the environment; shown nowhere",
            names.join(", ")
        )?;
    }
    Ok(())
}

/// Lists the stages of the load: the first [`STAGES`], and how many more there are.
fn stages(out: &mut String, profile: &Profile) -> std::fmt::Result {
    let level = |level: f64| (level * 10.0).round() / 10.0;
    for (index, (from, to, length)) in profile.lines().enumerate() {
        let head = if index == 0 { "stages    " } else { "          " };
        if index == STAGES {
            return writeln!(out, "{head}and {} more", profile.lines().count() - STAGES);
        }
        let length = duration::format(length);
        // A stage whose two levels round to the same number is written as a constant level.
        if (level(from) - level(to)).abs() < f64::EPSILON {
            writeln!(out, "{head}{} for {length}", level(from))?;
        } else {
            writeln!(out, "{head}{} to {} in {length}", level(from), level(to))?;
        }
    }
    Ok(())
}

/// The load over time as a line of bars.
pub fn sparkline(profile: &Profile) -> String {
    let (peak, width) = (profile.peak(), f64::from(WIDTH));
    (0..WIDTH)
        .map(|column| {
            let level = profile.level(profile.seconds() * (f64::from(column) + 0.5) / width);
            let height = if peak > 0.0 { 8.0 * level / peak } else { 0.0 };
            // A level above zero gets at least the lowest bar, so that it is not taken for zero.
            let rounded = if height > 0.0 {
                height.round().max(1.0)
            } else {
                0.0
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 8"
            )]
            let index = rounded as usize;
            BARS.get(index).copied().unwrap_or(' ')
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::{
        model::Think,
        quick::{Level, scenario},
    };

    #[test]
    fn it_says_how_much_how_long_and_what_has_to_hold() {
        let thresholds = vec!["errors < 1%".parse().unwrap()];
        let quick = scenario(Level::Rate(2.5), Duration::from_secs(90), false, thresholds);
        let plan = render(&quick, "http://h");
        for words in [
            "target    http://h",
            "up to 2.5 journeys a second for 1m30s, 225 in all",
            "stages    2.5 for 1m30s\n",
            "requests  225, if no step fails",
            "ends      after 1m30s, and at most 10s for the last answers",
            "- GET (GET)",
            "threshold errors < 1%",
            "gives up  when more than 90% of the requests fail for 10s",
        ] {
            assert!(plan.contains(words), "{words}: {plan}");
        }
        let users = Level::Users(5.0, Think::default());
        let mut counted = scenario(users, Duration::from_secs(600), false, Vec::new());
        counted.iterations = Some(7);
        let plan = render(&counted, "http://h");
        for words in [
            "requests  at most 7;",
            "ends      when 7 journeys have ended in all, or\n          after 10m, and at most 10s",
        ] {
            assert!(plan.contains(words), "{words}: {plan}");
        }
    }

    #[test]
    fn the_picture_rises_with_the_load_and_shows_the_smallest_of_it() {
        let mut profile = Profile::default();
        profile.line(0.0, 100.0, Duration::from_secs(30));
        profile.line(1.0, 1.0, Duration::from_secs(15));
        profile.line(0.0, 0.0, Duration::from_secs(15));
        let bars: Vec<char> = sparkline(&profile).chars().collect();
        assert_eq!(bars.len(), 60);
        assert!(bars[..30].is_sorted() && bars[29] == '\u{2588}', "{bars:?}");
        assert_eq!((bars[40], bars[55]), ('\u{2581}', ' '));
    }
}
