//! Which runs there were, and what came out.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Color, Panel, Unit, Word},
        query::{RANGE, chosen, growth_where, once, quantile_where},
    },
    families::Family,
    families::load_test::{CONCURRENCY, ELAPSED, LATENCY, REQUESTS_RETRIED, WEBSOCKETS},
};

pub(super) fn row() -> Row {
    Row {
        title: "Runs",
        panels: [numbers().to_vec(), vec![timeline(), comparison()]].concat(),
    }
}

fn numbers() -> [Panel; 6] {
    let requests = growth_where("", LATENCY, "");
    let failed = growth_where("", LATENCY, "outcome=\"failed\"");
    let answered = "outcome=\"answered\"";
    [
        Panel::number("Under way for", Unit::LongSeconds, "Time since the run began; no number while none is under way.")
            .query(once("scenario", ELAPSED), "{{scenario}}"),
        Panel::number("Users or requests", Unit::Count, "Users of a closed model, or requests under way of an open one.")
            .query(once("scenario", CONCURRENCY), "{{scenario}}"),
        Panel::number("Requests", Unit::Count, "Requests that ended in the time that is shown, of all runs.")
            .query(requests.clone(), "requests"),
        Panel::number("Failed", Unit::Share, "Part of the requests that failed in the time that is shown.")
            .query(format!("{failed} / ({requests} > 0)"), "failed")
            .orange(0.01)
            .red(0.05),
        Panel::number("p95", Unit::Seconds, "95 of 100 answers in the time that is shown came within this time, from the moment a request was due.")
            .query(quantile_where("0.95", "", LATENCY, RANGE, answered), "p95")
            .orange(0.5)
            .red(1.0),
        Panel::number("Sent twice", Unit::Count, "Requests that were sent twice, because the connection ended before an answer.")
            .query(growth_where("", REQUESTS_RETRIED, ""), "requests")
            .orange(1.0),
    ]
}

fn timeline() -> Panel {
    let words = [Word {
        value: 1,
        text: "under way",
        color: Color::Blue,
    }];
    Panel::states(
        "Runs over time",
        &words,
        "A bar for each scenario while it runs. A run whose metrics nobody scraped is not here.",
    )
    .query(format!("{} >= bool 0", once("scenario", ELAPSED)), "{{scenario}}")
}

fn comparison() -> Panel {
    let each = "scenario";
    Panel::table(
        "Comparison of scenarios",
        Unit::Count,
        "What each scenario did in the time that is shown. To compare two runs of one scenario choose the time of each.",
    )
    .query(growth_where(each, LATENCY, ""), "Requests")
    .query(growth_where(each, LATENCY, "outcome=\"failed\""), "Failed")
    .query(quantile_where("0.5", each, LATENCY, RANGE, "outcome=\"answered\""), "p50 in seconds")
    .query(quantile_where("0.95", each, LATENCY, RANGE, "outcome=\"answered\""), "p95 in seconds")
    .query(quantile_where("0.99", each, LATENCY, RANGE, "outcome=\"answered\""), "p99 in seconds")
    .query(over_time(CONCURRENCY), "Most users or requests at once")
    .query(over_time(WEBSOCKETS), "Most WebSockets")
}

/// The highest value in the time that is shown.
fn over_time(gauge: Family) -> String {
    format!("max by (scenario) (max_over_time({}[{RANGE}]))", chosen(gauge))
}
