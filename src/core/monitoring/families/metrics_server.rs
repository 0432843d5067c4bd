//! What `vas metrics-server` exports about itself.

super::families! {
    /// Every family of the metrics server about itself.
    ALL of MetricsServer at Process:
    POLLS = Counter "vas_metrics_server_polls" ["server", "outcome", "reason"]
        "Polls of Prometheus by server, as the configuration names it, outcome (success, failure) and the reason of a failure: timeout, unreachable, http-status, refused, warned, too-large, malformed or unsuitable";
    POLL_DURATION = Histogram "vas_metrics_server_poll_duration_seconds" in Seconds []
        "Time one poll of a query takes";
    SHAPES = Gauge "vas_metrics_server_shapes" []
        "Distinct queries that are polled";
    SHAPES_REFUSED = Gauge "vas_metrics_server_shapes_refused" []
        "Distinct queries of each namespace that are not polled because of a limit, in all";
    REQUESTS = Counter "vas_metrics_server_requests" ["code"]
        "Requests by HTTP status code";
    REQUEST_DURATION = Histogram "vas_metrics_server_request_duration_seconds" in Seconds []
        "Time one request takes";
    READS = Counter "vas_metrics_server_reads" ["group", "code"]
        "Reads of metrics by API group and HTTP status code of the answer";
    FALLBACK_REQUESTS = Counter "vas_metrics_server_fallback_requests" ["group", "code"]
        "Reads that no resource describes and that are handed on to an adapter, by API group and HTTP status code of the answer";
    API_REQUESTS = Counter "vas_metrics_server_api_requests" ["verb", "code"]
        "Requests to the API server by verb and HTTP status code of the answer; none where there was no answer, also where it was not waited for";
    WATCH_RESTARTS = Counter "vas_metrics_server_watch_restarts" ["watch"]
        "Lists and watches of the API server that failed and began again, by what is watched";
    API_SERVICE = Gauge "vas_metrics_server_apiservice" ["name", "state"]
        "1 for what an APIService of the metrics API is: ours, foreign, absent or unknown";
    CERTIFICATE_EXPIRY = Gauge "vas_metrics_server_certificate_expiry_timestamp_seconds" in Seconds []
        "Until when the serving certificate is valid; absent before there is one";
    CERTIFICATE_RELOAD_FAILURES = Counter "vas_metrics_server_certificate_reload_failures" []
        "Changed certificate files that could not be used; the certificate before them is still served";
    LATEST_ANSWER = Gauge "vas_metrics_server_latest_answer_timestamp_seconds" in Seconds []
        "When Prometheus last answered a poll cleanly; 0 before it did";
    CONFIG_RELOAD_SUCCESSFUL = Gauge "vas_metrics_server_config_last_reload_successful" []
        "1 where the configuration that stands in the file is in use, whole; else 0";
    CONFIG_RELOADED = Gauge "vas_metrics_server_config_last_reload_success_timestamp_seconds" in Seconds []
        "When a configuration was last taken into use, whole";
    CONFIG_HASH = Gauge "vas_metrics_server_config_hash" []
        "Equal for equal configuration files, so that replicas can be compared";
}

super::families! {
    /// Families with a series of each served metric.
    METRIC of MetricsServer at Metric:
    METRIC_AGE = Gauge "vas_metrics_server_metric_age_seconds" in Seconds ["namespace", "scaling", "workload", "metric"]
        "Age of the newest sample of a metric; absent where no sample is known, also of one whose value is missing";
    METRIC_MAX_AGE = Gauge "vas_metrics_server_metric_max_age_seconds" in Seconds ["namespace", "scaling", "workload", "metric"]
        "Age beyond which the samples of a metric count as missing (maxAge)";
    METRIC_MISSING = Gauge "vas_metrics_server_metric_missing" ["namespace", "scaling", "workload", "metric", "reason"]
        "1 while a metric has no value for the HPA, with the reason as a word; absent while it has one";
}

super::families! {
    /// Families with a series of each live pod.
    POD of MetricsServer at Pod:
    POD_INFO = Gauge "vas_pod_info" ["namespace", "pod", "scaling", "workload"]
        "1 for each live pod of a workload, as far as the name and labels of the pod show its Deployment or StatefulSet";
}
