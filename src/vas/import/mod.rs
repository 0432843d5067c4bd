//! `vas import`: converts the configuration of other autoscalers into resources, or into entries of one.

mod adapter;
mod hpa;
mod keda;
mod resources;

use std::io::{self, Write};

use clap::{Subcommand, ValueEnum};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::Value;

use crate::{
    exit::{Code, CommandError, Ended},
    input::{Input, InputError},
    output::OutputError,
};
use vas_core::wording::one_line;
use vas_import::{self, Refused, adapter::ConfigError, documents};

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
    /// Refusals and notes are comments.
    Yaml,
    /// Refusals and notes are in one object with the resources.
    Json,
}

/// Reasons why nothing was converted.
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
        source: vas_import::hpa::HpaError,
    },
    #[error(transparent)]
    Hpas(#[from] vas_import::hpa::ImportError),
    #[error(transparent)]
    Keda(#[from] vas_import::keda::KedaError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl CommandError for ImportError {
    fn code(&self) -> Code {
        match self {
            Self::Output(error) => error.code(),
            _ => Code::Invalid,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let all_converted = match &self.from {
            From::PrometheusAdapter(args) => args.import(),
            From::Hpa(args) => args.import(),
            From::Keda(args) => args.import(),
        }?;
        Ok(if all_converted {
            Code::Success
        } else {
            Code::Failure
        })
    }
}

/// One object, with the file it comes from.
struct Found {
    file: String,
    object: Value,
}

/// The objects of files. Lists are unpacked.
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

/// The object as an HPA; `None` for an object of another kind.
fn as_hpa(found: &Found) -> Result<Option<HorizontalPodAutoscaler>, ImportError> {
    if found.object.get("kind").and_then(Value::as_str) != Some("HorizontalPodAutoscaler") {
        return Ok(None);
    }
    let name = found.object.pointer("/metadata/name").and_then(Value::as_str);
    vas_import::hpa::read(&found.object)
        .map(Some)
        .map_err(|source| ImportError::Hpa {
            file: found.file.clone(),
            name: format!("horizontalpodautoscaler/{}", name.unwrap_or_default()),
            source,
        })
}

/// Prints what was not converted, one line for each.
fn print_refused(out: &mut impl Write, refused: &[Refused]) -> io::Result<()> {
    for Refused { field, series, why } in refused {
        writeln!(out, "  {field} ({series}): {}", one_line(why))?;
    }
    Ok(())
}
