//! Reads the stages of a scenario into the profile of its load.

use std::time::Duration;

use super::{
    document::{LoadDocument, StageDocument},
    duration,
    model::Load,
    problem::Problems,
    rate::Profile,
    sources::{self, File},
};

/// Highest level (users, or journeys per second). A higher one is taken for a mistake.
pub(super) const HIGHEST: f64 = 1e6;
/// Most teeth of one sawtooth, and most lines of one trace.
const PIECES: usize = 100_000;

/// Reads the load. `file` gives the text of a trace by its name.
pub(super) fn parse(document: &LoadDocument, file: File<'_>, problems: &mut Problems) -> Load {
    let open = document.rate.is_some();
    let (path, stages) = match (&document.users, &document.rate) {
        (Some(stages), None) => ("load.users", stages),
        (None, Some(stages)) => ("load.rate", stages),
        _ => {
            problems.add("load", "must have exactly one of users and rate");
            return Load::Open(Profile::default());
        }
    };
    if open && document.iterations.is_some() {
        problems.add(
            "load.iterations",
            "is for users: at a rate, the stages say how many journeys begin",
        );
    }
    let mut profile = Profile::default();
    for (index, stage) in stages.iter().enumerate() {
        self::stage(&format!("{path}[{index}]"), stage, &mut profile, file, problems);
    }
    if profile.total() <= 0.0 {
        problems.add(
            path,
            "never rises above 0: give stages with a duration and a target or at",
        );
    }
    if open {
        Load::Open(profile)
    } else {
        Load::Closed(profile)
    }
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
