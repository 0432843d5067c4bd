//! What `vas import hpa` and `vas import keda` share: input files, and printing of resources.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Format, ImportError, one_line, print_refused};
use crate::output::{self, OutputError};
use vas_import::Assembled;

/// Files with objects.
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// Files with YAML or JSON documents
    #[arg(value_name = "FILE", required_unless_present = "filenames")]
    files: Vec<String>,
    /// File with YAML or JSON documents; - reads standard input. May be given several times
    #[arg(short, long = "filename", value_name = "FILE")]
    filenames: Vec<String>,
}

impl Files {
    /// The objects of all files.
    pub(super) fn objects(&self) -> Result<Vec<Value>, ImportError> {
        let all: Vec<String> = self.filenames.iter().chain(&self.files).cloned().collect();
        Ok(super::objects(&all)?
            .into_iter()
            .map(|found| found.object)
            .collect())
    }
}

/// Name of the resources, and how they are printed.
#[derive(Debug, clap::Args)]
pub(super) struct Print {
    /// Name of the resource in each namespace
    #[arg(long, value_name = "NAME", default_value = "voiceassist")]
    pub(super) name: String,
    /// Output format; only YAML can carry comments
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

impl Print {
    /// Prints resources and report. Returns whether everything was converted.
    pub(super) fn print(&self, assembled: &Assembled) -> Result<bool, ImportError> {
        output::written(|out| match self.output {
            Format::Yaml => print_yaml(out, assembled),
            Format::Json => print_json(out, assembled),
        })?;
        // The report is for people. A closed standard error is ignored.
        let _ = report(&mut io::stderr().lock(), assembled);
        Ok(assembled.refused.is_empty())
    }
}

fn print_yaml(out: &mut impl Write, assembled: &Assembled) -> Result<(), OutputError> {
    for (position, resource) in assembled.resources.iter().enumerate() {
        if position > 0 {
            writeln!(out, "---")?;
        }
        for comment in &resource.comments {
            writeln!(out, "# {}", one_line(comment))?;
        }
        write!(out, "{}", serde_saphyr::to_string(&resource.object)?)?;
    }
    Ok(())
}

fn print_json(out: &mut impl Write, assembled: &Assembled) -> Result<(), OutputError> {
    let resources: Vec<_> = assembled
        .resources
        .iter()
        .map(|resource| &resource.object)
        .collect();
    let comments: Vec<_> = assembled
        .resources
        .iter()
        .map(|resource| &resource.comments)
        .collect();
    let refused: Vec<_> = assembled
        .refused
        .iter()
        .map(|one| json!({"object": one.field, "field": one.series, "why": one.why}))
        .collect();
    let object = json!({"resources": resources, "comments": comments, "notConverted": refused, "notes": assembled.notes});
    writeln!(out, "{}", serde_json::to_string_pretty(&object)?)?;
    Ok(())
}

fn report(out: &mut impl Write, assembled: &Assembled) -> io::Result<()> {
    let workloads: usize = assembled
        .resources
        .iter()
        .map(|resource| resource.object.spec.workloads.len())
        .sum();
    writeln!(
        out,
        "converted {workloads} workload(s), not converted {}",
        assembled.refused.len()
    )?;
    print_refused(out, &assembled.refused)?;
    for note in &assembled.notes {
        writeln!(out, "to do: {note}")?;
    }
    Ok(())
}
