//! How old the values from Prometheus are, and which are missing.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Color, Panel, Unit, Word},
        query::{METRIC, Query, once, rate_where},
    },
    families::metrics_server::{METRIC_AGE, METRIC_MAX_AGE, METRIC_MISSING, POLLS},
};

const OF_METRIC: &str = "{{namespace}}/{{scaling}}/{{workload}} {{metric}}";

pub(super) fn row() -> Row {
    Row {
        title: "Values from Prometheus",
        panels: vec![age(), ages(), missing(), failures()],
    }
}

fn age() -> Panel {
    Panel::lines(
        "Age as a part of maxAge",
        Unit::Share,
        "Beyond 100 % a metric counts as missing, and its HPA holds. The oldest of all replicas of the metrics server is shown.",
    )
    .query(
        format!("{} / {}", once(METRIC, METRIC_AGE), once(METRIC, METRIC_MAX_AGE)),
        OF_METRIC,
    )
    .orange(0.7)
    .red(1.0)
}

fn ages() -> Panel {
    Panel::lines(
        "Age and maxAge",
        Unit::Seconds,
        "Age of the newest sample of each metric, and the age beyond which it counts as missing.",
    )
    .query(once(METRIC, METRIC_AGE), OF_METRIC)
    .with(Query::dashed(
        once(METRIC, METRIC_MAX_AGE),
        "{{namespace}}/{{scaling}}/{{workload}} {{metric}} maxAge",
    ))
}

fn missing() -> Panel {
    let words = [Word {
        value: 1,
        text: "missing",
        color: Color::Red,
    }];
    Panel::states(
        "Metrics without a value over time",
        &words,
        "A bar for each metric and reason, while the metrics server has no value to give. No bar is good.",
    )
    .query(
        once(&format!("{METRIC}, reason"), METRIC_MISSING),
        "{{namespace}}/{{scaling}}/{{workload}} {{metric}}: {{reason}}",
    )
}

fn failures() -> Panel {
    Panel::stacked(
        "Polls of Prometheus that fail",
        Unit::EventsPerSecond,
        "By server and reason. One failure is nothing; half of all polls makes values too old.",
    )
    .query(
        rate_where("server, reason", POLLS, "outcome=\"failure\""),
        "{{server}}: {{reason}}",
    )
}
