//! Flags of the search for better settings.

use std::thread::available_parallelism;

use crate::{
    exit::{Code, CommandError},
    stderr,
};
use vas_diagnose::simulate::{
    comparison::Settings,
    optimize::{Effort, Goal, Optimization, OptimizeError, Progress, Written, optimize},
};

/// Most threads that replay: each one keeps the last minutes of a replay, and no load of its own.
const MOST_THREADS: usize = 16;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Optimize")]
pub(super) struct OptimizeArgs {
    /// Search target, minReplicas, scale-down window and policies for settings with less cost or shortage, and recommend
    /// one as a JSON Patch. Found on the first half of the load, judged on the second
    #[arg(long)]
    optimize: bool,
    /// Recommend the least cost with at most so much time short: a share such as 0.1%, or minutes a day such as 2m/day.
    /// Default: no more than there is
    #[arg(
        long,
        value_name = "SHARE",
        requires = "optimize",
        conflicts_with = "max_cost"
    )]
    max_short: Option<Goal>,
    /// Recommend the shortest shortage at this cost for a month at most; without a price in replica-hours
    #[arg(long, value_name = "COST", requires = "optimize", value_parser = cost)]
    max_cost: Option<f64>,
    /// Most settings that are tried. Each replays half of the load: a year in steps of 15 s takes about half a second for one,
    /// divided by the cores
    #[arg(long, value_name = "NUMBER", requires = "optimize", default_value_t = 400, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    runs: u16,
}

fn cost(text: &str) -> Result<f64, String> {
    let cost = text
        .parse::<f64>()
        .ok()
        .filter(|cost| cost.is_finite() && *cost >= 0.0);
    cost.ok_or_else(|| "must be a number, 0 or more".to_owned())
}

/// Reasons why nothing was searched.
#[derive(Debug, thiserror::Error)]
pub(super) enum OptimizeArgsError {
    #[error(
        "--optimize: the first policy is a plain HPA, and a VoiceAssistScaling is needed: vas import hpa makes one of it"
    )]
    PlainHpa,
    #[error("--optimize: {0}")]
    Optimize(#[from] OptimizeError),
}

impl CommandError for OptimizeArgsError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

impl OptimizeArgs {
    /// Searches, if that is asked for. `written` is the first policy as it is written; `None` for a plain HPA.
    ///
    /// # Errors
    /// See [`OptimizeArgsError`].
    pub(super) fn search(
        &self,
        settings: &Settings,
        written: Option<&Written>,
    ) -> Result<Option<Optimization>, OptimizeArgsError> {
        if !self.optimize {
            return Ok(None);
        }
        let written = written.ok_or(OptimizeArgsError::PlainHpa)?;
        let goal = match (self.max_short, self.max_cost) {
            (Some(goal), _) => goal,
            (None, Some(cost)) => Goal::MaxCost(cost),
            (None, None) => Goal::NoWorse,
        };
        let effort = Effort {
            runs: usize::from(self.runs),
            threads: available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS)),
        };
        let mut told_at = 0;
        let mut told = |progress: Progress| {
            // Ten lines are enough for the longest search.
            if progress.runs - told_at >= (progress.most / 10).max(1) {
                told_at = progress.runs;
                stderr::say(&format!(
                    "optimize: {} runs of at most {}, {} points",
                    progress.runs, progress.most, progress.points
                ));
            }
        };
        Ok(Some(optimize(settings, written, &goal, effort, &mut told)?))
    }
}
