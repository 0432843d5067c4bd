//! The load that was planned, due and achieved.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{Query, once, rate, rate_where},
    },
    families::load_test::{
        CONCURRENCY, LATENCY, PLANNED_RATE, PLANNED_USERS, REQUESTS_DUE, REQUESTS_RETRIED, WEBSOCKETS,
    },
};

pub(super) fn row() -> Row {
    Row {
        title: "Load",
        panels: vec![rates(), users(), steps(), lines()],
    }
}

fn rates() -> Panel {
    Panel::lines(
        "Due and answered",
        Unit::RequestsPerSecond,
        "Requests that became due and that were answered. Where they part, the service or the generator does not keep up. The broken line is the plan in journeys, each of which has a request for each step.",
    )
    .query(rate("scenario", REQUESTS_DUE), "{{scenario}} due")
    .query(rate_where("scenario", LATENCY, "outcome=\"answered\""), "{{scenario}} answered")
    .with(Query::dashed(once("scenario", PLANNED_RATE), "{{scenario}} planned journeys"))
}

fn users() -> Panel {
    Panel::lines(
        "Users, or requests under way",
        Unit::Count,
        "Users of a closed model beside their plan; requests under way of an open one, which grow without end where the service cannot keep up.",
    )
    .query(once("scenario", CONCURRENCY), "{{scenario}}")
    .with(Query::dashed(once("scenario", PLANNED_USERS), "{{scenario}} planned"))
}

fn steps() -> Panel {
    Panel::stacked(
        "Requests by step",
        Unit::RequestsPerSecond,
        "Requests that ended, answered or not, by the step of the scenario.",
    )
    .query(rate("scenario, step", LATENCY), "{{scenario}} {{step}}")
}

fn lines() -> Panel {
    Panel::lines(
        "WebSockets, and requests sent twice",
        Unit::Count,
        "WebSocket connections held; at the right, requests that were sent a second time because their connection ended.",
    )
    .query(once("scenario", WEBSOCKETS), "{{scenario}} WebSockets")
    .with(Query::at_right(
        Unit::RequestsPerSecond,
        rate("scenario", REQUESTS_RETRIED),
        "{{scenario}} sent twice",
    ))
}
