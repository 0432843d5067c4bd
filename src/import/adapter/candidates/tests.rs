//! Finds series from the names of metrics, and back.

use super::*;
use crate::adapter::config::Name;

fn rule(series: &str, matches: &str, as_: &str) -> Rule {
    Rule {
        series_query: series.to_owned(),
        name: Name {
            matches: matches.to_owned(),
            as_: as_.to_owned(),
        },
        ..Rule::default()
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn series_are_found_backwards_and_named_forwards() {
    let any = r#"{namespace!=""}"#;
    for (series, matches, as_, metric, found) in [
        (
            "jobs_total",
            "^(.*)_total$",
            "${1}_rate",
            "jobs_rate",
            Found::Only(names(&["jobs_total"])),
        ),
        (
            any,
            "^(.*)_total$",
            "${1}_rate",
            "jobs_rate",
            Found::Only(names(&["jobs_total"])),
        ),
        (
            any,
            "^(.*)_(total|count)$",
            "${1}_rate",
            "jobs_rate",
            Found::Only(names(&["jobs_total", "jobs_count"])),
        ),
        (
            any,
            "^jobs_total$",
            "jobs",
            "jobs",
            Found::Only(names(&["jobs_total"])),
        ),
        (
            any,
            "^(a|b)_(.*)$",
            "${2}_of_$1",
            "x_of_y_of_a",
            Found::Only(names(&["a_x_of_y"])),
        ),
        (any, "", "", "jobs", Found::Only(names(&["jobs"]))),
        (
            r#"{__name__=~"^jobs_(sum|count)"}"#,
            "",
            "mean",
            "mean",
            Found::Only(names(&["jobs_sum", "jobs_count"])),
        ),
        // The name may go on behind the end of the expression.
        (
            any,
            "^(.*)_total",
            "${1}_rate",
            "jobs_rate",
            Found::Among(names(&["jobs_total"])),
        ),
        (any, "", "fixed", "fixed", Found::Open),
        (any, "^jobs_.*_total$", "jobs", "jobs", Found::Open),
        (any, "^(.*)_total$", "${1}_rate", "other", Found::Only(names(&[]))),
        (
            r#"{__name__=~"^http_.*"}"#,
            "^(.*)_total$",
            "$1",
            "jobs",
            Found::Only(names(&[])),
        ),
    ] {
        assert_eq!(
            exposed_as(&rule(series, matches, as_), metric),
            Ok(found),
            "{series} {matches} {as_}"
        );
    }
}
