use super::*;

fn describe(memory: &Memory, metric: &str, selector: &str) -> Result<MetricValue, StatusError> {
    let path = NamespacePath {
        version: Version::V1Beta2,
        namespace: "ns".to_owned(),
        metric: metric.to_owned(),
    };
    let selectors = Selectors {
        objects: String::new(),
        metric: selector.to_owned(),
    };
    let now = Now {
        wall: Timestamp::UNIX_EPOCH,
        monotonic: NOW,
    };
    memory.read_namespace(&path, &selectors, now)
}

#[test]
fn a_number_describes_its_namespace_as_well_as_the_scale_target() {
    let memory = memory(&["one"]);
    answer(&memory);
    let value = describe(&memory, "depth", "").unwrap();
    assert_eq!(
        value.object,
        DescribedObject {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: "ns".to_owned(),
        }
    );
    assert_eq!((value.value.as_str(), value.window), ("7", None));
    assert_eq!(value.timestamp, Timestamp::from_second(98).unwrap());
}

#[test]
fn the_selector_tells_metrics_of_one_namespace_apart() {
    let memory = memory(&["one", "two"]);
    answer(&memory);
    let error = describe(&memory, "depth", "").unwrap_err();
    assert_eq!(error.code(), 400);
    assert!(error.to_string().contains("metricLabelSelector="), "{error}");
    assert!(describe(&memory, "depth", "scaling.voiceassist.io/name=two").is_ok());
    assert!(describe(&memory, "depth", "scaling.voiceassist.io/name notin (one)").is_ok());
}

#[test]
fn what_describes_pods_does_not_describe_their_namespace() {
    let memory = memory(&["one"]);
    answer(&memory);
    let error = describe(&memory, "rate", "").unwrap_err();
    assert_eq!(error.code(), 404);
    assert_eq!(
        error.to_string(),
        "the server could not find the metric rate for namespaces ns; \
         metric rate of ns/one (workload gateway) describes pods, in custom.metrics.k8s.io"
    );
    assert_eq!(describe(&memory, "*", "").unwrap_err().code(), 404);
}

#[test]
fn a_namespace_metric_without_data_is_unavailable_and_says_whose_it_is() {
    let memory = memory(&["one"]);
    let error = describe(&memory, "depth", "").unwrap_err();
    assert_eq!(error.code(), 503);
    assert_eq!(
        error.to_string(),
        "metric depth of ns/one (workload worker): not polled yet"
    );
}
