//! Reads the stages of a scenario into the profile of its load.

use std::time::Duration;

use super::{
    document::{Document, JourneyDocument, LaneDocument, LoadDocument, StageDocument},
    duration,
    model::{Lane, Load, Model, Several},
    problem::Problems,
    rate::Profile,
    sources::{self, File},
};

/// Highest level (users, or journeys per second). A higher one is taken for a mistake.
pub(super) const HIGHEST: f64 = 1e6;
/// Most teeth of one sawtooth, and most lines of one trace.
const PIECES: usize = 100_000;

/// Most loads side by side.
const LANES: usize = 16;

/// Reads the load or the loads, and the number of journeys after which a single load ends. `file` gives the
/// text of a trace by its name.
pub(super) fn parse(document: &Document, file: File<'_>, problems: &mut Problems) -> (Load, Option<u64>) {
    let nothing = (Load::Open(Profile::default()), None);
    match (&document.load, document.loads.as_slice()) {
        (Some(load), []) => {
            let Some((model, profile)) = one("load", load, Duration::ZERO, file, problems) else {
                return nothing;
            };
            (Load::of(model, profile), load.iterations.map(u64::from))
        }
        (None, lanes @ [_, ..]) => (several(lanes, &document.journeys, file, problems), None),
        (None, []) => {
            problems.add(
                "load",
                "is missing: give load, or several loads side by side in loads",
            );
            nothing
        }
        (Some(_), _) => {
            problems.add("loads", "must not stand beside load");
            nothing
        }
    }
}

fn several(
    documents: &[LaneDocument],
    journeys: &[JourneyDocument],
    file: File<'_>,
    problems: &mut Problems,
) -> Load {
    if documents.len() > LANES {
        problems.add("loads", format!("must have {LANES} at most"));
    }
    let mut lanes: Vec<Lane> = Vec::new();
    for (index, document) in documents.iter().take(LANES).enumerate() {
        let path = format!("loads[{index}]");
        if document.name.trim() != document.name || document.name.is_empty() {
            problems.add(
                format!("{path}.name"),
                "must not be empty, nor begin or end with a space",
            );
        } else if lanes.iter().any(|lane| lane.name == document.name) {
            problems.add(
                format!("{path}.name"),
                format!("{:?} is there twice; names are unique", document.name),
            );
        }
        let start = document.start.as_deref();
        let start =
            start.map(|text| problems.or(&format!("{path}.start"), duration::parse(text), Duration::ZERO));
        let load = LoadDocument {
            users: document.users.clone(),
            rate: document.rate.clone(),
            iterations: document.iterations,
        };
        let chosen = chosen(&path, &document.journeys, journeys, problems);
        if let Some((model, profile)) = one(&path, &load, start.unwrap_or_default(), file, problems) {
            lanes.push(Lane {
                name: document.name.clone(),
                model,
                profile,
                iterations: document.iterations.map(u64::from),
                journeys: chosen,
            });
        }
    }
    for (index, journey) in journeys.iter().enumerate() {
        // Where a load is not readable, it is not known whose journeys it has.
        let readable = lanes.len() == documents.len();
        if readable && !lanes.iter().any(|lane| lane.journeys.contains(&index)) {
            problems.add(
                format!("journeys[{index}].name"),
                format!("{:?} is in no load: name it in the journeys of one", journey.name),
            );
        }
    }
    Load::Several(Several::new(lanes))
}

/// The indices of the journeys of a load.
fn chosen(path: &str, names: &[String], journeys: &[JourneyDocument], problems: &mut Problems) -> Vec<usize> {
    let mut chosen = Vec::new();
    for (number, name) in names.iter().enumerate() {
        match journeys.iter().position(|journey| journey.name == *name) {
            Some(index) if !chosen.contains(&index) => chosen.push(index),
            Some(_) => problems.add(
                format!("{path}.journeys[{number}]"),
                format!("{name:?} is there twice"),
            ),
            None => problems.add(
                format!("{path}.journeys[{number}]"),
                format!("{name:?} is not the name of a journey"),
            ),
        }
    }
    if names.is_empty() {
        chosen.extend(0..journeys.len());
    }
    let weights = chosen.iter().filter_map(|index| journeys.get(*index));
    if !chosen.is_empty() && weights.clone().all(|journey| journey.weight == 0) {
        problems.add(
            format!("{path}.journeys"),
            "must not be journeys of weight 0 alone",
        );
    }
    chosen
}

/// Reads one load, which begins after `start`. The problem is reported where it is none.
fn one(
    path: &str,
    load: &LoadDocument,
    start: Duration,
    file: File<'_>,
    problems: &mut Problems,
) -> Option<(Model, Profile)> {
    let (model, field, stages) = match (&load.users, &load.rate) {
        (Some(stages), None) => (Model::Closed, "users", stages),
        (None, Some(stages)) => (Model::Open, "rate", stages),
        _ => {
            problems.add(path, "must have exactly one of users and rate");
            return None;
        }
    };
    if model == Model::Open && load.iterations.is_some() {
        problems.add(
            format!("{path}.iterations"),
            "is for users: at a rate, the stages say how many journeys begin",
        );
    }
    let path = format!("{path}.{field}");
    let mut profile = Profile::default();
    profile.line(0.0, 0.0, start);
    for (index, stage) in stages.iter().enumerate() {
        self::stage(&format!("{path}[{index}]"), stage, &mut profile, file, problems);
    }
    if profile.total() <= 0.0 {
        problems.add(
            path,
            "never rises above 0: give stages with a duration and a target or at",
        );
    }
    Some((model, profile))
}

fn stage(path: &str, stage: &StageDocument, profile: &mut Profile, file: File<'_>, problems: &mut Problems) {
    match stage {
        StageDocument {
            duration: Some(duration),
            target: Some(target),
            at: None,
            sawtooth: None,
            trace: None,
        } => {
            let duration = problems.positive(&format!("{path}.duration"), duration);
            let target = level(&format!("{path}.target"), *target, problems);
            profile.line(profile.last_level(), target, duration);
        }
        StageDocument {
            duration: Some(duration),
            target: None,
            at: Some(at),
            sawtooth: None,
            trace: None,
        } => {
            let duration = problems.positive(&format!("{path}.duration"), duration);
            let at = level(&format!("{path}.at"), *at, problems);
            profile.line(at, at, duration);
        }
        StageDocument {
            duration: Some(duration),
            target: None,
            at: None,
            sawtooth: Some(teeth),
            trace: None,
        } => {
            let mut left = problems.positive(&format!("{path}.duration"), duration);
            let every = problems.positive(&format!("{path}.sawtooth.every"), &teeth.every);
            let from = level(&format!("{path}.sawtooth.from"), teeth.from, problems);
            let to = level(&format!("{path}.sawtooth.to"), teeth.to, problems);
            // Checked before the loop, which would not end in time with teeth of a microsecond.
            if left.as_nanos() / every.as_nanos().max(1) > PIECES as u128 {
                problems.add(path, format!("has more than {PIECES} teeth"));
                return;
            }
            while !left.is_zero() {
                let length = left.min(every);
                // The last tooth ends where the stage ends, at its level of that moment.
                let share = length.as_secs_f64() / every.as_secs_f64();
                profile.line(from, from + (to - from) * share, length);
                left -= length;
            }
        }
        StageDocument {
            duration: None,
            target: None,
            at: None,
            sawtooth: None,
            trace: Some(trace),
        } => {
            let path = format!("{path}.trace");
            match sources::text(file, trace) {
                Ok(text) => self::trace(&path, &text, profile, problems),
                Err(error) => problems.add(path, error),
            }
        }
        _ => problems.add(
            path,
            "must be {duration, target}, {duration, at}, {duration, sawtooth} or {trace}",
        ),
    }
}

fn level(path: &str, level: f64, problems: &mut Problems) -> f64 {
    let valid = (0.0..=HIGHEST)
        .contains(&level)
        .then_some(level)
        .ok_or("must be between 0 and a million");
    problems.or(path, valid, 0.0)
}

/// Reads lines of `seconds,level`. A first line without numbers is a heading.
fn trace(path: &str, text: &str, profile: &mut Profile, problems: &mut Problems) {
    let (mut before, mut lines): (Option<(f64, f64)>, usize) = (None, 0);
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let parsed = line.split_once(',').and_then(|(seconds, level)| {
            let seconds: f64 = seconds.trim().parse().ok()?;
            let level: f64 = level.trim().parse().ok()?;
            // The limits keep the time between two lines within what a `Duration` can hold.
            let sensible = (0.0..=duration::LONGEST).contains(&seconds) && (0.0..=HIGHEST).contains(&level);
            sensible.then_some((seconds, level))
        });
        let Some((seconds, level)) = parsed else {
            if index == 0 && line.split(',').all(|word| word.trim().parse::<f64>().is_err()) {
                continue;
            }
            problems.add(path, format!("line {}: {line:?} is not seconds,level", index + 1));
            return;
        };
        // Each level holds until the next line, so the last line only ends the trace.
        if let Some((from, level)) = before {
            let length = seconds - from;
            if length <= 0.0 || index > PIECES {
                problems.add(
                    path,
                    format!("line {}: seconds must rise, in at most {PIECES} lines", index + 1),
                );
                return;
            }
            profile.line(level, level, Duration::from_secs_f64(length));
        }
        before = Some((seconds, level));
        lines += 1;
    }
    if lines < 2 {
        problems.add(
            path,
            "must have two lines of seconds,level at least: the last one ends it",
        );
    }
}
