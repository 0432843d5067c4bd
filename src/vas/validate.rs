//! `vas validate`: checks files against every rule in every environment, without a cluster.

use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    exit::{Code, Ended},
    input::{Input, Object},
    output::{self, OfflineError, OutputError},
    stderr,
};
use vas_core::{
    reconcile::suspend::freeze,
    spec::{
        model::Scaling,
        rules::document::{Document, Verdict},
    },
};

/// The limits of the CRD and of the API server that users meet first.
const LIMITS: &str = "\
Limits:
  A resource has at most 16 workloads and 16 environments, a workload 16 metrics and 16 entries of a schedule, an
  entry 100 dates, matchLabels 8 labels.
  Replicas are at most 10000, a query has at most 4096 characters, windows and ages are at most 1h.
  The API server takes objects up to 1.5 MiB; a file is read up to 16 MiB.";

/// Check VoiceAssistScaling files against every rule, in every environment, without a cluster
///
/// Each problem is reported with the path of the field, its value and the rule. The exit code is 2 if
/// there is any. A warning is something that breaks no rule and is probably not what was meant; it leaves the
/// exit code 0, or makes it 1 with --strict. Objects of other kinds are passed over.
#[derive(Debug, clap::Args)]
#[command(after_help = LIMITS)]
pub(super) struct Args {
    /// Files with YAML or JSON documents, or directories with such files; - reads standard input
    #[arg(value_name = "PATH", required_unless_present = "filenames")]
    paths: Vec<String>,
    /// File or directory, as for kubectl; may be given several times
    #[arg(short, long = "filename", value_name = "PATH")]
    filenames: Vec<String>,
    /// Look into the directories inside directories too
    #[arg(short = 'R', long)]
    recursive: bool,
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
    pub(super) fn run(&self) -> Ended {
        Ok(match self.check()? {
            Verdict::Invalid => Code::Invalid,
            Verdict::Warned if self.strict => Code::Failure,
            Verdict::Warned | Verdict::Fine => Code::Success,
        })
    }

    /// Prints all problems and warnings, and returns the worst verdict.
    fn check(&self) -> Result<Verdict, OfflineError> {
        let names = [self.paths.as_slice(), &self.filenames].concat();
        let input = Input::gather(&names, self.recursive);
        let checked = input.check(self.environment.as_deref())?;
        match self.output {
            Format::Text => print_text(&checked)?,
            Format::Json => print_json(&checked)?,
        }
        for failure in &input.failures {
            stderr::complain(failure);
        }
        let unread = input.failures.iter().map(|_| Verdict::Invalid);
        let verdicts = checked.iter().map(|(_, document)| document.verdict());
        Ok(verdicts.chain(unread).max().unwrap_or(Verdict::Fine))
    }
}

fn print_text(checked: &[(&Object, Document)]) -> Result<(), OutputError> {
    let lines = checked
        .iter()
        .flat_map(|(object, document)| report(object, document));
    output::text(&lines.map(|line| line + "\n").collect::<String>())
}

/// The resources of the files as the operator would read them at `now`, with the environment of this name or their own.
///
/// # Errors
/// With a report of each that breaks a rule; see [`Input::check`] too.
pub(super) fn scalings(
    input: &Input,
    environment: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Scaling>, OfflineError> {
    let mut scalings = Vec::new();
    let mut problems = Vec::new();
    for (object, mut document) in input.check(environment)? {
        if let Some(parsed) = &document.object {
            freeze(parsed, &mut document.validation, now);
        }
        if document.verdict() == Verdict::Invalid {
            problems.extend(report(object, &document));
        } else {
            scalings.extend(document.validation.scaling);
        }
    }
    if problems.is_empty() {
        Ok(scalings)
    } else {
        Err(OfflineError::Invalid(problems.join("\n")))
    }
}

/// The lines that are printed for one object.
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
    let at = |path: &str| format!("  {}:{}:", object.file, object.place(path));
    lines.extend(
        violations
            .iter()
            .map(|violation| format!("{} {violation}", at(&violation.path))),
    );
    lines.extend(
        warnings
            .iter()
            .map(|warning| format!("{} warning: {warning}", at(&warning.path))),
    );
    if document.object.is_none() {
        lines.push("  The rules across fields are checked once the types above are right.".to_owned());
    }
    lines
}

/// A count with its noun: `1 problem`, `2 problems`.
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

/// Problems or warnings as JSON, each with its line and column.
fn located<T: Serialize>(object: &Object, found: &[T], path: impl Fn(&T) -> &str) -> Vec<Value> {
    let one = |one: &T| {
        let place = object.place(path(one));
        // These types always have a JSON form, so the default is never used.
        let mut value = serde_json::to_value(one).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("line".to_owned(), json!(place.line));
            fields.insert("column".to_owned(), json!(place.column));
        }
        value
    };
    found.iter().map(one).collect()
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
                "violations": located(object, &document.validation.violations, |one| &one.path),
                "warnings": located(object, &document.validation.warnings, |one| &one.path),
            })
        })
        .collect();
    output::text(&(serde_json::to_string_pretty(&list)? + "\n"))
}
