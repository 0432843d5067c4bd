//! `vas monitoring`: what a monitoring system needs to know of vas, from the one place where it is defined.
//!
//! Must not: add words of its own. What is printed is made in `vas_core::monitoring`.

mod dashboards;

use clap::{Subcommand, ValueEnum};

use crate::{
    exit::{Code, Ended},
    output::{self, OutputError},
};
use vas_core::monitoring::{
    reference,
    rules::files::{self, Addresses},
};

/// Print what Prometheus, Grafana and people need to monitor vas: alerts, boards, and the list of metrics
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Rules(RulesArgs),
    Dashboards(dashboards::Args),
    /// Print every metric with its type, labels and meaning, as Markdown
    Reference,
}

/// Print the alerts, as a file of rules for Prometheus
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vas monitoring rules > vas.yaml                        for rule_files of Prometheus
  vas monitoring rules --format prometheus-rule          an object of the Prometheus Operator
  vas monitoring rules --docs-url https://wiki/vas       where runbook_url finds runbooks/ALERT.md")]
struct RulesArgs {
    /// Form of the rules
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    format: Format,
    /// Address of the folder with the documents, under which `runbook_url` finds `runbooks/ALERT.md`
    #[arg(long, value_name = "URL", default_value = "docs")]
    docs_url: String,
    /// Address of Grafana, under which `dashboard_url` finds the board of an alert; without it the path alone
    #[arg(long, value_name = "URL", default_value = "")]
    grafana_url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Groups of rules, as `rule_files` of Prometheus takes them.
    Plain,
    /// A PrometheusRule of the Prometheus Operator, in the namespace vas-system.
    PrometheusRule,
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        match &self.command {
            Command::Rules(args) => args.print()?,
            Command::Dashboards(args) => args.run()?,
            Command::Reference => output::text(&reference::page())?,
        }
        Ok(Code::Success)
    }
}

impl RulesArgs {
    fn print(&self) -> Result<(), OutputError> {
        let addresses = Addresses {
            docs: &self.docs_url,
            grafana: &self.grafana_url,
        };
        let file = match self.format {
            Format::Plain => files::plain(addresses)?,
            Format::PrometheusRule => files::prometheus_rule(addresses)?,
        };
        output::text(&file)
    }
}
