//! `vas import`: entries for a resource from the configuration of other adapters.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Subcommand, ValueEnum};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::{Value, json};

use super::{
    EXIT_INVALID,
    input::{Input, InputError},
    output::OutputError,
};
use crate::core::import::{self, Config, ConfigError, Import, Wanted};

/// Turn the configuration of another metrics adapter into entries of a VoiceAssistScaling
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    PrometheusAdapter(PrometheusAdapter),
}

/// Turn prometheus-adapter's rules into metrics entries, ready to paste
///
/// Entries go to standard output; what could not be converted, and why, to standard error. Targets are not in
/// prometheus-adapter's file: give the HPAs that use it with --hpa, or fill in the zeros, which `vas validate`
/// points at. Nothing is read from a cluster or from Prometheus.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kubectl -n monitoring get configmap adapter-config -o yaml > adapter.yaml
  kubectl -n voiceassist-production get hpa -o yaml > hpas.yaml
  vas import prometheus-adapter -f adapter.yaml --hpa hpas.yaml

Exit codes: 0 all converted, 1 some not, 2 a file cannot be used.")]
struct PrometheusAdapter {
    /// prometheus-adapter's config.yaml, or the ConfigMap that holds it; - reads standard input
    #[arg(short, long = "filename", value_name = "FILE")]
    filename: String,
    /// File with HorizontalPodAutoscalers, for their targets and selectors. May be given several times
    #[arg(long = "hpa", value_name = "FILE")]
    hpas: Vec<String>,
    /// Output format; only YAML can carry comments
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Entries with comments.
    Yaml,
    /// Entries, refusals and notes as one object.
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
    #[error("{file}: a HorizontalPodAutoscaler of autoscaling/v2 is expected: {words}")]
    Hpa { file: String, words: String },
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        let From::PrometheusAdapter(args) = &self.from;
        match args.import() {
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

impl PrometheusAdapter {
    /// Prints entries and report; whether everything was converted.
    fn import(&self) -> Result<bool, ImportError> {
        let import = import::convert(&self.config()?, &self.wanted()?);
        let mut out = io::stdout().lock();
        match self.output {
            Format::Yaml => print_yaml(&mut out, &import)?,
            Format::Json => print_json(&mut out, &import)?,
        }
        out.flush().map_err(OutputError::from)?;
        // The report is for people who look; a closed standard error harms nothing.
        let _ = report(&mut io::stderr().lock(), &import);
        Ok(import.refused.is_empty())
    }

    fn config(&self) -> Result<Config, ImportError> {
        let input = Input::read(std::slice::from_ref(&self.filename))?;
        let file = self.filename.clone();
        let Some(first) = input.objects.into_iter().next() else {
            return Err(ImportError::Empty { file });
        };
        let parse = |text: &str| serde_saphyr::from_str::<Value>(text).map_err(|error| error.to_string());
        import::read(first.value, parse).map_err(|source| ImportError::Config { file, source })
    }

    fn wanted(&self) -> Result<Vec<Wanted>, ImportError> {
        let mut wanted = Vec::new();
        for object in Input::read(&self.hpas)?.objects {
            if object.value.get("kind").and_then(Value::as_str) != Some("HorizontalPodAutoscaler") {
                continue;
            }
            let hpa: HorizontalPodAutoscaler =
                serde_json::from_value(object.value).map_err(|error| ImportError::Hpa {
                    file: object.file,
                    words: error.to_string(),
                })?;
            wanted.extend(import::wanted(&hpa));
        }
        Ok(wanted)
    }
}

fn print_yaml(out: &mut impl Write, import: &Import) -> Result<(), OutputError> {
    writeln!(
        out,
        "metrics:{}",
        if import.entries.is_empty() { " []" } else { "" }
    )?;
    for entry in &import.entries {
        for comment in &entry.comments {
            writeln!(out, "# {comment}")?;
        }
        write!(out, "{}", serde_saphyr::to_string(&[&entry.metric])?)?;
    }
    Ok(())
}

fn print_json(out: &mut impl Write, import: &Import) -> Result<(), OutputError> {
    let metrics: Vec<_> = import.entries.iter().map(|entry| &entry.metric).collect();
    let refused: Vec<_> = import
        .refused
        .iter()
        .map(|one| json!({"field": one.field, "series": one.series, "why": one.why}))
        .collect();
    let object = json!({"metrics": metrics, "notConverted": refused, "notes": import.notes});
    writeln!(out, "{}", serde_json::to_string_pretty(&object)?)?;
    Ok(())
}

fn report(out: &mut impl Write, import: &Import) -> io::Result<()> {
    writeln!(
        out,
        "converted {}, not converted {}",
        import.entries.len(),
        import.refused.len()
    )?;
    for refused in &import.refused {
        writeln!(out, "  {} ({}): {}", refused.field, refused.series, refused.why)?;
    }
    let open = import.entries.iter().filter(|entry| !entry.has_target).count();
    if open > 0 {
        writeln!(
            out,
            "to do: fill in {open} target(s) that are 0; vas validate points at them"
        )?;
    }
    for note in &import.notes {
        writeln!(out, "to do: {note}")?;
    }
    Ok(())
}
