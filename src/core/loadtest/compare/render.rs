//! A comparison for a terminal, a pull request and a program.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Difference, Judgement};

/// Version of the JSON form. Fields may be added within one.
const SCHEMA_VERSION: u32 = 1;

/// As a table of text.
pub fn text(differences: &[Difference]) -> String {
    let mut text = format!(
        "{:<20} {:>10} {:>10}  {:<20}\n",
        "", "baseline", "run", "change (95 %)"
    );
    for difference in differences {
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

/// As a table of Markdown.
pub fn markdown(differences: &[Difference]) -> String {
    let mut text = "| | baseline | run | change (95 %) | |\n|---|---|---|---|---|\n".to_owned();
    for difference in differences {
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

/// As JSON: `change` has the lower and the upper bound, as shares of the baseline.
///
/// # Errors
/// When a number has no JSON form.
pub fn json(differences: &[Difference]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Comparison<'a> {
        schema_version: u32,
        differences: &'a [Difference],
    }
    serde_json::to_string_pretty(&Comparison {
        schema_version: SCHEMA_VERSION,
        differences,
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
        let differences = [Difference {
            figure: "p95, ms",
            baseline: Some(100.0),
            run: None,
            change: Some((0.1, 0.205)),
            judgement: Judgement::Worse,
        }];
        assert!(text(&differences).contains("    100.00          -  +10.0 % to +20.5 %   WORSE"));
        assert!(
            markdown(&differences).ends_with("| p95, ms | 100.00 | - | +10.0 % to +20.5 % | **worse** |\n")
        );
        let json: serde_json::Value = serde_json::from_str(&json(&differences).unwrap()).unwrap();
        assert_eq!(json["differences"][0]["judgement"], "worse");
        assert_eq!(json["differences"][0]["change"][0], 0.1);
        assert_eq!(json["schema_version"], 1);
    }
}
