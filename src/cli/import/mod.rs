//! `vas import`: a resource, or entries for one, from what other autoscalers have.

mod adapter;
mod hpa;
mod keda;
mod resources;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Subcommand, ValueEnum};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::Value;

use super::{
    EXIT_INVALID,
    input::{Input, InputError},
    output::OutputError,
};
use crate::import::{self, Refused, adapter::ConfigError, documents};

/// Turn what another autoscaler or metrics adapter has into a VoiceAssistScaling, or entries of one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    PrometheusAdapter(adapter::Args),
    Hpa(hpa::Args),
    Keda(keda::Args),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With comments.
    Yaml,
    /// With refusals and notes, as one object.
    Json,
}

/// Why nothing was converted.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{file}: {source}")]
    Config { file: String, source: ConfigError },
    #[error("{file}: no document; prometheus-adapter's configuration is expected")]
    Empty { file: String },
    #[error("{file}: {name}: {source}")]
    Hpa {
        file: String,
        name: String,
        source: import::hpa::HpaError,
    },
    #[error(transparent)]
    Hpas(#[from] import::hpa::ImportError),
    #[error(transparent)]
    Keda(#[from] import::keda::KedaError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        let imported = match &self.from {
            From::PrometheusAdapter(args) => args.import(),
            From::Hpa(args) => args.import(),
            From::Keda(args) => args.import(),
        };
        match imported {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(ImportError::Output(OutputError::Write(error)))
                if error.kind() == io::ErrorKind::BrokenPipe =>
            {
                ExitCode::SUCCESS
            }
            Err(error) => {
                // Nobody is left to tell when stderr is closed.
                let _ = writeln!(io::stderr().lock(), "error: {error}");
                ExitCode::from(EXIT_INVALID)
            }
        }
    }
}

/// One object of a file.
struct Found {
    file: String,
    object: Value,
}

/// The objects of files, out of whatever lists they are in.
fn objects(files: &[String]) -> Result<Vec<Found>, InputError> {
    let mut found = Vec::new();
    for read in Input::read(files)?.objects {
        let file = read.file;
        found.extend(documents::objects(read.value).into_iter().map(|object| Found {
            file: file.clone(),
            object,
        }));
    }
    Ok(found)
}

/// An object as an HPA; `None` for another kind.
fn as_hpa(found: &Found) -> Result<Option<HorizontalPodAutoscaler>, ImportError> {
    if found.object.get("kind").and_then(Value::as_str) != Some("HorizontalPodAutoscaler") {
        return Ok(None);
    }
    let name = found.object.pointer("/metadata/name").and_then(Value::as_str);
    import::hpa::read(&found.object)
        .map(Some)
        .map_err(|source| ImportError::Hpa {
            file: found.file.clone(),
            name: format!("horizontalpodautoscaler/{}", name.unwrap_or_default()),
            source,
        })
}

/// What was not converted, a line each.
fn print_refused(out: &mut impl Write, refused: &[Refused]) -> io::Result<()> {
    for Refused { field, series, why } in refused {
        writeln!(out, "  {field} ({series}): {}", one_line(why))?;
    }
    Ok(())
}

/// A reason is one line, whatever a file has put into it.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
