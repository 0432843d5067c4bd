use k8s_openapi::apimachinery::pkg::apis::meta::v1::FieldsV1;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn desired() -> Value {
    json!({
        "metadata": {"name": "a", "labels": {"app.kubernetes.io/managed-by": "vas-operator"}},
        "spec": {
            "minReplicas": 2,
            "metrics": [{"type": "Pods", "pods": {"target": {"type": "AverageValue", "averageValue": "0.5"}}}],
            "scaleTargetRef": {"name": "1k"},
        },
    })
}

fn needs(change: impl FnOnce(&mut Value)) -> bool {
    let mut live = desired();
    change(&mut live);
    needs_apply(&desired(), &live.to_string(), &OwnedFields::default())
}

#[test]
fn an_equal_object_needs_nothing() {
    assert!(!needs(|_| {}));
}

#[test]
fn what_the_server_fills_in_needs_nothing() {
    assert!(!needs(|live| {
        live["spec"]["behavior"] = json!({"scaleUp": {"selectPolicy": "Max"}});
        live["metadata"]["labels"]["team"] = json!("voice");
        live["spec"]["metrics"][0]["pods"]["metric"] = json!({"name": "x"});
    }));
}

#[test]
fn another_spelling_of_a_quantity_needs_nothing() {
    assert!(!needs(|live| {
        live["spec"]["metrics"][0]["pods"]["target"]["averageValue"] = json!("500m");
    }));
}

#[test]
fn a_name_that_reads_like_a_quantity_is_a_name() {
    assert!(needs(
        |live| live["spec"]["scaleTargetRef"]["name"] = json!("1000")
    ));
}

#[test]
fn a_changed_value_label_or_list_needs_a_write() {
    assert!(needs(|live| live["spec"]["minReplicas"] = json!(3)));
    assert!(needs(|live| live["metadata"]["labels"] = json!({})));
    assert!(needs(|live| {
        let metric = live["spec"]["metrics"][0].clone();
        live["spec"]["metrics"].as_array_mut().unwrap().push(metric);
    }));
}

fn entry(manager: &str, operation: &str, subresource: Option<&str>, fields: Value) -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        manager: Some(manager.to_owned()),
        operation: Some(operation.to_owned()),
        subresource: subresource.map(str::to_owned),
        fields_v1: Some(FieldsV1(fields)),
        ..ManagedFieldsEntry::default()
    }
}

#[test]
fn a_field_we_own_and_no_longer_want_needs_a_write() {
    let fields = json!({"f:spec": {"f:minReplicas": {}, "f:behavior": {"f:scaleUp": {"f:tolerance": {}}}}});
    let mut live = desired();
    live["spec"]["behavior"] = json!({"scaleUp": {"tolerance": "0.2"}});
    let owned = OwnedFields::of(&[entry("us", "Apply", None, fields.clone())], "us");
    assert!(needs_apply(&desired(), &live.to_string(), &owned));
    // The same field belongs to somebody else if another manager set it.
    let theirs = OwnedFields::of(&[entry("them", "Apply", None, fields)], "us");
    assert!(!needs_apply(&desired(), &live.to_string(), &theirs));
}

#[test]
fn items_of_lists_belong_to_their_lists_and_label_names_stand_alone() {
    let fields = json!({
        "f:metadata": {
            "f:labels": {"f:app.kubernetes.io/managed-by": {}},
            "f:ownerReferences": {"k:{\"uid\":\"1\"}": {}},
        },
        "f:spec": {"f:minReplicas": {}, "f:metrics": {}},
    });
    let mut desired = desired();
    desired["metadata"]["ownerReferences"] = json!([{"uid": "1"}]);
    let owned = OwnedFields::of(&[entry("us", "Apply", None, fields)], "us");
    assert!(!needs_apply(&desired, &desired.to_string(), &owned));
}

fn with_spec(spec: &Value) -> Value {
    json!({"metadata": {"labels": {"a": "b"}}, "spec": spec})
}

fn spec_needs(desired: &Value, live: &Value) -> bool {
    let (desired, live) = (with_spec(desired), with_spec(live));
    needs_apply(&desired, &live.to_string(), &OwnedFields::default())
}

#[test]
fn what_is_added_to_a_selector_needs_a_write() {
    let desired = json!({"maxUnavailable": 1, "selector": {"matchLabels": {"app": "a"}}});
    for (path, added) in [
        ("/selector/matchLabels", json!({"app": "a", "team": "b"})),
        (
            "/selector",
            json!({"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "x"}]}),
        ),
    ] {
        let mut live = desired.clone();
        *live.pointer_mut(path).unwrap() = added;
        assert!(spec_needs(&desired, &live), "{live}");
    }
    let mut live = desired.clone();
    live["selector"]["matchExpressions"] = json!([]);
    live["unhealthyPodEvictionPolicy"] = json!("AlwaysAllow");
    assert!(!spec_needs(&desired, &live), "an empty list selects nothing else");
}

#[test]
fn what_is_added_to_the_selector_of_a_metric_needs_a_write() {
    let metric = |labels: Value| {
        json!({"metrics": [{"type": "Pods", "pods": {
        "metric": {"name": "rate", "selector": {"matchLabels": labels}}}}]})
    };
    let desired = metric(json!({"a": "b"}));
    assert!(!spec_needs(&desired, &desired));
    assert!(spec_needs(&desired, &metric(json!({"a": "b", "c": "d"}))));
}

#[test]
fn what_is_added_to_an_item_of_a_limit_range_needs_a_write() {
    let item = |item: Value| json!({"limits": [item]});
    let desired = item(json!({"type": "Container", "default": {"memory": "1Gi"}}));
    let spelled = item(json!({"type": "Container", "default": {"memory": "1024Mi"}}));
    assert!(!spec_needs(&desired, &spelled));
    for live in [
        json!({"type": "Container", "default": {"memory": "1Gi", "cpu": "1"}}),
        json!({"type": "Container", "default": {"memory": "1Gi"}, "max": {"memory": "2Gi"}}),
    ] {
        assert!(spec_needs(&desired, &item(live.clone())), "{live}");
    }
}

#[test]
fn a_quota_resource_with_a_slash_that_is_no_longer_wanted_needs_a_write() {
    let hard = json!({".": {}, "f:count/deployments.apps": {}, "f:pods": {}});
    let owned = OwnedFields::of(
        &[entry("us", "Apply", None, json!({"f:spec": {"f:hard": hard}}))],
        "us",
    );
    let both = with_spec(&json!({"hard": {"count/deployments.apps": "3", "pods": "9"}}));
    assert!(!needs_apply(&both, &both.to_string(), &owned));
    let one = with_spec(&json!({"hard": {"pods": "9"}}));
    assert!(needs_apply(&one, &both.to_string(), &owned));
}

#[test]
fn an_owner_beside_ours_needs_nothing_and_a_changed_one_of_ours_a_write() {
    let ours = json!({"uid": "1", "kind": "VoiceAssistScaling", "controller": true});
    let mut desired = desired();
    desired["metadata"]["ownerReferences"] = json!([ours]);
    let needs = |owners: Value| {
        let mut live = desired.clone();
        live["metadata"]["ownerReferences"] = owners;
        needs_apply(&desired, &live.to_string(), &OwnedFields::default())
    };
    assert!(!needs(json!([{"uid": "2", "kind": "Application"}, ours])));
    assert!(needs(json!([{"uid": "2", "kind": "Application"}])));
    assert!(needs(json!([{"uid": "1", "kind": "VoiceAssistScaling"}])));
}

#[test]
fn status_writers_own_nothing_of_ours() {
    let fields = json!({"f:status": {"f:currentReplicas": {}}});
    let owned = OwnedFields::of(&[entry("us", "Apply", Some("status"), fields)], "us");
    assert_eq!(owned, OwnedFields::default());
}

#[test]
fn an_unreadable_live_object_needs_a_write() {
    assert!(needs_apply(&desired(), "{", &OwnedFields::default()));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        "[a-z0-9]{1,6}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_was_written_as_desired_needs_no_second_write(spec in json_value()) {
        let object = json!({"metadata": {"labels": {"a": "b"}}, "spec": spec});
        prop_assert!(!needs_apply(&object, &object.to_string(), &OwnedFields::default()));
    }
}

#[test]
fn fields_that_the_server_drops_are_named_and_those_it_adds_are_not() {
    let desired = json!({"spec": {
        "behavior": {"scaleUp": {"tolerance": "0.2", "policies": []}, "scaleDown": {"policies": [{"type": "Pods"}]}},
        "maxReplicas": 3,
    }});
    let stored = json!({"spec": {
        "behavior": {"scaleUp": {"selectPolicy": "Max"}, "scaleDown": {"policies": [{}]}},
        "maxReplicas": 3, "minReplicas": 1,
    }});
    assert_eq!(
        dropped(&desired, &stored),
        [
            "spec.behavior.scaleDown.policies[0].type",
            "spec.behavior.scaleUp.tolerance"
        ]
    );
    assert_eq!(dropped(&desired, &desired), [] as [&str; 0]);
}
