//! `vas test run`: sends load to a target and judges the outcome.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
};

use super::{
    EXIT_INTERRUPTED, EXIT_PRECONDITION, EXIT_PROVES_NOTHING,
    destination::DestinationError,
    drive::{DriveError, LEAD, Meanwhile, drive},
    load_args::{EngineArgs, LoadError, TargetArgs},
    metrics_listen::{ListenError, MetricsListenArgs},
    outputs::{self, Output},
    scenario_args::{ScenarioArgs, ScenarioArgsError},
    verdict::{self, MinGrade},
    watch_args::{WatchArgs, WatchError, Watching},
};
use crate::{EXIT_INVALID, output};
use vas_loadtest::{
    clock::RunClock,
    exposition::Exposition,
    http::Target,
    judge::judge,
    model::measured::Second,
    report::Report,
    scenario::{model::Scenario, plan},
};

/// Send load to a target, and say whether it held
///
/// Requests are sent when they are due, whatever the service does (open model), or by users who wait for
/// their answers (closed model). Latency counts from the moment a request was due: a service that stalls
/// cannot hide the requests that would have been sent meanwhile. The service time, from the real send, is
/// shown beside it.
///
/// A run in which the load generator itself was the bottleneck proves nothing and is reported as INVALID.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas test run --target http://localhost:8080/health --rate 100 --duration 30s
  vas test run --target http://localhost:8080 --users 50 --think 1s-3s --threshold 'latency p95 < 500ms'
  vas test run smoke --target https://voiceassist.example
  vas test run quick --target http://localhost:8080 --scale 0.1
  vas test run my-scenario.yaml --target http://localhost:8080 -o html=run.html -o json=run.json --min-grade B
  vas test run load --target http://localhost:8080 --metrics-listen 127.0.0.1:9095
  vas test run stress --target http://localhost:8080 --dry-run

Exit codes: 0 pass, 99 a threshold or --min-grade was missed, 2 usage, 3 invalid,
4 what is to be watched is not there or is production, 130 interrupted, 1 anything else.")]
pub(super) struct Args {
    #[command(flatten)]
    scenario: ScenarioArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Write a report: html=FILE (one page), json=FILE, junit=FILE, md=FILE, hgrm=FILE; may be given several
    /// times. - is standard output, and the text for people goes to standard error then
    #[arg(short, long = "output", value_name = "FORMAT=FILE")]
    outputs: Vec<Output>,
    #[command(flatten)]
    metrics: MetricsListenArgs,
    #[command(flatten)]
    watch: WatchArgs,
    /// Fail below this grade
    #[arg(long, value_enum, value_name = "GRADE", ignore_case = true)]
    min_grade: Option<MinGrade>,
    /// Print the plan, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Say nothing while it runs
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Scenario(#[from] ScenarioArgsError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Output(#[from] DestinationError),
    #[error(
        "reports of a suite would replace each other: run its scenarios one by one to write them to files"
    )]
    OneFile,
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error(transparent)]
    Drive(#[from] DriveError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    #[error("cannot write to standard output: {0}")]
    Print(#[source] io::Error),
}

impl RunError {
    fn code(&self) -> u8 {
        match self {
            Self::Scenario(_) | Self::Load(_) | Self::OneFile => EXIT_INVALID,
            Self::Output(error) if error.is_usage() => EXIT_INVALID,
            Self::Watch(error) if error.is_precondition() => EXIT_PRECONDITION,
            Self::Watch(_)
            | Self::Output(_)
            | Self::Drive(_)
            | Self::Listen(_)
            | Self::Runtime(_)
            | Self::Print(_) => 1,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        match self.try_run() {
            Ok(code) => code,
            Err(error) => {
                // A closed standard error is ignored: the exit code still tells the outcome.
                let _ = writeln!(io::stderr().lock(), "vas test run: {error}");
                ExitCode::from(error.code())
            }
        }
    }

    fn try_run(&self) -> Result<ExitCode, RunError> {
        let target = self.target.target()?;
        let scenarios = self.scenario.scenarios(&target)?;
        for scenario in &scenarios {
            self.engine.guard(scenario)?;
        }
        if self.dry_run {
            for scenario in &scenarios {
                print(&plan::render(scenario, self.target.url()))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if scenarios.len() > 1 && !self.outputs.is_empty() {
            return Err(RunError::OneFile);
        }
        outputs::try_all(&self.outputs)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(RunError::Runtime)?;
        let exposition = runtime.block_on(async { self.metrics.serve() })?;
        let mut worst = 0;
        for scenario in scenarios {
            let report = runtime.block_on(self.one(scenario, &target, exposition.as_ref()))?;
            let written = outputs::publish("vas test run", &report, &self.outputs);
            let code = verdict::after_writing(verdict::code(&report, self.min_grade), written);
            if code == EXIT_INTERRUPTED {
                return Ok(ExitCode::from(code));
            }
            // Of several scenarios, one that proves nothing outweighs one that failed.
            worst = match (worst, code) {
                (EXIT_PROVES_NOTHING, _) | (_, EXIT_PROVES_NOTHING) => EXIT_PROVES_NOTHING,
                (worst, code) => worst.max(code),
            };
        }
        Ok(ExitCode::from(worst))
    }

    async fn one(
        &self,
        scenario: Scenario,
        target: &Target,
        exposition: Option<&Exposition>,
    ) -> Result<Report, RunError> {
        let scenario = Arc::new(scenario);
        let mut watching = self.watch.start().await?;
        let clock = RunClock::begins_in(LEAD);
        if let Some(watching) = &watching {
            watching.begin(clock);
        }
        let each = |_: &Second| {
            let (news, state) = watching.as_mut().map(Watching::look).unwrap_or_default();
            Meanwhile {
                news,
                state,
                over: false,
            }
        };
        let measured = drive(
            &scenario,
            target,
            self.engine.settings(),
            clock,
            self.quiet,
            each,
            exposition,
        )
        .await?;
        let (workload, check) = watching
            .map(|watching| watching.end(&scenario, &measured))
            .map_or((None, None), |(workload, check)| (Some(workload), check));
        Ok(judge(
            &scenario,
            self.target.url(),
            measured,
            workload.into_iter().collect(),
            check.into_iter().collect(),
        ))
    }
}

fn print(text: &str) -> Result<(), RunError> {
    output::text(text).map_err(RunError::Print)
}
