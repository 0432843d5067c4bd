//! `vas test list` and `vas test show`: the scenarios that come with vas.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use super::scenario_args::load;
use crate::{
    cli::EXIT_INVALID,
    core::loadtest::{
        duration,
        scenario::{
            builtin::{self, BUILTIN, SUITES},
            model::Load,
            plan::sparkline,
        },
    },
};

/// List the scenarios that come with vas
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {}

/// Print a scenario, to be saved and changed
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vas test show load > my-load.yaml
  vas test run my-load.yaml --target http://localhost:8080")]
pub(super) struct ShowArgs {
    /// A scenario of `vas test list`
    #[arg(value_name = "SCENARIO")]
    name: String,
}

/// Print the JSON schema of scenario files, for editors and checks
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {}

impl ListArgs {
    #[expect(clippy::unused_self, reason = "as every subcommand")]
    pub(super) fn run(&self) -> ExitCode {
        let mut text = String::new();
        for builtin in BUILTIN {
            let Ok(scenario) = load(builtin.name) else {
                continue;
            };
            let profile = scenario.load.profile();
            let unit = match scenario.load {
                Load::Closed(_) => "users",
                Load::Open(_) => "per second",
            };
            let line = format!(
                "{:<15} {:>6.0} {unit:<10} {:>6}  {}\n{:<15} |{}|\n",
                builtin.name,
                profile.peak(),
                duration::format(profile.duration()),
                scenario.description,
                "",
                sparkline(profile),
            );
            text.push_str(&line);
        }
        for (name, members) in SUITES {
            let line = format!("{name:<15} suite: {}\n", members.join(", "));
            text.push_str(&line);
        }
        print(&text)
    }
}

impl ShowArgs {
    pub(super) fn run(&self) -> ExitCode {
        if let Some(builtin) = builtin::find(&self.name) {
            return print(builtin.text);
        }
        let names = BUILTIN.map(|builtin| builtin.name).join(", ");
        let _ = writeln!(
            io::stderr().lock(),
            "vas test show: {:?} is not a scenario of vas; there are {names}",
            self.name
        );
        ExitCode::from(EXIT_INVALID)
    }
}

impl SchemaArgs {
    #[expect(clippy::unused_self, reason = "as every subcommand")]
    pub(super) fn run(&self) -> ExitCode {
        let schema = schemars::schema_for!(crate::core::loadtest::scenario::document::Document);
        match serde_json::to_string_pretty(&schema) {
            Ok(text) => print(&(text + "\n")),
            Err(error) => {
                let _ = writeln!(io::stderr().lock(), "vas test schema: {error}");
                ExitCode::FAILURE
            }
        }
    }
}

fn print(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr().lock(), "cannot write to standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
