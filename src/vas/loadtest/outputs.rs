//! `-o FORMAT=FILE`: the reports of a run in several formats.

use std::{io, str::FromStr};

use crate::destination::{self, Destination, DestinationError};
use vas_loadtest::report::{Report, hgrm, html, json, junit, markdown, text};

/// A report format and its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    format: Format,
    destination: Destination,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Junit,
    Markdown,
    Hgrm,
    Html,
}

impl FromStr for Output {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str =
            "write it as html=FILE, json=FILE, junit=FILE, md=FILE or hgrm=FILE; - is standard output";
        let (format, file) = text.split_once('=').ok_or(FORMS)?;
        let format = match format {
            "json" => Format::Json,
            "junit" => Format::Junit,
            "md" => Format::Markdown,
            "hgrm" => Format::Hgrm,
            "html" => Format::Html,
            _ => return Err(FORMS),
        };
        if file.is_empty() {
            return Err(FORMS);
        }
        Ok(Self {
            format,
            destination: file.into(),
        })
    }
}

impl Output {
    fn render(&self, report: &Report) -> io::Result<String> {
        Ok(match self.format {
            Format::Json => json::render(report)? + "\n",
            Format::Junit => junit::render(report),
            Format::Markdown => markdown::render(report),
            Format::Hgrm => hgrm::render(&report.measured.total.latency),
            Format::Html => html::render(report),
        })
    }
}

/// Checks that all outputs can be written, before the load is sent.
///
/// # Errors
/// See [`destination::try_all`].
pub(super) fn try_all(outputs: &[Output]) -> Result<(), DestinationError> {
    destination::try_all(outputs.iter().map(|output| &output.destination))
}

/// Writes all outputs and the text report. Returns whether everything was written; see
/// [`destination::publish`].
pub(super) fn publish(report: &Report, outputs: &[Output]) -> bool {
    let reports = outputs
        .iter()
        .map(|output| (&output.destination, output.render(report)));
    destination::publish(&text::render(report), reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_format_and_a_file() {
        let output: Output = "json=a=b.json".parse().unwrap();
        assert_eq!(
            (output.format, output.destination),
            (Format::Json, Destination::File("a=b.json".into()))
        );
        let output: Output = "md=-".parse().unwrap();
        assert_eq!(output.destination, Destination::StandardOutput);
        for text in ["json", "json=", "pdf=x", "=x"] {
            assert!(text.parse::<Output>().is_err(), "{text}");
        }
    }
}
