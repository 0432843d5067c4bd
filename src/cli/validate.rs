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
/// there is any. A warning is something that breaks no rule and is probably not what was meant; it leaves the
/// exit code 0, or makes it 1 with --strict. Objects of other kinds are passed over.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File with YAML or JSON documents; - reads standard input. May be given several times
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filenames: Vec<String>,
    /// Check as if this were spec.environment. All environments are checked in any case
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Exit with 1 where there are warnings and no problems
    #[arg(long)]
    strict: bool,
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
            Ok(Verdict::Invalid) => ExitCode::from(EXIT_INVALID),
            Ok(Verdict::Warned) if self.strict => ExitCode::FAILURE,
            Ok(Verdict::Warned | Verdict::Fine) => ExitCode::SUCCESS,
            Err(error) => error.report(),
        }
    }

    /// Prints what is wrong and returns the worst of it.
    fn check(&self) -> Result<Verdict, OfflineError> {
        let input = Input::read(&self.filenames)?;
        let checked = input.check(self.environment.as_deref())?;
        match self.output {
            Format::Text => print_text(&checked)?,
            Format::Json => print_json(&checked)?,
        }
        let verdicts = checked.iter().map(|(_, document)| Verdict::of(document));
        Ok(verdicts.max().unwrap_or(Verdict::Fine))
    }
}

/// What is said of an object, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Fine,
    Warned,
    Invalid,
}

impl Verdict {
    fn of(document: &Document) -> Self {
        let validation = &document.validation;
        if !validation.violations.is_empty() {
            Self::Invalid
        } else if validation.warnings.is_empty() {
            Self::Fine
        } else {
            Self::Warned
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
    let warnings = &document.validation.warnings;
    let mut counts = Vec::new();
    if violations.is_empty() {
        counts.push(format!("ok{}", environments(document)));
    } else {
        counts.push(counted(violations.len(), "problem"));
    }
    if !warnings.is_empty() {
        counts.push(counted(warnings.len(), "warning"));
    }
    let mut lines = vec![format!("{subject}: {}", counts.join(", "))];
    lines.extend(violations.iter().map(|violation| format!("  {violation}")));
    lines.extend(warnings.iter().map(|warning| format!("  warning: {warning}")));
    if document.object.is_none() {
        lines.push("  The rules across fields are checked once the types above are right.".to_owned());
    }
    lines
}

/// `1 problem`, `2 problems`.
fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
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
                "warnings": document.validation.warnings,
            })
        })
        .collect();
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(&list)?)?;
    Ok(out.flush()?)
}
