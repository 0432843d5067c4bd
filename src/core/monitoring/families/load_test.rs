//! What `vas test` exports about its runs.

super::families! {
    /// Every family of a load test.
    ALL of LoadTest at Run:
    REQUESTS_DUE = Counter "vas_test_requests_due" ["scenario", "step"]
        "Requests that became due";
    REQUESTS_RETRIED = Counter "vas_test_requests_retried" ["scenario", "step"]
        "Requests that were sent twice, because the connection ended or the stream was refused";
    REQUESTS = Counter "vas_test_requests" ["scenario", "step", "outcome", "cause"]
        "Requests that ended, by outcome (answered, failed) and cause";
    LATENCY = Histogram "vas_test_latency_seconds" in Seconds ["scenario", "step", "outcome"]
        "From the moment a request was due to the last byte of its answer, or to its failure";
    SCHEDULE_ERROR = Histogram "vas_test_schedule_error_seconds" in Seconds ["scenario"]
        "How much later than due requests were sent";
    PLANNED_RATE = Gauge "vas_test_planned_rate" ["scenario"]
        "Planned journeys per second in the last second; absent where users are planned";
    PLANNED_USERS = Gauge "vas_test_planned_users" ["scenario"]
        "Planned users in the last second; absent where a rate is planned";
    CONCURRENCY = Gauge "vas_test_concurrency" ["scenario"]
        "Users (closed model), or requests under way (open model)";
    WEBSOCKETS = Gauge "vas_test_websockets" ["scenario"]
        "WebSocket connections held";
    ELAPSED = Gauge "vas_test_elapsed_seconds" in Seconds ["scenario"]
        "Time since the run began";
    GENERATOR_CPU = Gauge "vas_test_generator_cpu_ratio" in Ratio ["scenario"]
        "Share of its processors that the load generator used in the last second";
    LAST_SECOND_LATENCY = Gauge "vas_test_last_second_latency_seconds" in Seconds ["scenario", "quantile"]
        "Exact quantiles of the latencies of the last second; absent in a second without an answer";
}
