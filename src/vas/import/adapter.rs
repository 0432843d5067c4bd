//! `vas import prometheus-adapter`: converts prometheus-adapter's rules into metrics of a VoiceAssistScaling.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Format, ImportError, as_hpa, objects, one_line, print_refused};
use crate::output::{self, OutputError};
use vas_core::document::yaml;
use vas_import::adapter::{self, Alternative, Entry, HpaMetric, Import, Sources};

/// Turn prometheus-adapter's rules into metrics entries, ready to paste
///
/// Entries go to standard output; what could not be converted, and why, to standard error. Targets are not in
/// prometheus-adapter's file: give the HPAs that use it with --hpa, or fill in the zeros, which
/// `vas validate` points at. With HPAs, each of their metrics gets one entry at most, and those of one HPA
/// are one document. Nothing is read from a cluster or from Prometheus.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kubectl -n monitoring get configmap adapter-config -o yaml > adapter.yaml
  kubectl -n voiceassist-production get hpa -o yaml > hpas.yaml
  vas import prometheus-adapter -f adapter.yaml --hpa hpas.yaml

Exit codes: 0 all converted, 1 some not, 2 a file cannot be used.")]
pub(super) struct Args {
    /// prometheus-adapter's config.yaml, a file with the ConfigMap that holds it, or the values of its Helm
    /// chart; - reads standard input
    #[arg(short, long = "filename", value_name = "FILE")]
    filename: String,
    /// File with HorizontalPodAutoscalers of any version, for their targets and selectors. May be given
    /// several times
    #[arg(long = "hpa", value_name = "FILE")]
    hpas: Vec<String>,
    /// Output format; only YAML can carry comments
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

impl Args {
    /// Prints entries and report. Returns whether everything was converted.
    pub(super) fn import(&self) -> Result<bool, ImportError> {
        let wanted = self.wanted()?;
        let import = adapter::convert(&sources(&self.filename)?, wanted.as_deref());
        output::written(|out| match self.output {
            Format::Yaml => print_yaml(out, &import),
            Format::Json => print_json(out, &import),
        })?;
        // The report is for people. A closed standard error is ignored.
        let _ = report(&mut io::stderr().lock(), &import);
        Ok(import.refused.is_empty())
    }

    /// The metrics that the HPAs use; `None` where no HPA was given.
    fn wanted(&self) -> Result<Option<Vec<HpaMetric>>, ImportError> {
        if self.hpas.is_empty() {
            return Ok(None);
        }
        let mut wanted = Vec::new();
        for found in objects(&self.hpas)? {
            wanted.extend(as_hpa(&found)?.iter().flat_map(adapter::wanted));
        }
        Ok(Some(wanted))
    }
}

/// Reads the rules from a file.
pub(super) fn sources(file: &str) -> Result<Sources, ImportError> {
    let file = file.to_owned();
    let documents: Vec<Value> = objects(std::slice::from_ref(&file))?
        .into_iter()
        .map(|one| one.object)
        .collect();
    if documents.is_empty() {
        return Err(ImportError::Empty { file });
    }
    let parse = |text: &str| yaml::parse_one(text).map_err(|error| error.located());
    adapter::read(&documents, parse).map_err(|source| ImportError::Config { file, source })
}

/// Prints one YAML document for each HPA.
fn print_yaml(out: &mut impl Write, import: &Import) -> Result<(), OutputError> {
    if import.entries.is_empty() {
        return Ok(writeln!(out, "metrics: []")?);
    }
    for (position, entries) in import
        .entries
        .chunk_by(|one, next| one.hpa == next.hpa)
        .enumerate()
    {
        if position > 0 {
            writeln!(out, "---")?;
        }
        if let Some(hpa) = entries.first().and_then(|entry| entry.hpa.as_ref()) {
            writeln!(out, "# for the workload of HPA {hpa}")?;
        }
        writeln!(out, "metrics:")?;
        for entry in entries {
            print_entry(out, entry)?;
        }
    }
    Ok(())
}

fn print_entry(out: &mut impl Write, entry: &Entry) -> Result<(), OutputError> {
    for comment in &entry.comments {
        writeln!(out, "# {}", one_line(comment))?;
    }
    write!(out, "{}", serde_saphyr::to_string(&[&entry.metric])?)?;
    for Alternative {
        field,
        series,
        metric,
    } in &entry.alternatives
    {
        match metric {
            Ok(metric) => {
                writeln!(out, "# instead, from {field}, of {series}:")?;
                for line in serde_saphyr::to_string(&[metric])?.lines() {
                    writeln!(out, "#   {line}")?;
                }
            }
            Err(why) => writeln!(
                out,
                "# instead, from {field}, of {series}: no entry, {}",
                one_line(why)
            )?,
        }
    }
    Ok(())
}

fn print_json(out: &mut impl Write, import: &Import) -> Result<(), OutputError> {
    let metrics: Vec<_> = import.entries.iter().map(|entry| &entry.metric).collect();
    let entries: Vec<_> = import
        .entries
        .iter()
        .map(|entry| {
            let alternatives: Vec<_> = entry.alternatives.iter().map(alternative).collect();
            json!({"name": entry.metric.name, "hpa": entry.hpa, "comments": entry.comments, "alternatives": alternatives})
        })
        .collect();
    let refused: Vec<_> = import
        .refused
        .iter()
        .map(|one| json!({"field": one.field, "series": one.series, "why": one.why}))
        .collect();
    let object = json!({"metrics": metrics, "about": entries, "notConverted": refused, "notes": import.notes, "unused": import.unused});
    writeln!(out, "{}", serde_json::to_string_pretty(&object)?)?;
    Ok(())
}

fn alternative(one: &Alternative) -> Value {
    match &one.metric {
        Ok(metric) => json!({"field": one.field, "series": one.series, "metric": metric}),
        Err(why) => json!({"field": one.field, "series": one.series, "why": why}),
    }
}

fn report(out: &mut impl Write, import: &Import) -> io::Result<()> {
    let (converted, refused) = (import.entries.len(), import.refused.len());
    writeln!(out, "converted {converted}, not converted {refused}")?;
    print_refused(out, &import.refused)?;
    let open = import.entries.iter().filter(|entry| !entry.has_target).count();
    if open > 0 {
        writeln!(
            out,
            "to do: fill in {open} target(s) that are 0; vas validate points at them"
        )?;
    }
    for entry in import
        .entries
        .iter()
        .filter(|entry| !entry.alternatives.is_empty())
    {
        writeln!(
            out,
            "to do: {} is a guess among {} rules or series; the others are comments below it",
            entry.metric.name,
            entry.alternatives.len() + 1
        )?;
    }
    if !import.unused.is_empty() {
        writeln!(
            out,
            "left out, because no metric of these HPAs comes from them: {}",
            import.unused.join(", ")
        )?;
    }
    for note in &import.notes {
        writeln!(out, "to do: {note}")?;
    }
    Ok(())
}
