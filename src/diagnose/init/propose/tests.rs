use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use vas_api::v1alpha1::ScaleTargetRef;
use vas_core::k8s::read::Unread;

fn facts(containers: Value) -> Facts {
    Facts {
        name: "web".to_owned(),
        namespace: "shop".to_owned(),
        target: ScaleTargetRef {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: "web".to_owned(),
        },
        replicas: 3,
        pod: Some(serde_json::from_value(json!({"containers": containers})).unwrap()),
        taken: None,
        resource_metrics: Ok(()),
        series: Err(Unread::NotAsked("no Prometheus".to_owned())),
    }
}

fn requesting() -> Value {
    json!([{"name": "app", "resources": {"requests": {"cpu": "100m"}}}])
}

fn counter(name: &str, peak: Option<f64>) -> Counter {
    Counter {
        name: name.to_owned(),
        labels: BTreeSet::from(["code".to_owned(), "pod".to_owned()]),
        peak,
    }
}

fn with_series(seen: SeriesSeen) -> Facts {
    Facts {
        series: Ok(seen),
        ..facts(requesting())
    }
}

fn metrics(proposal: &Proposal) -> Value {
    serde_json::to_value(&proposal.object.spec.workloads[0].metrics).unwrap()
}

#[test]
fn without_prometheus_it_is_cpu_alone_and_says_so() {
    let proposal = propose(&facts(requesting())).unwrap();
    let workload = &proposal.object.spec.workloads[0];
    assert_eq!((workload.min_replicas, workload.max_replicas), (Some(3), Some(9)));
    let cpu = json!([{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}]);
    assert_eq!(metrics(&proposal), cpu);
    assert!(
        proposal
            .reasons
            .join("\n")
            .contains("no metric from Prometheus: no Prometheus")
    );
}

#[test]
fn a_container_without_a_request_is_named_and_the_metric_is_of_one_that_has_one() {
    let mixed = json!([{"name": "proxy"}, {"name": "app", "resources": {"limits": {"cpu": "1"}}}]);
    let proposal = propose(&facts(mixed)).unwrap();
    assert_eq!(metrics(&proposal)[0]["containerResource"]["container"], "app");
    assert!(
        proposal.reasons[1].contains("requests no cpu (proxy)"),
        "{:?}",
        proposal.reasons
    );
    let error = propose(&facts(json!([{"name": "app"}]))).unwrap_err().to_string();
    assert!(
        error.contains("no container requests cpu (app)") && error.contains("set resources.requests.cpu"),
        "{error}"
    );
}

#[test]
fn a_measured_counter_has_its_peak_as_target_and_the_others_are_named() {
    let seen = SeriesSeen {
        requests: vec![
            counter("http_requests_total", Some(134.3)),
            counter("rpc_requests_total", None),
        ],
        ..SeriesSeen::default()
    };
    let proposal = propose(&with_series(seen)).unwrap();
    let rate = &metrics(&proposal)[1];
    assert_eq!(rate["requestRate"]["counter"], "http_requests_total");
    assert_eq!(rate["requestRate"]["target"]["averageValue"], "140");
    for part in [
        "its labels code",
        "also possible: rpc_requests_total",
        "the most of the last hour",
    ] {
        assert!(proposal.reasons[2].contains(part), "{:?}", proposal.reasons);
    }
    assert!(proposal.open.is_empty());
}

#[test]
fn what_was_not_measured_and_what_only_the_owner_knows_is_left_open() {
    let seen = SeriesSeen {
        requests: vec![counter("http_requests_total", Some(0.3))],
        depths: vec![Gauge {
            name: "queue_depth".to_owned(),
            of_the_pods: false,
        }],
        ages: vec![Gauge {
            name: "queue_oldest_job_age_seconds".to_owned(),
            of_the_pods: true,
        }],
        ..SeriesSeen::default()
    };
    let proposal = propose(&with_series(seen)).unwrap();
    assert_eq!(metrics(&proposal).as_array().unwrap().len(), 1, "CPU alone");
    assert_eq!(proposal.open.len(), 3);
    assert!(
        proposal.open[1].contains("gauge: queue_depth")
            && proposal.open[1].contains("not exported by these pods")
    );
    assert!(!proposal.open[2].contains("not exported"));
}

#[test]
fn what_is_scaled_already_is_refused_with_the_way_to_take_it_over() {
    let hpa = Facts {
        taken: Some(Taken::Hpa("old".to_owned())),
        ..facts(requesting())
    };
    let error = propose(&hpa).unwrap_err().to_string();
    assert!(
        error.contains("kubectl get hpa old -n shop -o yaml | vas import hpa -f -"),
        "{error}"
    );
    let resource = Facts {
        taken: Some(Taken::Resource),
        ..facts(requesting())
    };
    assert!(propose(&resource).unwrap_err().to_string().contains("--name"));
}

#[test]
fn every_number_of_replicas_and_every_name_makes_a_valid_resource_or_an_error_that_says_why() {
    for replicas in [0, 1, 7, 10_000] {
        let proposal = propose(&Facts {
            replicas,
            ..facts(requesting())
        })
        .unwrap();
        let workload = &proposal.object.spec.workloads[0];
        assert!(workload.min_replicas <= workload.max_replicas, "{replicas}");
    }
    let mut dotted = facts(requesting());
    dotted.target.name = "web.v2".to_owned();
    assert_eq!(propose(&dotted).unwrap().object.spec.workloads[0].name, "web-v2");
    let mut long = facts(requesting());
    long.name = "x".repeat(64);
    let error = propose(&long).unwrap_err().to_string();
    assert!(error.contains("choose another --name"), "{error}");
}

#[test]
fn a_target_has_two_digits_and_is_rounded_up() {
    for (peak, wanted) in [
        (134.3, Some("140")),
        (2.1, Some("3")),
        (1234.0, Some("1300")),
        (0.9, None),
    ] {
        let target = target(&counter("x_total", Some(peak)));
        assert_eq!(target.map(|target| target.0).as_deref(), wanted);
    }
    assert_eq!(target(&counter("x_total", Some(f64::NAN))), None);
}
