//! `vas validate`: every broken rule of every environment, offline.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{
    EXIT_INVALID,
    input::{self, Object},
    output::{self, OutputError},
};
use crate::core::validate::document::{self, Document};

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
        let objects = match input::read(&self.filenames) {
            Ok(objects) => objects,
            Err(error) => {
                output::complain(&error);
                return ExitCode::from(EXIT_INVALID);
            }
        };
        let checked: Vec<(&Object, Document)> = objects
            .iter()
            .filter(|object| document::is_ours(&object.value))
            .map(|object| {
                (
                    object,
                    document::check(&object.value, self.environment.as_deref()),
                )
            })
            .collect();
        if checked.is_empty() {
            output::complain(&format_args!(
                "{}: no VoiceAssistScaling found; its apiVersion is scaling.voiceassist.io/v1alpha1",
                self.filenames.join(", ")
            ));
            return ExitCode::from(EXIT_INVALID);
        }
        let printed = match self.output {
            Format::Text => print_text(&checked),
            Format::Json => print_json(&checked),
        };
        let valid = checked
            .iter()
            .all(|(_, document)| document.validation.violations.is_empty());
        match output::finish(printed) {
            ExitCode::SUCCESS if !valid => ExitCode::from(EXIT_INVALID),
            code => code,
        }
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
