//! What `vas operator` exports about itself.

super::families! {
    /// Every family of the operator about itself.
    ALL of Operator at Process:
    RECONCILES = Counter "vas_operator_reconcile" ["outcome"]
        "Reconciles by outcome; error, panic and timeout are failures";
    RECONCILE_DURATION = Histogram "vas_operator_reconcile_duration_seconds" in Seconds []
        "How long a reconcile took";
    APPLIES = Counter "vas_operator_apply" ["kind", "result"]
        "Writes of children by kind and result";
    EVENTS = Counter "vas_operator_events" ["result"]
        "Kubernetes Events published, by result";
    LEADER = Gauge "vas_operator_leader" []
        "1 while this replica leads, else 0";
    STATUS_WRITES = Counter "vas_operator_status_writes" ["result"]
        "Writes of the status of resources, by result";
    OVERWRITES = Counter "vas_operator_overwrites" ["kind"]
        "Writes of children that took back fields of other managers, by kind";
    API_REQUESTS = Counter "vas_operator_api_requests" ["verb", "code"]
        "Requests to the API server by verb and HTTP status code of the answer; none where there was no answer, also where it was not waited for";
    WATCH_RESTARTS = Counter "vas_operator_watch_restarts" ["watch"]
        "Lists and watches of the API server that failed and began again, by what is watched";
    RESYNC_PERIOD = Gauge "vas_operator_resync_period_seconds" in Seconds []
        "Time after which an unchanged resource is reconciled again, of this replica";
    NEXT_BOUNDARY = Gauge "vas_operator_schedule_next_boundary_timestamp_seconds" in Seconds []
        "When an entry of a schedule begins or ends next, of all resources, in seconds since 1970; 0 without one";
}

super::families! {
    /// What the leader alone exports beside resources and workloads.
    OF_LEADER of Operator at Process:
    OLDEST_RECONCILE_AGE = Gauge "vas_operator_oldest_reconcile_age_seconds" in Seconds []
        "Longest time for which a resource was not reconciled, with or without success; absent without resources. One that is being deleted or does not parse is not reconciled again until it changes, and does not count";
    METRICS_DETAIL = Gauge "vas_operator_metrics_detail" ["detail"]
        "1 for the detail in which resources are exported, else 0; it is less than --metrics-detail where --metrics-max-series needs that";
    METRICS_SERIES = Gauge "vas_operator_metrics_series" []
        "Series of resources, workloads and metrics in this scrape";
}
