//! `vas simulate`: what the HPA controller would do, without a cluster.
//!
//! ```text
//! replay      a load of the past, with the flags of load_args, policy_args, assumption_args, optimize_args and quantity_arg
//! live        a resource of a cluster, and its live HPA
//! sync        one sync of the controller, and print what it decided
//! ```

mod assumption_args;
mod live;
mod load_args;
mod optimize_args;
mod policy_args;
mod print;
mod quantity_arg;
mod replay;
mod sync;

use clap::Subcommand;

use crate::exit::Ended;

/// Replay a load of the past through the HPA's algorithm
///
/// Tells for each policy how long the load would have been above what the Ready pods serve, how many requests would have
/// waited too long or been refused, and what the replicas would have cost. Policies are the resource, further files,
/// constant numbers of replicas, and the optimum: the fewest replicas that somebody who knows the future would run. With files
/// it needs no cluster. Every assumption is printed under the table. The algorithm is held to the decisions of the real
/// controller of Kubernetes 1.37.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  vas simulate -f web.yaml --load last-month.csv --time-to-ready 45s --capacity 120
  vas simulate -f web.yaml -f web-lower-target.yaml --static 8 --load last-month.csv --price 0.16 -o json=result.json
  vas simulate voiceassist -n shop --workload web --prometheus-url http://localhost:9090 --start 14d
  vas simulate voiceassist -n shop --workload web --load last-month.csv --capacity 120 --optimize --max-short 0.1%
  kubectl get hpa web -o yaml | vas simulate -f - --load last-month.csv --threshold 'short < 0.1%'

last-month.csv:
  time,value
  2026-03-01T00:00:00Z,312.5
  2026-03-01T00:01:00Z,320

Exit codes: 0 replayed, 1 the cluster or Prometheus cannot be read or an output cannot be written, 2 usage or a file that
cannot be used, 99 a threshold does not hold."
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    replay: replay::ReplayArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sync(sync::Args),
    Schema(sync::SchemaArgs),
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        match &self.command {
            Some(Command::Sync(args)) => args.run(),
            Some(Command::Schema(args)) => args.run(),
            None => self.replay.run(),
        }
    }
}
