//! What VoiceAssist asks of PostgreSQL.

use crate::monitoring::dashboards::{
    Row,
    others::voiceassist::{
        ENDPOINT_DATABASE_TIME, ENDPOINT_QUERIES, N_PLUS_ONE, POOL_IN_USE, POOL_OVERFLOW, POOL_SIZE,
        POOL_WAIT, QUERY_DURATION, REQUESTS, SLOW_QUERIES,
    },
    panel::{Panel, Unit},
    query::{Query, WINDOW, chosen, quantile, rate, sum},
};

pub(super) fn row() -> Row {
    Row {
        title: "VoiceAssist: database",
        panels: vec![
            statements(),
            slow(),
            pool(),
            waits(),
            queries_of_requests(),
            time_of_requests(),
            repeated(),
            pool_by_pod(),
        ],
    }
}

fn statements() -> Panel {
    Panel::lines(
        "p95 by statement",
        Unit::Seconds,
        "Time of queries by the name that they have in the source, without the wait for a connection.",
    )
    .query(
        quantile("0.95", "namespace, query", QUERY_DURATION, WINDOW),
        "{{namespace}} {{query}}",
    )
    .orange(0.1)
    .red(0.5)
}

fn slow() -> Panel {
    Panel::stacked(
        "Slow queries",
        Unit::EventsPerSecond,
        "Queries of more than 100 ms, by statement. docs/tuning.md says how to find the reason.",
    )
    .query(rate("namespace, query", SLOW_QUERIES), "{{namespace}} {{query}}")
}

fn pool() -> Panel {
    Panel::lines(
        "Connections",
        Unit::Count,
        "Connections in use and kept, of all chosen pods, and those beyond. The number of pods times their pools has to fit into max_connections of PostgreSQL.",
    )
    .query(sum("namespace", &chosen(POOL_IN_USE)), "{{namespace}} in use")
    .query(sum("namespace", &chosen(POOL_OVERFLOW)), "{{namespace}} beyond those kept")
    .with(Query::dashed(sum("namespace", &chosen(POOL_SIZE)), "{{namespace}} kept"))
}

fn waits() -> Panel {
    Panel::lines(
        "Wait for a connection",
        Unit::Seconds,
        "How long queries waited until a connection was free. More than milliseconds: the pool is too small, or queries hold it too long.",
    )
    .query(quantile("0.5", "namespace", POOL_WAIT, WINDOW), "{{namespace}} p50")
    .query(quantile("0.95", "namespace", POOL_WAIT, WINDOW), "{{namespace}} p95")
    .orange(0.1)
    .red(1.0)
}

fn queries_of_requests() -> Panel {
    Panel::lines(
        "Queries of one request",
        Unit::Count,
        "Queries that a request of each route sends on average. A number that grows with the data is N+1.",
    )
    .query(
        format!(
            "{} / ({} > 0)",
            rate("namespace, route", ENDPOINT_QUERIES),
            rate("namespace, route", REQUESTS)
        ),
        "{{namespace}} {{route}}",
    )
    .orange(10.0)
}

fn time_of_requests() -> Panel {
    Panel::lines(
        "p95 of PostgreSQL in one request",
        Unit::Seconds,
        "How much of a request's time is PostgreSQL's, by route.",
    )
    .query(
        quantile("0.95", "namespace, route", ENDPOINT_DATABASE_TIME, WINDOW),
        "{{namespace}} {{route}}",
    )
    .orange(0.1)
    .red(0.5)
}

fn repeated() -> Panel {
    Panel::stacked(
        "Requests that repeat a statement",
        Unit::EventsPerSecond,
        "Requests with more than 10 queries of one statement: read those rows with one query.",
    )
    .query(rate("namespace, query", N_PLUS_ONE), "{{namespace}} {{query}}")
}

fn pool_by_pod() -> Panel {
    Panel::lines("Use of each pod's pool", Unit::Share, "Connections in use as a part of those that the pod keeps. At 100 % the next query waits or opens one beyond.")
        .query(
            format!(
                "sum by (namespace, pod) ({}) / (sum by (namespace, pod) ({}) > 0)",
                chosen(POOL_IN_USE),
                chosen(POOL_SIZE)
            ),
            "{{namespace}}/{{pod}}",
        )
        .orange(0.7)
        .red(0.9)
}
