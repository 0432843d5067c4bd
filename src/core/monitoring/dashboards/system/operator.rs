//! The operator itself.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{Query, WINDOW, quantile, rate, share},
    },
    families::operator::{
        API_REQUESTS, LEADER, METRICS_DETAIL, METRICS_SERIES, NEXT_BOUNDARY, OLDEST_RECONCILE_AGE,
        RECONCILE_DURATION, RECONCILES, RESYNC_PERIOD, WATCH_RESTARTS,
    },
};

pub(super) fn row() -> Row {
    Row {
        title: "vas operator",
        panels: [
            numbers().to_vec(),
            vec![
                reconciles(),
                failures(),
                durations(),
                oldest(),
                requests(),
                restarts(),
            ],
        ]
        .concat(),
    }
}

fn numbers() -> [Panel; 4] {
    let boundary = NEXT_BOUNDARY.series();
    [
        Panel::number("Leaders", Unit::Count, "Operators that say they lead. Exactly one is right; with none nothing that changes has an effect.")
            .query(format!("sum({})", LEADER.series()), "leaders")
            .red_below("none scraped")
            .green(1.0)
            .red(2.0)
            .wide(6),
        Panel::number("Until the next schedule", Unit::LongSeconds, "Until an entry of any schedule begins or ends; no number where there is none.")
            .query(format!("min({boundary} > 0) - time()"), "until then")
            .wide(6),
        Panel::number("Exported series", Unit::Count, "Series of resources, workloads and metrics in one scrape. Beyond --metrics-max-series the operator leaves details out.")
            .query(format!("max({})", METRICS_SERIES.series()), "series")
            .orange(300_000.0)
            .wide(6),
        Panel::number("Exported detail", Unit::Count, "In which detail resources are exported: full, workload or resource. Less than full leaves panels of metrics empty.")
            .query(format!("max by (detail) ({}) == 1", METRICS_DETAIL.series()), "{{detail}}")
            .by_name()
            .wide(6),
    ]
}

fn reconciles() -> Panel {
    Panel::stacked("Reconciles", Unit::EventsPerSecond, "By outcome; error, panic and timeout are failures. Each resource is reconciled when something changes, and after the resync period.")
        .query(rate("outcome", RECONCILES), "{{outcome}}")
}

fn failures() -> Panel {
    Panel::lines(
        "Part of reconciles that fail",
        Unit::Share,
        "Failures as a part of all reconciles. `vas doctor -A` says which resources they are of.",
    )
    .query(share("", RECONCILES, "outcome!=\"success\""), "failed")
    .orange(0.01)
    .red(0.1)
}

fn durations() -> Panel {
    Panel::lines(
        "Time of a reconcile",
        Unit::Seconds,
        "Milliseconds where nothing changes. It is given up after 30 s.",
    )
    .query(quantile("0.5", "", RECONCILE_DURATION, WINDOW), "p50")
    .query(quantile("0.99", "", RECONCILE_DURATION, WINDOW), "p99")
    .orange(5.0)
    .red(15.0)
}

fn oldest() -> Panel {
    Panel::lines("Oldest reconcile", Unit::Seconds, "For how long a resource has not been reconciled at most. Above the resync period the operator does not keep up.")
        .query(format!("max({})", OLDEST_RECONCILE_AGE.series()), "oldest")
        .with(Query::dashed(format!("max({})", RESYNC_PERIOD.series()), "resync period"))
}

fn requests() -> Panel {
    Panel::stacked("Requests to the API server", Unit::RequestsPerSecond, "By verb and status code; none where there was no answer. 403 is a right that the installation lacks, 429 an API server that is overloaded.")
        .query(rate("verb, code", API_REQUESTS), "{{verb}} {{code}}")
}

fn restarts() -> Panel {
    Panel::stacked("Watches that failed", Unit::EventsPerSecond, "Lists and watches that failed and began again, by what is watched. Some are usual when an API server restarts.")
        .query(rate("watch", WATCH_RESTARTS), "{{watch}}")
}
