//! `vas test compare`: compares a run with an earlier one.

use std::{io, path::PathBuf};

use super::{
    capacity_args::Output,
    merge::{FileError, read},
    verdict,
};
use crate::{
    destination::{self, Written},
    exit::{Code, Ended},
    stderr,
};
use vas_loadtest::{
    judge::Outcome,
    report::compare::{Comparison, Judgement, compare, render},
};

/// Compare a run with an earlier one, and say what became worse beyond noise
///
/// Figures are medians over the seconds of a run; failures, and the Ready replicas of watched runs, are
/// means. Which differences are chance is found by drawing blocks of seconds again and again: a difference
/// counts if 95 % of the draws agree on its sign and it is larger than 5 %.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vas test run load --target http://localhost:8080 -o json=before.json
  vas test run load --target http://localhost:8080 -o json=after.json
  vas test compare before.json after.json

Exit codes: 0 nothing became worse, 99 something did, 3 nothing could be compared, 2 a file cannot be read,
1 a report cannot be written where the code would be 0.")]
pub(super) struct Args {
    /// JSON report of the earlier run
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    /// JSON report of the later run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Write the comparison: json=FILE or md=FILE; may be given several times. - is standard output, and the
    /// text for people goes to standard error then
    #[arg(short, long = "output", value_name = "FORMAT=FILE")]
    outputs: Vec<Output>,
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        destination::try_all(self.outputs.iter().map(Output::destination))?;
        let comparison = self.compare()?;
        let reports = self.outputs.iter().map(|output| report(output, &comparison));
        let written = destination::publish(&render::text(&comparison), reports);
        Ok(match comparison.judgement() {
            Judgement::Worse => Code::Missed,
            Judgement::Unknown => {
                stderr::complain(
                    "nothing could be compared: one of the runs has fewer than five seconds with answers",
                );
                Code::ProvesNothing
            }
            Judgement::Better | Judgement::Same => verdict::code(Outcome::Passed, written),
        })
    }

    fn compare(&self) -> Result<Comparison, FileError> {
        let (baseline, run) = (read(&self.baseline)?, read(&self.run)?);
        for (file, stored) in [(&self.baseline, &baseline), (&self.run, &run)] {
            for doubt in &stored.doubts {
                stderr::say(&format!("warning: {}: invalid: {doubt}", file.display()));
            }
        }
        // A fixed seed, so that the same reports always give the same answer.
        let mut random = fastrand::Rng::with_seed(1);
        let comparison = compare(&baseline, &run, &mut |below| random.usize(..below));
        for warning in &comparison.warnings {
            stderr::say(&format!("warning: {warning}"));
        }
        Ok(comparison)
    }
}

fn report<'a>(output: &'a Output, comparison: &Comparison) -> Written<'a> {
    let text = match output {
        Output::Json(_) => render::json(comparison).map_err(io::Error::from),
        Output::Markdown(_) => Ok(render::markdown(comparison)),
    };
    (output.destination(), text)
}
