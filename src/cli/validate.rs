//! `vas validate`: every broken rule of every environment, offline.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{
    EXIT_INVALID,
    input::{Input, Object},
    output::{OfflineError, OutputError},
};
use crate::core::validate::document::Document;

/// Check VoiceAssistScaling files against every rule, in every environment, without a cluster
///
/// Each problem is reported with the path of the field, its value and the rule. The exit code is 2 if
/// there is any. Objects of other kinds are passed over.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File with YAML or JSON documents; - reads standard input. May be given several times
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filenames: Vec<String>,
    /// Check as if this were spec.environment. All environments are checked in any case
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line per object and per problem.
    Text,
    /// A list with one entry per object.
    Json,
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        match self.check() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(EXIT_INVALID),
            Err(error) => error.report(),
        }
    }

    /// Prints what is wrong and returns whether nothing is.
    fn check(&self) -> Result<bool, OfflineError> {
        let input = Input::read(&self.filenames)?;
        let checked = input.check(self.environment.as_deref())?;
        match self.output {
            Format::Text => print_text(&checked)?,
            Format::Json => print_json(&checked)?,
        }
        Ok(checked
            .iter()
            .all(|(_, document)| document.validation.violations.is_empty()))
    }
}

fn print_text(checked: &[(&Object, Document)]) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    for (object, document) in checked {
        for line in report(object, document) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}

/// The lines about one object.
pub(super) fn report(object: &Object, document: &Document) -> Vec<String> {
    let subject = format!("voiceassistscaling/{} ({})", document.name, object.file);
    let violations = &document.validation.violations;
    if violations.is_empty() {
        return vec![format!("{subject}: ok{}", environments(document))];
    }
    let problems = if violations.len() == 1 {
        "problem"
    } else {
        "problems"
    };
    let mut lines = vec![format!("{subject}: {} {problems}", violations.len())];
    lines.extend(violations.iter().map(|violation| format!("  {violation}")));
    if document.object.is_none() {
        lines.push("  The rules across fields are checked once the types above are right.".to_owned());
    }
    lines
}

fn environments(document: &Document) -> String {
    let names: Vec<&str> = document
        .object
        .iter()
        .flat_map(|object| object.spec.environments.as_deref().unwrap_or_default())
        .map(|environment| environment.name.as_str())
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(", in every environment ({})", names.join(", "))
    }
}

fn print_json(checked: &[(&Object, Document)]) -> Result<(), OutputError> {
    let list: Vec<Value> = checked
        .iter()
        .map(|(object, document)| {
            json!({
                "file": object.file,
                "name": document.name,
                "namespace": object.value.pointer("/metadata/namespace"),
                "valid": document.validation.violations.is_empty(),
                "violations": document.validation.violations,
            })
        })
        .collect();
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
    Ok(out.flush()?)
}
