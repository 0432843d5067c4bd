//! `vas test compare`: a run against an earlier one.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use super::{
    EXIT_MISSED, EXIT_PROVES_NOTHING,
    merge::{FileError, read},
};
use crate::{
    cli::EXIT_INVALID,
    core::loadtest::compare::{Difference, Judgement, compare},
};

/// Compare a run with an earlier one, and say what became worse beyond noise
///
/// Figures are medians over the seconds of a run (the mean, for failures). How far they are from each other by chance is
/// found by drawing seconds again and again; a difference counts if 95 of 100 draws agree on it and it is more than 5 %.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vas test run load --target http://localhost:8080 -o json=before.json
  vas test run load --target http://localhost:8080 -o json=after.json
  vas test compare before.json after.json

Exit codes: 0 nothing became worse, 99 something did, 3 nothing could be compared, 2 a file cannot be used.")]
pub(super) struct Args {
    /// JSON report of the earlier run
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    /// JSON report of the later run
    #[arg(value_name = "RUN")]
    run: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        match self.compare() {
            Ok(differences) => {
                // A reader that went away (`| head`) is no failure, and has seen what it wanted.
                let _ = io::stdout().lock().write_all(table(&differences).as_bytes());
                let worse = |difference: &Difference| difference.judgement == Judgement::Worse;
                let known = |difference: &Difference| difference.judgement != Judgement::Unknown;
                if differences.iter().any(worse) {
                    ExitCode::from(EXIT_MISSED)
                } else if !differences.iter().any(known) {
                    let _ = writeln!(
                        io::stderr().lock(),
                        "vas test compare: nothing could be compared: one of the runs has fewer than five seconds with answers"
                    );
                    ExitCode::from(EXIT_PROVES_NOTHING)
                } else {
                    ExitCode::SUCCESS
                }
            }
            Err(error) => {
                // Nobody is left to hear that standard error is closed.
                let _ = writeln!(io::stderr().lock(), "vas test compare: {error}");
                ExitCode::from(EXIT_INVALID)
            }
        }
    }

    fn compare(&self) -> Result<Vec<Difference>, FileError> {
        let (baseline, run) = (read(&self.baseline)?, read(&self.run)?);
        for (file, stored) in [(&self.baseline, &baseline), (&self.run, &run)] {
            for doubt in &stored.doubts {
                let _ = writeln!(
                    io::stderr().lock(),
                    "warning: {}: invalid: {doubt}",
                    file.display()
                );
            }
        }
        // Always the same draws: the same reports give the same answer.
        let mut random = fastrand::Rng::with_seed(1);
        Ok(compare(&baseline.measured, &run.measured, &mut |below| {
            random.usize(..below)
        }))
    }
}

fn table(differences: &[Difference]) -> String {
    let mut text = format!(
        "{:<20} {:>10} {:>10}  {:<20}\n",
        "", "baseline", "run", "change (95 %)"
    );
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    for difference in differences {
        let change = difference.change.map_or_else(
            || "not known".to_owned(),
            |(low, high)| format!("{:+.1} % to {:+.1} %", 100.0 * low, 100.0 * high),
        );
        let words = match difference.judgement {
            Judgement::Better => "better",
            Judgement::Same => "same",
            Judgement::Worse => "WORSE",
            Judgement::Unknown => "unknown",
        };
        let _ = writeln!(
            text,
            "{:<20} {:>10} {:>10}  {change:<20} {words}",
            difference.figure,
            number(difference.baseline),
            number(difference.run),
        );
    }
    text
}
