//! What VoiceAssist (`examples/voiceassist`) exports of its requests, database, cache, queue and lines.
//!
//! `voiceassist_response_time_*` and `voiceassist_cache_hit_rate_percent` are left out: quantiles and ratios of processes
//! cannot be added up, and the histograms and counters say the same.

crate::monitoring::families::families! {
    /// The families that boards read.
    ALL of Other at Pod:
    REQUESTS = Counter "voiceassist_http_requests" ["namespace", "pod", "method", "route", "code"]
        "Answered requests by method, route and status";
    REQUEST_DURATION = Histogram "voiceassist_http_request_duration_seconds" in Seconds ["namespace", "pod", "route"]
        "Time from the head of a request to the head of its answer, by route";
    ENDPOINT_QUERIES = Counter "voiceassist_endpoint_query_count" ["namespace", "pod", "route"]
        "Queries that requests of a route sent";
    ENDPOINT_DATABASE_TIME = Histogram "voiceassist_endpoint_database_time_seconds" in Seconds ["namespace", "pod", "route"]
        "Time of PostgreSQL in one request, by route";
    QUEUE_DEPTH = Gauge "voiceassist_queue_depth" ["namespace", "pod", "queue"]
        "Jobs that wait, of the whole queue";
    QUEUE_AGE = Gauge "voiceassist_queue_oldest_job_age_seconds" in Seconds ["namespace", "pod", "queue"]
        "Time for which the first of them has waited";
    JOBS = Counter "voiceassist_jobs" ["namespace", "pod", "kind", "result"]
        "Attempts at jobs by kind and result: done, failed, lost, handed_back";
    JOB_DURATION = Histogram "voiceassist_job_duration_seconds" in Seconds ["namespace", "pod", "kind"]
        "Time of attempts by kind of job";
    QUERY_DURATION = Histogram "voiceassist_db_query_duration_seconds" in Seconds ["namespace", "pod", "query"]
        "Time of queries by statement, without the wait for a connection";
    SLOW_QUERIES = Counter "voiceassist_db_slow_queries" ["namespace", "pod", "query"]
        "Queries of more than 100 ms by statement";
    N_PLUS_ONE = Counter "voiceassist_db_n_plus_one_warnings" ["namespace", "pod", "query"]
        "Requests with more than 10 queries of one statement";
    POOL_SIZE = Gauge "voiceassist_db_pool_size" ["namespace", "pod"]
        "Connections that are kept";
    POOL_IN_USE = Gauge "voiceassist_db_pool_in_use" ["namespace", "pod"]
        "Connections in use";
    POOL_OVERFLOW = Gauge "voiceassist_db_pool_overflow" ["namespace", "pod"]
        "Connections beyond those that are kept";
    POOL_WAIT = Histogram "voiceassist_db_pool_wait_seconds" in Seconds ["namespace", "pod"]
        "Time that queries waited for a connection";
    CACHE_REQUESTS = Counter "voiceassist_cache_requests" ["namespace", "pod", "cache", "tier", "result"]
        "Lookups by cache, tier and result: hit, stale, miss, unreachable";
    CACHE_DURATION = Histogram "voiceassist_cache_operation_duration_seconds" in Seconds ["namespace", "pod", "tier", "operation"]
        "Time of operations by tier";
    CACHE_ENTRIES = Gauge "voiceassist_cache_size_entries" ["namespace", "pod", "tier"]
        "Values in L1";
    CACHE_BYTES = Gauge "voiceassist_cache_size_bytes" in Bytes ["namespace", "pod", "tier"]
        "Bytes of L1, with what lies beside keys and values";
    CACHE_EVICTIONS = Counter "voiceassist_cache_evictions" ["namespace", "pod"]
        "Values that L1 gave up because it was full";
    WEBSOCKETS = Gauge "voiceassist_websocket_connections" ["namespace", "pod"]
        "Open WebSockets";
    WEBSOCKET_MESSAGES = Counter "voiceassist_websocket_messages" ["namespace", "pod"]
        "Texts that came over WebSockets";
    VOICE_FRAMES = Counter "voiceassist_voice_frames" ["namespace", "pod"]
        "Frames of voice that were sent";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_those_that_its_page_lists() {
        let page = include_str!("../../../../../examples/voiceassist/README.md");
        for family in ALL {
            let name = format!("`{}`", family.series());
            let row = page.lines().find(|line| line.contains(&name));
            let row = row.unwrap_or_else(|| panic!("the page does not list {name}"));
            let listed: Vec<&str> = row.split(['|', ',', ';']).map(str::trim).collect();
            // Prometheus adds the other two.
            let own = family
                .labels
                .iter()
                .filter(|label| !["namespace", "pod"].contains(*label));
            for label in own {
                assert!(listed.contains(label), "{name} has no label {label}: {row}");
            }
        }
    }
}
