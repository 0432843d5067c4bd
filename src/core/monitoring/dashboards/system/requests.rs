//! VoiceAssist's requests and their latency.

use crate::monitoring::dashboards::{
    Row,
    others::voiceassist::{REQUEST_DURATION, REQUESTS, VOICE_FRAMES, WEBSOCKET_MESSAGES, WEBSOCKETS},
    panel::{Panel, Unit},
    query::{Query, WINDOW, chosen, quantile, rate, share, sum},
};

const ERRORS: &str = "code=~\"5..\"";

pub(super) fn row() -> Row {
    Row {
        title: "VoiceAssist: requests",
        panels: vec![latency(), rates(), by_route(), slow_routes(), errors(), lines()],
    }
}

fn latency() -> Panel {
    Panel::lines(
        "Latency",
        Unit::Seconds,
        "From the head of a request to the head of its answer, of all chosen pods together.",
    )
    .query(
        quantile("0.5", "namespace", REQUEST_DURATION, WINDOW),
        "{{namespace}} p50",
    )
    .query(
        quantile("0.95", "namespace", REQUEST_DURATION, WINDOW),
        "{{namespace}} p95",
    )
    .query(
        quantile("0.99", "namespace", REQUEST_DURATION, WINDOW),
        "{{namespace}} p99",
    )
    .orange(0.5)
    .red(1.0)
}

fn rates() -> Panel {
    Panel::stacked(
        "Requests by status",
        Unit::RequestsPerSecond,
        "Answered requests by HTTP status code. 503 is what a gateway says that has no free connection to PostgreSQL.",
    )
    .query(rate("namespace, code", REQUESTS), "{{namespace}} {{code}}")
}

fn by_route() -> Panel {
    Panel::stacked(
        "Requests by route",
        Unit::RequestsPerSecond,
        "Which routes the load is made of. Paths that nobody serves are one route: none.",
    )
    .query(rate("namespace, route", REQUESTS), "{{namespace}} {{route}}")
}

fn slow_routes() -> Panel {
    Panel::lines(
        "p95 by route",
        Unit::Seconds,
        "Which routes are slow: begin with the highest line that many requests take.",
    )
    .query(
        quantile("0.95", "namespace, route", REQUEST_DURATION, WINDOW),
        "{{namespace}} {{route}}",
    )
    .orange(0.5)
    .red(1.0)
}

fn errors() -> Panel {
    Panel::lines(
        "Part of requests that end in an error",
        Unit::Share,
        "Answers of 500 and above, as a part of all answers. No line is shown while there is no request. A code is counted from its second scrape on, so a first burst that is shorter than two scrapes is not here; docs/dashboards.md says more.",
    )
    .query(share("namespace", REQUESTS, ERRORS), "{{namespace}}")
    .orange(0.01)
    .red(0.05)
}

fn lines() -> Panel {
    Panel::lines(
        "WebSockets",
        Unit::Count,
        "Open lines; at the right the texts that came and the frames of voice that were sent. Lines stay on their pod when replicas are added.",
    )
    .query(sum("namespace", &chosen(WEBSOCKETS)), "{{namespace}} open")
    .with(Query::at_right(
        Unit::EventsPerSecond,
        rate("namespace", WEBSOCKET_MESSAGES),
        "{{namespace}} texts",
    ))
    .with(Query::at_right(
        Unit::EventsPerSecond,
        rate("namespace", VOICE_FRAMES),
        "{{namespace}} frames of voice",
    ))
}
