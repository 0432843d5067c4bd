//! `vas simulate -f RESOURCE --load FILE`: a load of the past, replayed through the rules of a resource.

use std::io;

use jiff::Timestamp;

use super::{
    assumption_args::{Assumed, AssumptionArgs, AssumptionError},
    live::{LiveArgs, LiveError},
    load_args::{LoadArgs, LoadArgsError},
    optimize_args::{OptimizeArgs, OptimizeArgsError},
    policy_args::{PolicyArgs, PolicyError, RESOURCE, SCHEDULED},
};
use crate::{
    destination::{self, Destination, DestinationError},
    exit::{Code, CommandError, Ended},
    runtime, stderr,
};
use vas_cluster::clock::{Clock as _, SystemClock};
use vas_diagnose::simulate::{
    comparison::{self, Comparison, Settings, compare},
    threshold::Threshold,
};

/// What is replayed, and what is written.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    live: LiveArgs,
    #[command(flatten)]
    policies: PolicyArgs,
    #[command(flatten)]
    assumptions: AssumptionArgs,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    optimize: OptimizeArgs,
    /// Also write html=FILE, json=FILE or csv=FILE; - is standard output. May be given several times
    #[arg(short, long = "output", value_name = "FORMAT=FILE", help_heading = "Output")]
    outputs: Vec<Output>,
    /// Exit with 99 unless it holds for the policy resource, with its schedule if it has one, such as 'short < 0.1%'; may be given several times
    #[arg(long = "threshold", value_name = "EXPRESSION", help_heading = "Output")]
    thresholds: Vec<Threshold>,
}

/// A format and its destination.
#[derive(Clone, Debug)]
enum Output {
    Html(Destination),
    Json(Destination),
    Csv(Destination),
}

impl std::str::FromStr for Output {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("html", file)) if !file.is_empty() => Ok(Self::Html(file.into())),
            Some(("json", file)) if !file.is_empty() => Ok(Self::Json(file.into())),
            Some(("csv", file)) if !file.is_empty() => Ok(Self::Csv(file.into())),
            _ => Err("write it as html=FILE, json=FILE or csv=FILE; - is standard output"),
        }
    }
}

/// Reasons why nothing was replayed.
#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error(transparent)]
    Load(#[from] LoadArgsError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Assumption(#[from] AssumptionError),
    #[error(transparent)]
    Optimize(#[from] OptimizeArgsError),
    #[error("--threshold {0}: nothing has a price: give --price, or --cpu-price and --memory-price")]
    NoPrice(Threshold),
    #[error("--warm-up: it is longer than the load, so nothing would be judged: the load has {0} s")]
    WarmUp(i64),
    #[error(transparent)]
    Destination(#[from] DestinationError),
}

impl CommandError for ReplayError {
    fn code(&self) -> Code {
        match self {
            Self::Destination(error) => error.code(),
            Self::Live(error) => error.code(),
            Self::Load(error) => error.code(),
            _ => Code::Invalid,
        }
    }
}

impl ReplayArgs {
    pub(super) fn run(&self) -> Ended {
        let now = SystemClock::new().now();
        let (settings, comparison) = runtime::of_this_thread()?.block_on(self.replay(now))?;
        let text = comparison::text::render(&settings, &comparison);
        let outputs = self.outputs.iter().map(|output| {
            let destination = output.destination();
            (destination, output.write(&settings, &comparison))
        });
        let written = destination::publish_each(&text, outputs);
        Ok(match (self.holds(&comparison), written) {
            (false, _) => Code::Missed,
            (true, false) => Code::Failure,
            (true, true) => Code::Success,
        })
    }

    async fn replay(&self, now: Timestamp) -> Result<(Settings, Comparison), ReplayError> {
        destination::try_all(self.outputs.iter().map(Output::destination))?;
        let live = self.live.read(self.policies.workload.as_deref()).await?;
        let mut policies = self.policies.read(live.as_ref())?;
        if let Some(written) = &mut policies.written {
            written.namespace.clone_from(&self.live.namespace);
            written.kubectl = self.live.kubectl();
        }
        let Assumed {
            assumptions,
            capacity,
            words,
        } = self.assumptions.read(policies.target)?;
        let price = self.assumptions.price(self.policies.cpu_request)?;
        if let Some(threshold) = self
            .thresholds
            .iter()
            .find(|one| one.needs_price() && price.is_none())
        {
            return Err(ReplayError::NoPrice(threshold.clone()));
        }
        let namespace = self.live.namespace.as_deref();
        let load = self.load.read(policies.counted.as_ref(), namespace, now).await?;
        if assumptions.warm_up >= load.end() {
            return Err(ReplayError::WarmUp(load.end() / 1000));
        }
        let settings = Settings {
            load,
            assumptions,
            capacity,
            contenders: policies.contenders,
            price,
            assumed: words.into_iter().chain(policies.assumed).collect(),
            left_out: policies.left_out,
        };
        let mut comparison = compare(&settings);
        comparison.optimization = self.optimize.search(&settings, policies.written.as_ref())?;
        Ok((settings, comparison))
    }

    /// Tells whether all thresholds hold, and complains of those that do not. They are about the resource as it is
    /// written: with its schedule, if it has one.
    fn holds(&self, comparison: &Comparison) -> bool {
        let named = |name| comparison.rows.iter().find(|row| row.name == name);
        let Some(first) = named(SCHEDULED).or_else(|| named(RESOURCE)) else {
            return true;
        };
        let mut all_hold = true;
        for threshold in self.thresholds.iter().filter(|one| !one.holds(first)) {
            stderr::complain(format!("{}: the threshold {threshold} does not hold", first.name));
            all_hold = false;
        }
        all_hold
    }
}

impl Output {
    fn destination(&self) -> &Destination {
        match self {
            Self::Html(to) | Self::Json(to) | Self::Csv(to) => to,
        }
    }

    fn write(&self, settings: &Settings, comparison: &Comparison) -> io::Result<()> {
        match self {
            Self::Html(to) => {
                let page = comparison::html::render(settings, comparison);
                to.write(&|out| out.write_all(page.as_bytes()))
            }
            Self::Json(to) => {
                let document = comparison::json::render(settings, comparison)?;
                to.write(&|out| writeln!(out, "{document}"))
            }
            Self::Csv(to) => to.write(&|out| comparison::csv::write(settings, out)),
        }
    }
}
