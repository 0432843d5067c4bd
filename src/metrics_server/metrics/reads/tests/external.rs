use super::*;

/// The resource with the worker's depth as an external metric.
fn external(name: &str) -> VoiceAssistScaling {
    let mut scaling = scaling(name);
    for metric in scaling.spec.workloads[1].metrics.iter_mut().flatten() {
        metric.external = Some(true);
    }
    scaling
}

fn served(resources: &[&str]) -> Memory {
    let memory = memory(&[]);
    for name in resources {
        memory.registry.apply(&external(name));
    }
    answer(&memory);
    memory
}

fn list(memory: &Memory, metric: &str, selector: &str) -> Result<ExternalValue, StatusError> {
    let path = ExternalPath {
        namespace: "ns".to_owned(),
        metric: metric.to_owned(),
    };
    let selectors = Selectors {
        objects: selector.to_owned(),
        metric: String::new(),
    };
    let now = Now {
        wall: Timestamp::UNIX_EPOCH,
        monotonic: NOW,
    };
    memory.read_external(&path, &selectors, now)
}

#[test]
fn an_external_read_is_one_value_with_the_labels_that_select_it() {
    let memory = served(&["one", "two"]);
    let value = list(
        &memory,
        "depth",
        "scaling.voiceassist.io/name=two,scaling.voiceassist.io/workload=worker",
    )
    .unwrap();
    assert_eq!(
        value,
        ExternalValue {
            metric: "depth".to_owned(),
            labels: BTreeMap::from([
                ("scaling.voiceassist.io/name".to_owned(), "two".to_owned()),
                ("scaling.voiceassist.io/workload".to_owned(), "worker".to_owned()),
            ]),
            timestamp: Timestamp::from_second(98).unwrap(),
            value: "7".to_owned(),
        }
    );
}

#[test]
fn several_external_metrics_of_one_name_are_an_error_and_never_added_up() {
    let memory = served(&["one", "two"]);
    let error = list(&memory, "depth", "").unwrap_err();
    assert_eq!(error.code(), 400);
    assert_eq!(
        error.to_string(),
        "metric depth is ambiguous in namespace ns: one/worker and two/worker have it; select one with \
         labelSelector=scaling.voiceassist.io/name=NAME,scaling.voiceassist.io/workload=WORKLOAD"
    );
}

#[test]
fn a_metric_is_served_by_one_group_only() {
    let memory = served(&["one"]);
    let custom = read(&memory, "deployments.apps", "one-worker", "depth", ("", "")).unwrap_err();
    assert_eq!(custom.code(), 404);
    assert_eq!(
        custom.to_string(),
        "the server could not find the metric depth for deployments.apps one-worker in namespace ns; \
         metric depth of ns/one (workload worker) is in external.metrics.k8s.io"
    );
    let pods = list(&memory, "rate", "").unwrap_err();
    assert_eq!(pods.code(), 404);
    assert_eq!(
        pods.to_string(),
        "the server could not find the metric rate for external.metrics.k8s.io in namespace ns; \
         metric rate of ns/one (workload gateway) describes pods, in custom.metrics.k8s.io"
    );
    memory.registry.apply(&scaling("one"));
    let object = list(&memory, "depth", "").unwrap_err();
    assert_eq!(object.code(), 404);
    assert_eq!(
        object.to_string(),
        "the server could not find the metric depth for external.metrics.k8s.io in namespace ns; metric depth of \
         ns/one (workload worker) describes deployments.apps one-worker and the namespace, in custom.metrics.k8s.io"
    );
}

#[test]
fn an_unknown_external_metric_is_not_found() {
    let memory = served(&["one"]);
    for (metric, selector) in [
        ("nothing", ""),
        ("depth", "scaling.voiceassist.io/name=three"),
        ("*", ""),
    ] {
        let error = list(&memory, metric, selector).unwrap_err();
        assert_eq!(error.code(), 404);
        assert_eq!(
            error.to_string(),
            format!(
                "the server could not find the metric {metric} for external.metrics.k8s.io in namespace ns"
            )
        );
    }
    assert_eq!(list(&memory, "depth", "a in").unwrap_err().code(), 400);
}

#[test]
fn an_external_metric_without_a_usable_value_is_unavailable_with_reason_and_age() {
    let memory = served(&["one"]);
    let at = |seconds: u64| Now {
        wall: Timestamp::UNIX_EPOCH,
        monotonic: NOW + Duration::from_secs(seconds),
    };
    let path = ExternalPath {
        namespace: "ns".to_owned(),
        metric: "depth".to_owned(),
    };
    let read = |seconds: u64| memory.read_external(&path, &Selectors::default(), at(seconds));
    assert!(read(118).is_ok());
    let error = read(119).unwrap_err();
    assert_eq!(error.code(), 503);
    assert_eq!(
        error.to_string(),
        "metric depth of ns/one (workload worker): last sample 121s old, maxAge 2m"
    );
}

#[test]
fn where_external_metrics_are_turned_off_the_condition_says_so_of_them_alone() {
    let mut memory = served(&["one"]);
    let causes = |memory: &Memory| -> Vec<Option<String>> {
        memory.registry.entries()[0]
            .1
            .metrics
            .iter()
            .map(|metric| memory.missing(metric, NOW).map(|missing| missing.cause()))
            .collect()
    };
    assert_eq!(causes(&memory), [None, None]);
    memory.external_metrics = false;
    let off = "external metrics are turned off here (--external-metrics=false)";
    assert_eq!(causes(&memory), [None, Some(off.to_owned())]);
}
