//! Answers: latency, and failures by cause.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{Query, WINDOW, once, quantile_where, rate_where, share},
    },
    families::load_test::{LAST_SECOND_LATENCY, LATENCY, REQUESTS},
};

const ANSWERED: &str = "outcome=\"answered\"";
const FAILED: &str = "outcome=\"failed\"";

pub(super) fn row() -> Row {
    Row {
        title: "Answers",
        panels: vec![
            latency(),
            by_step(),
            last_second(),
            failed_latency(),
            causes(),
            failed(),
        ],
    }
}

fn of(quantile: &str, labels: &str, outcome: &str) -> String {
    quantile_where(quantile, labels, LATENCY, WINDOW, outcome)
}

fn latency() -> Panel {
    Panel::lines(
        "Latency",
        Unit::Seconds,
        "From the moment a request was due to the last byte of its answer, so waiting for a late generator or a full connection counts.",
    )
    .query(of("0.5", "scenario", ANSWERED), "{{scenario}} p50")
    .query(of("0.95", "scenario", ANSWERED), "{{scenario}} p95")
    .query(of("0.99", "scenario", ANSWERED), "{{scenario}} p99")
    .orange(0.5)
    .red(1.0)
}

fn by_step() -> Panel {
    Panel::lines(
        "p95 by step",
        Unit::Seconds,
        "The 95th percentile of answers by the step of the scenario.",
    )
    .query(of("0.95", "scenario, step", ANSWERED), "{{scenario}} {{step}}")
    .orange(0.5)
    .red(1.0)
}

fn last_second() -> Panel {
    Panel::lines(
        "Latency of the last second",
        Unit::Seconds,
        "Exact quantiles of the second before each scrape. They show what histograms smooth, but not the seconds between two scrapes.",
    )
    .query(once("scenario, quantile", LAST_SECOND_LATENCY), "{{scenario}} {{quantile}}")
}

fn failed_latency() -> Panel {
    Panel::lines(
        "Time until failures",
        Unit::Seconds,
        "How long failed requests took: near 0 the service refuses, at the timeout of the scenario it hangs.",
    )
    .query(of("0.5", "scenario", FAILED), "{{scenario}} p50")
    .query(of("0.95", "scenario", FAILED), "{{scenario}} p95")
}

fn causes() -> Panel {
    Panel::lines(
        "Failures by cause",
        Unit::RequestsPerSecond,
        "What failed requests failed of, in the words of the report. The broken line is all failures: a cause begins with its second scrape, so its first burst is in that line alone.",
    )
    .with(Query::dashed(
        rate_where("scenario", LATENCY, FAILED),
        "{{scenario}} all",
    ))
    .query(
        rate_where("scenario, cause", REQUESTS, FAILED),
        "{{scenario}} {{cause}}",
    )
}

fn failed() -> Panel {
    Panel::lines(
        "Part of requests that fail",
        Unit::Share,
        "By step. No line is shown while no request ends.",
    )
    .query(share("scenario, step", LATENCY, FAILED), "{{scenario}} {{step}}")
    .orange(0.01)
    .red(0.05)
}
