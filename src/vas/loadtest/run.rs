//! `vas test run`: sends load to a target and judges the outcome.

use super::{
    in_cluster::{Divided, InClusterArgs},
    load_args::{ConnectionArgs, EngineArgs, MetricsListenArgs},
    masked_url::MaskedUrl,
    outputs::{self, Output},
    progress::Shown,
    scenario_args::{ScenarioArgs, ScenarioArgsError},
    verdict::{self, MinGrade},
    watch_args::{WatchArgs, WatchError},
    web_args::{self, WebArgs},
};
use crate::{
    exit::{Code, CommandError, Ended},
    output, runtime,
};
use vas_loadtest::{
    drive::Sending,
    exposition::endpoint::ListenError,
    http::Target,
    judge::outcome,
    limits::LimitError,
    report::Report,
    run,
    scenario::{hosts::Hosts, model::Scenario, plan},
    web::WebError,
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
  vas test run http://localhost:8080/health --rate 100 --duration 30s
  vas test run http://localhost:8080 --users 50 --think 1s-3s --threshold 'latency p95 < 500ms'
  vas test run smoke --target https://voiceassist.example
  vas test run quick --target http://localhost:8080 --scale 0.1
  vas test run my-scenario.yaml --target http://localhost:8080 -o html=run.html -o json=run.json --min-grade B
  vas test run load --target http://localhost:8080 --metrics-listen 127.0.0.1:9095
  vas test run stress --target http://localhost:8080 --web 127.0.0.1:0 -o html=run.html
  vas test run stress --target http://localhost:8080 --dry-run
  vas test run stress --target http://api.shop --in-cluster --workers 4 -n vas-load-tests -o html=run.html

Exit codes: 0 pass, 99 a threshold or --min-grade was missed, 2 usage, 3 invalid,
4 the setup failed, the pods were not ready, or what is to be watched is not there or is production, 130 interrupted, 1 anything else.")]
pub(super) struct Args {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// URL of the service; the path of each step is put behind it. User and password in it are sent as
    /// Authorization, and shown nowhere
    #[arg(long, value_name = "URL", help_heading = "Target")]
    target: Option<MaskedUrl>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Write a report: html=FILE (one page), json=FILE, junit=FILE, md=FILE, hgrm=FILE; may be given several
    /// times. - is standard output, and the text for people goes to standard error then
    #[arg(short, long = "output", value_name = "FORMAT=FILE")]
    outputs: Vec<Output>,
    #[command(flatten)]
    metrics: MetricsListenArgs,
    #[command(flatten)]
    web: WebArgs,
    #[command(flatten)]
    in_cluster: InClusterArgs,
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
    Limit(#[from] LimitError),
    #[error(
        "reports of a suite would replace each other: run its scenarios one by one to write them to files"
    )]
    OneFile,
    #[error("--web shows one run: run the scenarios of a suite one by one to watch them")]
    OnePage,
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error(transparent)]
    Run(#[from] run::RunError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Web(#[from] WebError),
}

impl CommandError for RunError {
    fn code(&self) -> Code {
        match self {
            Self::Run(run::RunError::Setup(error)) => error.code(),
            Self::Scenario(_) | Self::Limit(_) | Self::OneFile | Self::OnePage => Code::Invalid,
            Self::Web(error) => error.code(),
            Self::Watch(error) if error.is_precondition() => Code::Precondition,
            Self::Watch(_) | Self::Run(_) | Self::Listen(_) => Code::Failure,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let url = self.scenario.url(self.target.as_ref())?;
        let target = self.connection.target(url)?;
        let url = self.connection.shown(url);
        let hosts = self.connection.hosts()?;
        let scenarios = self.scenarios(&target, hosts)?;
        self.web.address().map_err(RunError::from)?;
        if self.dry_run {
            for scenario in &scenarios {
                output::text(&plan::render(scenario, &url))?;
            }
            return Ok(Code::Success);
        }
        outputs::try_all(&self.outputs)?;
        let runtime = runtime::of_this_thread()?;
        if self.in_cluster.is_wanted() {
            let divided = Divided {
                args: &self.scenario,
                target: self.target.as_ref(),
                connection: &self.connection,
                engine: &self.engine,
                cluster: &self.watch,
            };
            let progress = Shown::new(self.quiet);
            let report = runtime.block_on(self.in_cluster.run(&scenarios, divided, progress))?;
            return Ok(self.published(&report));
        }
        let exposition = runtime
            .block_on(async { self.metrics.serve() })
            .map_err(RunError::from)?;
        let mut web = runtime
            .block_on(async { self.web.serve() })
            .map_err(RunError::from)?;
        let mut worst = Code::Success;
        for scenario in scenarios {
            let sending = Sending {
                target: &target,
                url: &url,
                settings: self.engine.settings(),
                exposition: exposition.as_ref(),
                web: web.as_ref(),
            };
            let report = runtime.block_on(self.one(scenario, sending))?;
            worst = worst.max(self.published(&report));
            if let Some(web) = web.take() {
                runtime.block_on(web_args::finish(web, &report));
            }
            if worst == Code::Interrupted {
                break;
            }
        }
        Ok(worst)
    }

    /// Writes the reports, and returns the exit code of the run.
    fn published(&self, report: &Report) -> Code {
        let written = outputs::publish(report, &self.outputs);
        verdict::code(outcome(report, self.min_grade.map(Into::into)), written)
    }

    /// The scenarios to run, none of which exceeds a limit.
    fn scenarios(&self, target: &Target, hosts: Hosts) -> Result<Vec<Scenario>, RunError> {
        let scenarios = self.scenario.scenarios(target, hosts)?;
        let limits = self.engine.limits();
        for scenario in &scenarios {
            limits.guard(scenario)?;
        }
        if scenarios.len() > 1 && !self.outputs.is_empty() && !self.dry_run {
            return Err(RunError::OneFile);
        }
        if scenarios.len() > 1 && self.web.is_wanted() {
            return Err(RunError::OnePage);
        }
        Ok(scenarios)
    }

    async fn one(&self, scenario: Scenario, sending: Sending<'_>) -> Result<Report, RunError> {
        let watching = self.watch.start().await?;
        let mut progress = Shown::new(self.quiet);
        Ok(run::run(scenario, sending, watching, &mut progress).await?)
    }
}
