//! Writes a comparison as text, Markdown or JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Comparison, Difference, Judgement};

/// Version of the JSON format. Fields may be added without a new version.
const SCHEMA_VERSION: u32 = 1;

/// The comparison as a text table.
pub fn text(comparison: &Comparison) -> String {
    let mut text = format!(
        "{:<20} {:>10} {:>10}  {:<20}\n",
        "", "baseline", "run", "change (95 %)"
    );
    for difference in &comparison.differences {
        let [baseline, run, change, words] = cells(difference);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<20} {baseline:>10} {run:>10}  {change:<20} {words}",
            difference.figure
        );
    }
    text
}

/// The comparison as a Markdown table, below its warnings.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = String::new();
    for words in &comparison.warnings {
        // Names and targets come from outside, so characters with a meaning in Markdown are taken out.
        let words = words.replace(['<', '>', '|', '`', '\n'], " ");
        let _ = writeln!(text, "> {words}\n");
    }
    text.push_str("| | baseline | run | change (95 %) | |\n|---|---|---|---|---|\n");
    for difference in &comparison.differences {
        let [baseline, run, change, words] = cells(difference);
        let words = words.replace("WORSE", "**worse**");
        let _ = writeln!(
            text,
            "| {} | {baseline} | {run} | {change} | {words} |",
            difference.figure
        );
    }
    text
}

/// The comparison as JSON. `change` has the lower and the upper bound, as shares of the baseline.
///
/// # Errors
/// When a number has no JSON form, such as infinity.
pub fn json(comparison: &Comparison) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema_version: u32,
        #[serde(flatten)]
        comparison: &'a Comparison,
    }
    serde_json::to_string_pretty(&Document {
        schema_version: SCHEMA_VERSION,
        comparison,
    })
    .map(|text| text + "\n")
}

fn cells(difference: &Difference) -> [String; 4] {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let change = difference.change.map_or_else(
        || "not known".to_owned(),
        |(low, high)| format!("{:+.1} % to {:+.1} %", 100.0 * low, 100.0 * high),
    );
    let words = match difference.judgement {
        Judgement::Better => "better",
        Judgement::Same => "same",
        Judgement::Worse => "WORSE",
        Judgement::Unknown => "unknown",
    };
    [
        number(difference.baseline),
        number(difference.run),
        change,
        words.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_the_figures_their_change_and_what_to_make_of_it() {
        let differences = vec![Difference {
            figure: "p95, ms",
            baseline: Some(100.0),
            run: None,
            change: Some((0.1, 0.205)),
            judgement: Judgement::Worse,
        }];
        let comparison = Comparison {
            warnings: vec!["the runs have different lengths: 1s and 9s".to_owned()],
            differences,
        };
        assert!(text(&comparison).contains("    100.00          -  +10.0 % to +20.5 %   WORSE"));
        let markdown = markdown(&comparison);
        assert!(markdown.starts_with("> the runs have different lengths: 1s and 9s\n\n| |"));
        assert!(markdown.ends_with("| p95, ms | 100.00 | - | +10.0 % to +20.5 % | **worse** |\n"));
        let json: serde_json::Value = serde_json::from_str(&json(&comparison).unwrap()).unwrap();
        assert_eq!(json["differences"][0]["judgement"], "worse");
        assert_eq!(json["differences"][0]["change"][0], 0.1);
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["warnings"][0], comparison.warnings[0]);
    }
}
