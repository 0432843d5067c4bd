//! `vas test import`: writes a scenario from a recording, an API description, a collection or a k6 script.

use std::io::{self, Write};

use clap::Subcommand;
use serde_json::Value;

use super::{load_args::LoadError, named_url::NamedUrl};
use crate::{
    exit::{Code, CommandError, Ended},
    input::{self, InputError},
    output::{self, OutputError},
};
use vas_loadtest::{
    import::{self, Imported, LeftOut, Variable, har, k6, openapi, others::Others, postman},
    scenario::hosts::Hosts,
};

/// Largest file that is read, in bytes: 64 MiB. Recordings hold the answers too.
const MAX_BYTES: u64 = 64 << 20;

/// Write a scenario from what another tool has
///
/// The scenario goes to standard output; what could not be taken, and why, to standard error. Nothing is sent.
///
/// Secrets are not written. A variable of the environment, such as ${TARGET_COOKIE}, stands in the place of each, and
/// the scenario runs once those that it lists are set.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vas test import har recording.har > my-load.yaml
  vas test import har recording.har --host auth=https://auth.example > my-load.yaml
  vas test run my-load.yaml --target http://localhost:8080 --dry-run
  k6 inspect script.js | vas test import k6-options -

Exit codes: 0 all was taken, 1 some was not, 2 the file cannot be used.")]
pub(super) struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// A recording of a browser or a proxy (HTTP Archive): one step for each request, with the recorded pauses
    Har(HostsArgs),
    /// An OpenAPI document (3.x, or Swagger 2.0): one step for each operation that has examples
    Openapi(FileArgs),
    /// A Postman collection (2.0 or 2.1): one step for each request
    Postman(HostsArgs),
    /// The options of a k6 script, as `k6 inspect SCRIPT` prints them: its load and its thresholds
    K6Options(FileArgs),
}

#[derive(Debug, clap::Args)]
struct FileArgs {
    /// File to read, in JSON or YAML; - reads standard input
    #[arg(value_name = "FILE")]
    file: String,
}

#[derive(Debug, clap::Args)]
struct HostsArgs {
    #[command(flatten)]
    file: FileArgs,
    /// Take requests to this host besides those to the target, such as auth=https://auth.example; may be given several times
    ///
    /// Requests to hosts that are not named are left out: nobody should send load to a service only because a browser once asked it.
    #[arg(long = "host", value_name = "NAME=URL")]
    hosts: Vec<NamedUrl>,
}

/// Reasons why nothing was written.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Host(#[from] LoadError),
    #[error(transparent)]
    Others(import::ImportError),
    #[error("{file}: {source}")]
    Import {
        file: String,
        source: import::ImportError,
    },
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl CommandError for ImportError {
    fn code(&self) -> Code {
        match self {
            Self::Output(error) => error.code(),
            Self::Input(_) | Self::Host(_) | Self::Others(_) | Self::Import { .. } => Code::Invalid,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let imported = match &self.from {
            From::Har(args) => args.import(har::import),
            From::Openapi(args) => args.import(openapi::import),
            From::Postman(args) => args.import(postman::import),
            From::K6Options(args) => args.import(k6::import),
        }?;
        Ok(if imported.left_out.is_empty() {
            Code::Success
        } else {
            Code::Failure
        })
    }
}

impl HostsArgs {
    fn import(
        &self,
        read: impl Fn(&Value, &Others) -> Result<Imported, import::ImportError>,
    ) -> Result<Imported, ImportError> {
        let hosts = self
            .hosts
            .iter()
            .map(NamedUrl::read)
            .collect::<Result<Hosts, _>>()?;
        let others = Others::of(&hosts).map_err(ImportError::Others)?;
        self.file.import(|file| read(file, &others))
    }
}

impl FileArgs {
    /// Prints the scenario, and what is not in it.
    fn import(
        &self,
        read: impl Fn(&Value) -> Result<Imported, import::ImportError>,
    ) -> Result<Imported, ImportError> {
        let file = input::value_within(&self.file, MAX_BYTES)?;
        let imported = read(&file).map_err(|source| ImportError::Import {
            file: self.file.clone(),
            source,
        })?;
        output::written(|out| print(out, &imported))?;
        // The report is for people. A closed standard error is ignored.
        let _ = report(&mut io::stderr().lock(), &imported);
        Ok(imported)
    }
}

fn print(out: &mut impl Write, imported: &Imported) -> Result<(), OutputError> {
    let target = imported.target.as_deref().unwrap_or("URL");
    writeln!(out, "# vas test run FILE --target {target}")?;
    for variable in &imported.variables {
        writeln!(out, "# needs {}", needed(variable))?;
    }
    write!(out, "{}", serde_saphyr::to_string(&imported.scenario)?)?;
    Ok(())
}

/// A variable in words. It has no value of the file.
fn needed(variable: &Variable) -> String {
    let Variable {
        name,
        what,
        requests,
        values,
    } = variable;
    let values = match values {
        0 | 1 => String::new(),
        several => format!(", which had {several} values: take what an answer makes with extract"),
    };
    format!("{name} in the environment: {what} ({requests} request(s)){values}")
}

fn report(out: &mut impl Write, imported: &Imported) -> io::Result<()> {
    let steps = imported
        .scenario
        .journeys
        .iter()
        .map(|journey| journey.steps.len());
    writeln!(
        out,
        "{} steps, {} parts left out",
        steps.sum::<usize>(),
        imported.left_out.len()
    )?;
    for LeftOut { part, why } in &imported.left_out {
        writeln!(out, "  {part}: {why}")?;
    }
    for variable in &imported.variables {
        writeln!(out, "to do: set {}", needed(variable))?;
    }
    for to_do in &imported.to_do {
        writeln!(out, "to do: {to_do}")?;
    }
    Ok(())
}
