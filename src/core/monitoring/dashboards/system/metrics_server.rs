//! The metrics server itself.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{Query, WINDOW, quantile, rate},
    },
    families::metrics_server::{
        API_REQUESTS, API_SERVICE, CERTIFICATE_EXPIRY, CERTIFICATE_RELOAD_FAILURES, CONFIG_HASH,
        CONFIG_RELOAD_SUCCESSFUL, CONFIG_RELOADED, FALLBACK_REQUESTS, LATEST_ANSWER, POLL_DURATION, POLLS,
        READS, REQUEST_DURATION, REQUESTS, SHAPES, SHAPES_REFUSED, WATCH_RESTARTS,
    },
};

pub(super) fn row() -> Row {
    Row {
        title: "vas metrics-server",
        panels: [
            numbers().to_vec(),
            configuration().to_vec(),
            vec![
                reads(),
                latency(),
                polls(),
                poll_time(),
                requests(),
                fallback(),
                api_requests(),
                restarts(),
                api_services(),
            ],
        ]
        .concat(),
    }
}

fn numbers() -> [Panel; 4] {
    [
        Panel::number("Replicas", Unit::Count, "Metrics servers that are scraped. With none HPAs probably have no value from Prometheus.")
            .query(format!("count({})", SHAPES.series()), "replicas")
            .red_below("none scraped")
            .green(1.0)
            .wide(6),
        Panel::number("Polled queries", Unit::Count, "Distinct queries that each replica polls, by the replica with the most.")
            .query(format!("max({})", SHAPES.series()), "queries")
            .wide(6),
        Panel::number("Refused queries", Unit::Count, "Queries that are not polled because their namespace has reached a limit. Their metrics are missing.")
            .query(format!("max({})", SHAPES_REFUSED.series()), "queries")
            .orange(1.0)
            .wide(6),
        Panel::number("Since Prometheus answered", Unit::Seconds, "Since any server last gave a clean answer, of the replica that has waited the longest. Never: the replicas that have had none since they started.")
            .query(format!("time() - min({} > 0)", LATEST_ANSWER.series()), "ago")
            .with(Query::alarm(format!("count({} == 0)", LATEST_ANSWER.series()), "never"))
            .orange(30.0)
            .red(60.0)
            .wide(6),
    ]
}

fn configuration() -> [Panel; 5] {
    let hash = CONFIG_HASH.series();
    [
        Panel::number("Rejected configurations", Unit::Count, "Replicas whose file of Prometheus servers is wrong, so that what stood in it before is in use.")
            .query(format!("sum({} == bool 0)", CONFIG_RELOAD_SUCCESSFUL.series()), "replicas")
            .red(1.0)
            .wide(5),
        Panel::number("Different configurations", Unit::Count, "Distinct configurations in use. More than one for longer than a rollout: a replica does not see the change.")
            .query(format!("count(count_values(\"hash\", {hash}))"), "configurations")
            .orange(2.0)
            .wide(5),
        Panel::number("Since the configuration changed", Unit::LongSeconds, "Since a configuration was last taken into use.")
            .query(format!("time() - max({} > 0)", CONFIG_RELOADED.series()), "ago")
            .wide(5),
        Panel::number("Certificate is valid for", Unit::LongSeconds, "Of the replica whose serving certificate ends first; below 0 it has ended. Without a valid one no HPA can read a metric from vas.")
            .query(format!("min({}) - time()", CERTIFICATE_EXPIRY.series()), "valid for")
            .red_below("no certificate")
            .orange(86_400.0)
            .green(604_800.0)
            .wide(5),
        Panel::number("Certificate files refused", Unit::Count, "Changed files that could not be used, in the time that is shown; the certificate before them is still served.")
            .query(
                format!("sum(increase({}[$__range]))", CERTIFICATE_RELOAD_FAILURES.series()),
                "files",
            )
            .red(1.0)
            .wide(4),
    ]
}

fn reads() -> Panel {
    Panel::stacked("Reads of metrics", Unit::RequestsPerSecond, "By API group and status code. An HPA reads each of its metrics every 15 s; 404 is a metric without a value.")
        .query(rate("group, code", READS), "{{group}} {{code}}")
}

fn latency() -> Panel {
    Panel::lines(
        "Time of a request",
        Unit::Seconds,
        "Answers come from memory, so milliseconds are long.",
    )
    .query(quantile("0.5", "", REQUEST_DURATION, WINDOW), "p50")
    .query(quantile("0.99", "", REQUEST_DURATION, WINDOW), "p99")
    .orange(0.1)
    .red(1.0)
}

fn polls() -> Panel {
    Panel::stacked(
        "Polls of Prometheus",
        Unit::EventsPerSecond,
        "By server and outcome. Every replica polls for itself.",
    )
    .query(rate("server, outcome", POLLS), "{{server}} {{outcome}}")
}

fn poll_time() -> Panel {
    Panel::lines(
        "Time of a poll",
        Unit::Seconds,
        "How long Prometheus takes for one query. Beyond the interval of polls values get old.",
    )
    .query(quantile("0.5", "", POLL_DURATION, WINDOW), "p50")
    .query(quantile("0.99", "", POLL_DURATION, WINDOW), "p99")
    .orange(1.0)
    .red(5.0)
}

fn requests() -> Panel {
    Panel::stacked(
        "All requests",
        Unit::RequestsPerSecond,
        "By status code, with discovery and health checks. 429 is a client beyond its part.",
    )
    .query(rate("code", REQUESTS), "{{code}}")
}

fn fallback() -> Panel {
    Panel::stacked("Reads handed on", Unit::RequestsPerSecond, "Reads that no resource describes and that an adapter answers, by API group and status code. None without --fallback-custom and --fallback-external.")
        .query(rate("group, code", FALLBACK_REQUESTS), "{{group}} {{code}}")
}

fn api_requests() -> Panel {
    Panel::stacked(
        "Requests to the API server",
        Unit::RequestsPerSecond,
        "By verb and status code; none where there was no answer.",
    )
    .query(rate("verb, code", API_REQUESTS), "{{verb}} {{code}}")
}

fn restarts() -> Panel {
    Panel::stacked(
        "Watches that failed",
        Unit::EventsPerSecond,
        "Lists and watches of the API server that failed and began again, by what is watched.",
    )
    .query(rate("watch", WATCH_RESTARTS), "{{watch}}")
}

fn api_services() -> Panel {
    Panel::table("APIServices", Unit::Count, "Whether each API of metrics leads to vas: ours, foreign, absent or unknown. `vas register` changes that.")
        .query(format!("max by (name, state) ({}) == 1", API_SERVICE.series()), "is so")
        .wide(24)
}
