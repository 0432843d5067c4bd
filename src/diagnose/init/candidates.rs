//! Which series may count requests or measure a queue, by their names and labels.
//!
//! Must not: ask Prometheus. The order is the same for the same names, so two runs propose the same.

use std::{cmp::Reverse, collections::BTreeSet};

/// What a series may be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// A counter of requests that the pods answered.
    Requests,
    /// A gauge of waiting jobs.
    QueueDepth,
    /// A gauge of the age of the oldest waiting job, in seconds.
    QueueAge,
}

/// Labels that counters of answered requests have.
pub(super) const REQUEST_LABELS: [&str; 10] = [
    "code",
    "status",
    "status_code",
    "http_status_code",
    "http_response_status_code",
    "grpc_code",
    "method",
    "http_request_method",
    "handler",
    "route",
];

/// Beginnings of names that are about the process, the client side, or the scrape itself.
const NOT_OF_THE_SERVICE: [&str; 12] = [
    "go_",
    "process_",
    "promhttp_",
    "prometheus_",
    "scrape_",
    "net_conntrack_",
    "container_",
    "kube_",
    "jvm_",
    "python_",
    "nodejs_",
    "rest_client_",
];

/// Words in names of counters that count only some requests, or those which the service sends.
const NOT_ALL_REQUESTS: [&str; 9] = [
    "client", "error", "fail", "reject", "retr", "timeout", "bytes", "upstream", "panic",
];

/// What a series of this name may be good for, with a rank: higher is likelier. `None` for nothing.
pub(super) fn judge(name: &str) -> Option<(Purpose, u32)> {
    if NOT_OF_THE_SERVICE.iter().any(|start| name.starts_with(start)) {
        return None;
    }
    counter(name)
        .map(|rank| (Purpose::Requests, rank))
        .or_else(|| gauge(name))
}

fn counter(name: &str) -> Option<u32> {
    let stem = name
        .strip_suffix("_total")
        .or_else(|| name.strip_suffix("_count"))?;
    if NOT_ALL_REQUESTS.iter().any(|word| stem.contains(word)) {
        return None;
    }
    let rank = match stem {
        _ if stem.ends_with("http_requests") => 5,
        _ if stem.ends_with("http_server_requests")
            || stem.ends_with("http_server_request_duration_seconds") =>
        {
            5
        }
        _ if stem.ends_with("grpc_server_handled") => 4,
        _ if stem.ends_with("requests") => 3,
        _ if stem.contains("request") => 2,
        _ if stem.ends_with("_handled") || stem.ends_with("_calls") => 1,
        _ => return None,
    };
    // A counter of its own is plainer than that of a histogram.
    Some(rank * 2 + u32::from(name.ends_with("_total")))
}

fn gauge(name: &str) -> Option<(Purpose, u32)> {
    let is_counter = ["_total", "_count", "_sum", "_bucket", "_created", "_info"];
    let queue = [
        "queue",
        "backlog",
        "jobs_waiting",
        "jobs_pending",
        "waiting_jobs",
        "pending_jobs",
    ];
    if is_counter.iter().any(|end| name.ends_with(end)) || !queue.iter().any(|word| name.contains(word)) {
        return None;
    }
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["capacity", "max", "limit", "worker", "thread"]) {
        None
    } else if has(&["age", "oldest", "latency", "wait_seconds"]) && !has(&["message"]) {
        Some((Purpose::QueueAge, 1 + u32::from(name.contains("oldest"))))
    } else if has(&["seconds", "bytes"]) {
        None
    } else {
        let known = has(&[
            "depth", "length", "size", "waiting", "pending", "backlog", "ready",
        ]);
        Some((Purpose::QueueDepth, 1 + u32::from(known)))
    }
}

/// The names for a purpose, the likeliest first.
pub(super) fn ranked<'a>(names: impl IntoIterator<Item = &'a str>, purpose: Purpose) -> Vec<&'a str> {
    let mut judged: Vec<(Reverse<u32>, &str)> = names
        .into_iter()
        .filter_map(|name| match judge(name) {
            Some((found, rank)) if found == purpose => Some((Reverse(rank), name)),
            _ => None,
        })
        .collect();
    judged.sort_unstable();
    judged.into_iter().map(|(_, name)| name).collect()
}

/// The labels of a series by which counters of answered requests are known.
pub(super) fn telling(labels: &BTreeSet<String>) -> Vec<&str> {
    let known = labels.iter().map(String::as_str);
    known.filter(|label| REQUEST_LABELS.contains(label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_of_all_answered_requests_is_first_and_those_of_some_are_none() {
        let names = [
            "go_gc_duration_seconds_count",
            "http_client_requests_total",
            "http_request_duration_seconds_count",
            "http_requests_failed_total",
            "http_requests_in_flight",
            "promhttp_metric_handler_requests_total",
            "shop_cart_requests_total",
            "voiceassist_http_requests_total",
        ];
        assert_eq!(
            ranked(names, Purpose::Requests),
            [
                "voiceassist_http_requests_total",
                "shop_cart_requests_total",
                "http_request_duration_seconds_count",
            ]
        );
    }

    #[test]
    fn depth_and_age_of_queues_are_told_apart_from_their_sizes_and_counters() {
        let names = [
            "queue_jobs_done_total",
            "queue_max_size",
            "queue_messages",
            "queue_wait_seconds_bucket",
            "voiceassist_queue_depth",
            "voiceassist_queue_oldest_job_age_seconds",
        ];
        assert_eq!(
            ranked(names, Purpose::QueueDepth),
            ["voiceassist_queue_depth", "queue_messages"]
        );
        assert_eq!(
            ranked(names, Purpose::QueueAge),
            ["voiceassist_queue_oldest_job_age_seconds"]
        );
    }
}
