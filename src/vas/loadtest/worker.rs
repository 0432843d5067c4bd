//! `vas test worker`: what a pod of `vas test run --in-cluster` runs. It sends its part of the load, and writes into its
//! log how far it is and what it measured.

use std::{io::Write as _, path::Path};

use serde::de::DeserializeOwned;

use super::{
    load_args::LoadError,
    parcel::{FLAGS, Flags},
    scenario_args::ScenarioArgsError,
};
use crate::{
    exit::{Code, CommandError, Ended},
    runtime,
};
use vas_loadtest::{
    distributed::{barrier::Barrier, lines, parcel::BARRIER},
    drive::Sending,
    files,
    progress::{Line, Progress},
    report::json,
    run,
    scenario::part::Part,
};

/// Send one part of a load, as a pod of `vas test run --in-cluster`
///
/// Everything is read from the working directory, where the pod has what belongs to its Job.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number of this worker, from zero
    #[arg(long, env = "JOB_COMPLETION_INDEX", value_name = "NUMBER")]
    index: u32,
}

#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("{file}: {source}")]
    File {
        file: &'static str,
        source: std::io::Error,
    },
    #[error("{file}: {source}; is the image (--image) of the version of vas that started the Job, not {}?", env!("CARGO_PKG_VERSION"))]
    Form {
        file: &'static str,
        source: serde_json::Error,
    },
    #[error("the Job was started by vas {0}, and the image has {version}: give --image of the same version", version = env!("CARGO_PKG_VERSION"))]
    Version(String),
    #[error("there is no worker {0} of {1}")]
    Index(u32, u32),
    #[error("there is no scenario")]
    NoScenario,
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Scenario(#[from] ScenarioArgsError),
    #[error(transparent)]
    Run(#[from] run::RunError),
    #[error("cannot write the report: {0}")]
    Report(#[from] serde_json::Error),
    #[error("cannot write the report: {0}")]
    Write(#[from] std::io::Error),
}

impl CommandError for WorkerError {
    fn code(&self) -> Code {
        match self {
            Self::Form { .. } | Self::Version(_) | Self::Index(..) | Self::NoScenario => Code::Invalid,
            Self::Load(error) => error.code(),
            Self::Scenario(error) => error.code(),
            Self::Run(run::RunError::Setup(error)) => error.code(),
            Self::Run(run::RunError::Barrier(_)) => Code::Precondition,
            Self::File { .. } | Self::Run(_) | Self::Report(_) | Self::Write(_) => Code::Failure,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let runtime = runtime::of_this_thread()?;
        runtime.block_on(Box::pin(self.send()))?;
        // Whether the load passed is judged where all parts are known.
        Ok(Code::Success)
    }

    async fn send(&self) -> Result<(), WorkerError> {
        let barrier: Barrier = read(BARRIER)?;
        let part =
            Part::new(self.index, barrier.workers).ok_or(WorkerError::Index(self.index, barrier.workers))?;
        let flags: serde_json::Value = read(FLAGS)?;
        let version = flags.get("version").and_then(serde_json::Value::as_str);
        let version = version.unwrap_or("of an unknown version");
        if version != env!("CARGO_PKG_VERSION") {
            return Err(WorkerError::Version(version.to_owned()));
        }
        let flags: Flags = form(FLAGS, serde_json::from_value(flags))?;
        let url = flags.scenario.url(flags.target.as_ref())?;
        let target = flags.connection.target(url)?;
        let url = flags.connection.shown(url);
        let scenarios = flags.scenario.scenarios(&target, flags.connection.hosts()?)?;
        let mut scenario = scenarios.into_iter().next().ok_or(WorkerError::NoScenario)?;
        scenario.part = part;
        let sending = Sending {
            target: &target,
            url: &url,
            settings: flags.engine.settings(),
            exposition: None,
            web: None,
        };
        let together = Some((&barrier, self.index));
        let report = run::together(scenario, sending, None, together, &mut Log).await?;
        for line in lines::report(&json::render(&report)?)? {
            write(&line)?;
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(file: &'static str) -> Result<T, WorkerError> {
    let text = files::read_text(Path::new(file)).map_err(|source| WorkerError::File { file, source })?;
    form(file, serde_json::from_str(&text))
}

fn form<T>(file: &'static str, read: serde_json::Result<T>) -> Result<T, WorkerError> {
    read.map_err(|source| WorkerError::Form { file, source })
}

/// Writes a line into the log of the pod, at once.
fn write(line: &str) -> std::io::Result<()> {
    let mut log = std::io::stdout().lock();
    writeln!(log, "{line}")?;
    log.flush()
}

/// The progress of this part, as lines of a log. Nobody reads them where they cannot be written.
#[derive(Debug)]
struct Log;

impl Progress for Log {
    fn say(&mut self, words: &str) {
        let _ = write(words);
    }

    fn second(&mut self, line: &mut Line) {
        let _ = write(&lines::second(line.last()));
        line.take();
    }

    fn end(&mut self) {}
}
