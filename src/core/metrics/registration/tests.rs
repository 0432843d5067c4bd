use serde_json::json;

use super::*;

const FIX: &str = "a cluster has one adapter for each metrics API: see with vas register";
const TAKE_OVER: &str = "who reads from that one, and take over with --take-over";

fn registration(service: &serde_json::Value, priority: i32) -> Registration {
    let service = json!({
        "metadata": {"name": "x"},
        "spec": {"service": service, "groupPriorityMinimum": 1, "versionPriority": priority},
    });
    let service = serde_json::from_value(service).unwrap();
    Registration::read(Some(&service), "vas-system", "vas-metrics-server")
}

fn ours(priority: i32) -> Registration {
    registration(
        &json!({"namespace": "vas-system", "name": "vas-metrics-server"}),
        priority,
    )
}

fn foreign(priority: i32) -> Registration {
    registration(
        &json!({"namespace": "monitoring", "name": "prometheus-adapter"}),
        priority,
    )
}

fn absent() -> Registration {
    Registration::read(None, "vas-system", "vas-metrics-server")
}

fn of_custom(newer: &Registration, older: &Registration) -> Option<Unrouted> {
    unrouted(MetricsApi::Custom, |name| {
        if name.starts_with("v1beta2.") {
            newer.clone()
        } else {
            older.clone()
        }
    })
}

#[test]
fn an_apiservice_is_ours_only_if_namespace_and_name_of_its_service_are() {
    assert_eq!(ours(1).owner, Owner::Ours);
    let elsewhere = json!({"namespace": "other", "name": "vas-metrics-server"});
    assert_eq!(
        registration(&elsewhere, 1).owner,
        Owner::Foreign("Service other/vas-metrics-server".to_owned())
    );
    assert_eq!(
        registration(&json!(null), 1).owner,
        Owner::Foreign("the API server itself".to_owned())
    );
}

#[test]
fn the_version_that_clients_prefer_decides_who_is_asked() {
    assert_eq!(of_custom(&ours(200), &ours(100)), None);
    assert_eq!(of_custom(&ours(200), &foreign(100)), None);
    assert_eq!(of_custom(&ours(100), &foreign(100)), None, "the newer of equals");
    assert_eq!(of_custom(&absent(), &ours(100)), None);
    let theirs = of_custom(&ours(100), &foreign(200)).unwrap();
    assert_eq!(
        theirs.to_string(),
        format!(
            "APIService v1beta1.custom.metrics.k8s.io leads to Service monitoring/prometheus-adapter; {FIX} {TAKE_OVER}"
        )
    );
    assert!(of_custom(&foreign(200), &ours(100)).is_some());
}

#[test]
fn absence_is_said_only_once_all_were_looked_at() {
    assert_eq!(of_custom(&absent(), &Registration::UNKNOWN), None);
    assert_eq!(of_custom(&Registration::UNKNOWN, &foreign(100)), None);
    assert_eq!(
        of_custom(&absent(), &absent()).unwrap().to_string(),
        "there is no APIService of custom.metrics.k8s.io: vas register makes it"
    );
    assert_eq!(
        unrouted(MetricsApi::External, |_| absent()).unwrap().to_string(),
        "there is no APIService of external.metrics.k8s.io: vas register --external makes it"
    );
}

#[test]
fn the_condition_names_the_metrics_the_apiservice_its_service_and_the_fix() {
    let metrics: Vec<String> = (0..7).map(|n| format!("w/m{n}")).collect();
    let fresh = Verdict {
        status: "True",
        reason: "MetricsFresh",
        message: "7 metrics from Prometheus".to_owned(),
    };
    let theirs = unrouted(MetricsApi::External, |_| foreign(100)).unwrap();
    let verdict = with_unrouted(&theirs, &metrics, &fresh);
    assert_eq!((verdict.status, verdict.reason), ("False", "ApiServiceForeign"));
    assert_eq!(
        verdict.message,
        format!(
            "the HPA does not read w/m0, w/m1, w/m2, w/m3, w/m4 and 2 more from here: APIService \
             v1beta1.external.metrics.k8s.io leads to Service monitoring/prometheus-adapter; {FIX} --external \
             {TAKE_OVER}"
        )
    );
}

#[test]
fn what_else_is_wrong_is_still_said() {
    let missing = Verdict {
        status: "False",
        reason: "MetricsMissing",
        message: "w/m: gone".to_owned(),
    };
    let verdict = with_unrouted(
        &Unrouted::Absent(MetricsApi::Custom),
        &["w/m".to_owned()],
        &missing,
    );
    assert_eq!(verdict.reason, "ApiServiceAbsent");
    assert!(verdict.message.ends_with("; w/m: gone"), "{}", verdict.message);
}
