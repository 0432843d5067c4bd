//! Reads from the APIService whether the metrics server is registered and answers.

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;

use super::observed::MetricsServer;
use crate::metrics::registration::available;
use vas_api::METRICS_SERVER_SERVICE;

/// Name of the APIService that is read.
pub const NAME: &str = "v1beta2.custom.metrics.k8s.io";

/// The state for an operator that has no right to read the APIService.
pub fn forbidden() -> MetricsServer {
    MetricsServer::Unavailable(format!(
        "the operator may not read APIService {NAME}: it needs get, list and watch on it"
    ))
}

/// The state that an APIService shows; `None` if it does not exist.
pub fn judge(service: Option<&APIService>) -> MetricsServer {
    let Some(service) = service else {
        return MetricsServer::Unavailable(format!(
            "APIService {NAME} does not exist: install vas metrics-server"
        ));
    };
    let backend = service.spec.as_ref().and_then(|spec| spec.service.as_ref());
    let name = backend
        .and_then(|backend| backend.name.as_deref())
        .unwrap_or_default();
    if name != METRICS_SERVER_SERVICE {
        let namespace = backend
            .and_then(|backend| backend.namespace.as_deref())
            .unwrap_or_default();
        return MetricsServer::Unavailable(format!(
            "APIService {NAME} belongs to Service {namespace}/{name}, not to vas metrics-server"
        ));
    }
    match available(service) {
        Some(condition) if condition.status == "True" => MetricsServer::Available,
        Some(condition) => MetricsServer::Unavailable(format!(
            "APIService {NAME} is not available: {}",
            condition.reason.as_deref().unwrap_or("no reason given")
        )),
        None => MetricsServer::Unavailable(format!("APIService {NAME} was not checked yet")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(service: &str, conditions: serde_json::Value) -> MetricsServer {
        let service = json!({
            "metadata": {"name": NAME},
            "spec": {"service": {"namespace": "x", "name": service}, "groupPriorityMinimum": 1, "versionPriority": 1},
            "status": {"conditions": conditions},
        });
        judge(Some(&serde_json::from_value(service).unwrap()))
    }

    fn why(judged: MetricsServer) -> String {
        match judged {
            MetricsServer::Available => "available".to_owned(),
            MetricsServer::Unavailable(why) => why,
        }
    }

    #[test]
    fn only_our_own_and_available_counts() {
        let up = json!([{"type": "Available", "status": "True", "reason": "Passed"}]);
        let down = json!([{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]);
        assert_eq!(
            judged(METRICS_SERVER_SERVICE, up.clone()),
            MetricsServer::Available
        );
        assert!(why(judged(METRICS_SERVER_SERVICE, down)).ends_with("MissingEndpoints"));
        assert!(why(judged("prometheus-adapter", up)).contains("x/prometheus-adapter"));
        assert!(why(judged(METRICS_SERVER_SERVICE, json!([]))).contains("not checked"));
        assert!(why(judge(None)).contains("does not exist"));
    }
}
