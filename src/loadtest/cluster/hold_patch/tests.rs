use serde_json::json;

use super::*;

fn resource() -> Value {
    json!({
        "metadata": {"name": "voiceassist", "resourceVersion": "41", "annotations": {"team": "voice"}},
        "spec": {
            "environment": "staging",
            "workloads": [{"name": "api", "maxReplicas": 5, "unknown": [1]}, {"name": "worker", "suspend": false}],
            "environments": [
                {"name": "dev", "workloads": [{"name": "api", "suspend": false}]},
                {"name": "staging", "workloads": [{"name": "worker", "suspend": true, "maxReplicas": 3}]},
            ],
        },
    })
}

fn hold(workload: &str) -> Hold {
    Hold {
        holder: "vas_1234-18f3a5b7c9d1e3f5".to_owned(),
        since: "2026-11-26T12:00:00.123456789Z".to_owned(),
        workload: workload.to_owned(),
        target: ScaleTargetRef {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: workload.to_owned(),
        },
        replicas: 3,
        suspended_by: SuspendedBy::Annotation,
        environment: None,
        suspend: None,
    }
}

/// A hold as a test of an earlier version wrote it.
fn in_the_spec(workload: &str, environment: Option<&str>, suspend: Option<bool>) -> Hold {
    Hold {
        suspended_by: SuspendedBy::Spec,
        environment: environment.map(str::to_owned),
        suspend,
        ..hold(workload)
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A merge patch (RFC 7396), as the API server applies it.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// The resource while a test holds it until second 120.
fn held_until_120(workload: &str) -> Value {
    let mut live = resource();
    let patch = hold_patch(&live, &hold(workload), at(120)).unwrap();
    merge(&mut live, &patch);
    live
}

#[test]
fn what_is_held_is_given_back_as_it_was() {
    let mut live = held_until_120("api");
    assert_eq!(live["spec"], resource()["spec"], "a test does not write the spec");
    assert_eq!(held(&live).unwrap(), Some(hold("api")));
    let suspension = live["metadata"]["annotations"][suspension_key()]
        .as_str()
        .unwrap();
    assert!(
        suspension.starts_with("workloads=api until=1970-01-01T00:02:00Z reason=capacity test vas_1234"),
        "{suspension}"
    );
    let back = give_back_patch(&live, &hold("api"));
    merge(&mut live, &back);
    assert_eq!(live, resource());
}

#[test]
fn a_hold_that_nobody_puts_off_is_over_at_its_end() {
    let mut live = held_until_120("api");
    let over = |live: &Value, second| hold("api").is_over(live, at(second));
    assert!(!over(&live, 119) && over(&live, 120));
    let renewed = renew_patch(&live, &hold("api"), at(200)).unwrap();
    merge(&mut live, &renewed);
    assert!(!over(&live, 199) && over(&live, 200));
    assert_eq!(held(&live).unwrap(), Some(hold("api")));

    assert!(free(&live, at(199)).is_err());
    free(&live, at(200)).unwrap();
    live["metadata"]["annotations"][suspension_key()] = json!("workloads=worker");
    assert!(over(&live, 0), "it holds another workload");
    live["metadata"]["annotations"][suspension_key()] = json!("odd");
    assert!(!over(&live, 1000), "what cannot be read suspends");
    merge(
        &mut live,
        &json!({"metadata": {"annotations": {suspension_key(): null}}}),
    );
    assert!(over(&live, 0), "somebody resumed it");
}

#[test]
fn what_a_test_of_an_earlier_version_wrote_into_the_spec_is_given_back() {
    for (hold, suspended) in [
        (in_the_spec("api", None, None), "/spec/workloads/0/suspend"),
        (
            in_the_spec("worker", Some("staging"), Some(true)),
            "/spec/environments/1/workloads/0/suspend",
        ),
    ] {
        let mut live = resource();
        let (list, index) = suspended.trim_end_matches("/suspend").rsplit_once('/').unwrap();
        let index: usize = index.parse().unwrap();
        live.pointer_mut(list).unwrap()[index]["suspend"] = json!(true);
        let record = serde_json::to_value(&hold).unwrap();
        live["metadata"]["annotations"][ANNOTATION] = json!(record.to_string());
        assert!(!hold.is_over(&live, at(i64::MAX / 1_000_000_000)));
        assert!(free(&live, at(0)).is_err());
        let back = give_back_patch(&live, &hold);
        merge(&mut live, &back);
        assert_eq!(live, resource());
    }
    let old = r#"{"holder": "h", "since": "s", "workload": "api", "replicas": 2, "suspend": false,
        "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}}"#;
    let old: Hold = serde_json::from_str(old).unwrap();
    assert_eq!((old.suspended_by, old.suspend), (SuspendedBy::Spec, Some(false)));
}

#[test]
fn changes_of_others_meanwhile_stay() {
    let hold = in_the_spec("api", None, None);
    let mut live = resource();
    live["spec"]["workloads"][0]["suspend"] = json!(true);
    live["spec"]["workloads"][0]["maxReplicas"] = json!(9);
    live["spec"]["workloads"].as_array_mut().unwrap().remove(1);
    let back = give_back_patch(&live, &hold);
    merge(&mut live, &back);
    assert_eq!(
        live["spec"]["workloads"],
        json!([{"name": "api", "maxReplicas": 9, "unknown": [1]}])
    );
    let back = give_back_patch(&json!({"metadata": {}, "spec": {"workloads": []}}), &hold);
    assert_eq!(back.get("spec"), None);
}

#[test]
fn a_second_test_is_refused_with_the_first_ones_name() {
    free(&resource(), at(0)).unwrap();
    let mut live = held_until_120("api");
    let error = free(&live, at(0)).unwrap_err().to_string();
    assert!(
        error.contains("vas_1234") && error.contains("vas test restore voiceassist"),
        "{error}"
    );
    live["metadata"]["annotations"][ANNOTATION] = json!("{");
    assert!(
        free(&live, at(0))
            .unwrap_err()
            .to_string()
            .contains("kubectl annotate")
    );
}

#[test]
fn a_workload_that_somebody_else_suspends_is_not_tested() {
    let mut live = json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1",
        "kind": "VoiceAssistScaling",
        "metadata": {"name": "v", "namespace": "ns", "uid": "own", "generation": 3},
        "spec": {"workloads": [{
            "name": "worker",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"},
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
        }]},
    });
    let mut with = |key: &str, text: &str| {
        live["metadata"]["annotations"] = json!({key: text});
        unsuspended(&live, "worker", at(0))
    };
    with(&suspension_key(), "workloads=worker").unwrap();
    with(annotation::ANNOTATION, "workloads=other").unwrap();
    with(annotation::ANNOTATION, "until=1970-01-01T00:00:00Z").unwrap();
    let error = with(annotation::ANNOTATION, "reason=incident")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("(incident)") && error.contains("resume"),
        "{error}"
    );
}

#[test]
fn the_workload_is_the_named_or_the_only_one() {
    let name = |found: Result<&Value, HoldError>| found.map(|one| one["name"].clone());
    assert_eq!(name(workload(&resource(), Some("worker"))), Ok(json!("worker")));
    let error = workload(&resource(), None).unwrap_err().to_string();
    assert!(error.contains("api, worker"), "{error}");
    let error = workload(&resource(), Some("x")).unwrap_err().to_string();
    assert!(error.contains("no workload \"x\""), "{error}");
    let mut one = resource();
    one["spec"]["workloads"].as_array_mut().unwrap().pop();
    assert_eq!(name(workload(&one, None)), Ok(json!("api")));
}
