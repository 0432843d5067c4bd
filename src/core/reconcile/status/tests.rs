use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::*;
use crate::{
    k8s::quota::Quota,
    reconcile::{
        child::{ChildKind, ChildRef, Live, MirroredCondition},
        observed::MetricsServer,
        outcome::Part,
        plan::plan,
        suspend::{annotation::ANNOTATION, freeze},
        testing::{carried_out, observed, planned, resource, worker},
    },
    spec::rules::validate,
};

const LATER: i64 = 2_000_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A cluster in which the resource's children are as planned and its HPA scales.
fn scaling(object: &VoiceAssistScaling) -> Observed {
    let mut cluster = carried_out(&observed(object), &planned(object, &observed(object)));
    mirror(&mut cluster, "ScalingActive", "True", "ValidMetricFound", "fine");
    mirror(&mut cluster, "AbleToScale", "True", "ReadyForNewScale", "fine");
    cluster
}

/// Puts a condition on the HPA.
fn mirror(cluster: &mut Observed, type_: &str, status: &str, reason: &str, message: &str) {
    let hpas = cluster.live.get_mut(&ChildKind::HorizontalPodAutoscaler).unwrap();
    let mut hpa: Live = (*hpas[0]).clone();
    let condition = MirroredCondition {
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    hpa.conditions.insert(type_.to_owned(), condition);
    hpas[0] = Arc::new(hpa);
}

fn computed(
    object: &VoiceAssistScaling,
    observed: &Observed,
    outcomes: &[Outcome],
    now: i64,
) -> Option<VoiceAssistScalingStatus> {
    let mut validation = validate(object);
    let suspended = freeze(object, &mut validation, at(now));
    let plan = plan(object, &validation, observed, at(now));
    let inputs = Inputs {
        object,
        validation: &validation,
        suspended: &suspended,
        observed,
        plan: &plan,
        outcomes,
    };
    status(&inputs, at(now))
}

fn of(status: &VoiceAssistScalingStatus, type_: &str) -> String {
    let conditions = status.conditions.as_ref().unwrap();
    let found = conditions.iter().find(|condition| condition.type_ == type_);
    found.map_or("absent".to_owned(), |one| {
        format!("{}/{}", one.status, one.reason)
    })
}

fn ready(object: &VoiceAssistScaling, observed: &Observed) -> String {
    of(&computed(object, observed, &[], 100).unwrap(), "Ready")
}

fn one(worker: Value) -> VoiceAssistScaling {
    resource(json!({"workloads": [worker]}))
}

fn with_queue() -> VoiceAssistScaling {
    let mut worker = worker();
    worker["metrics"] =
        json!([{"name": "depth", "queueDepth": {"gauge": "depth", "target": {"averageValue": "5"}}}]);
    one(worker)
}

fn with_condition(mut object: VoiceAssistScaling, status: &str, reason: &str) -> VoiceAssistScaling {
    let condition = json!({"type": "MetricsAvailable", "status": status, "reason": reason, "message": "m",
                           "lastTransitionTime": "2026-01-01T00:00:00Z"});
    object.status = Some(serde_json::from_value(json!({"conditions": [condition]})).unwrap());
    object
}

#[test]
fn everything_in_place_is_ready() {
    let object = one(worker());
    let status = computed(&object, &scaling(&object), &[], 100).unwrap();
    assert_eq!(of(&status, "Ready"), "True/Ready");
    assert_eq!(of(&status, "SpecValid"), "True/Valid");
    assert_eq!(of(&status, "ScaleTargetFound"), "True/Found");
    assert_eq!(of(&status, "ResourcesApplied"), "True/Applied");
    assert_eq!(of(&status, "QuotaSufficient"), "absent");
    assert_eq!(
        of(&status, "MetricsAvailable"),
        "absent",
        "the metrics server's, never claimed"
    );
    assert_eq!(status.observed_generation, Some(3));
    let worker = &status.workloads.unwrap()[0];
    assert_eq!(worker.disruptions_allowed_at_min_replicas, Some(1));
}

#[test]
fn the_columns_have_bounds_and_replicas_in_the_order_of_the_names() {
    let mut second = worker();
    second["name"] = json!("second");
    second["scaleTargetRef"]["name"] = json!("second");
    for field in ["metrics", "maxReplicas", "minReplicas", "behavior"] {
        second.as_object_mut().unwrap().remove(field);
    }
    let object = resource(json!({"workloads": [worker(), second]}));
    let mut cluster = scaling(&object);
    let columns = |cluster: &Observed| {
        let status = computed(&object, cluster, &[], 100).unwrap();
        [
            status.workload_names,
            status.min_replicas,
            status.max_replicas,
            status.replicas,
        ]
        .map(Option::unwrap)
    };
    assert_eq!(columns(&cluster), ["worker,second", "2,-", "5,-", "-,-"]);
    let hpas = cluster.live.get_mut(&ChildKind::HorizontalPodAutoscaler).unwrap();
    let mut hpa: Live = (*hpas[0]).clone();
    hpa.replicas = Some(4);
    hpas[0] = Arc::new(hpa);
    assert_eq!(columns(&cluster)[3], "4,-");
}

#[test]
fn a_workload_without_an_hpa_waits_for_none() {
    let mut alone = worker();
    for field in ["metrics", "maxReplicas", "minReplicas", "behavior"] {
        alone.as_object_mut().unwrap().remove(field);
    }
    let object = one(alone);
    let cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    let status = computed(&object, &cluster, &[], 100).unwrap();
    assert_eq!(of(&status, "Ready"), "True/Ready");
    let worker = &status.workloads.unwrap()[0];
    let types: Vec<&str> = worker
        .conditions
        .iter()
        .flatten()
        .map(|condition| condition.type_.as_str())
        .collect();
    assert_eq!(types, ["ResourcesApplied", "ScaleTargetFound"]);
    assert_eq!(worker.disruptions_allowed_at_min_replicas, None);
}

#[test]
fn the_same_findings_later_are_no_news() {
    let mut object = one(worker());
    let cluster = scaling(&object);
    object.status = computed(&object, &cluster, &[], 100);
    assert_eq!(computed(&object, &cluster, &[], LATER), None);
    // The condition of the metrics server causes no write either.
    let theirs = with_condition(object.clone(), "True", "MetricsFresh")
        .status
        .unwrap();
    let own = object.status.as_mut().unwrap().conditions.as_mut().unwrap();
    own.extend(theirs.conditions.unwrap());
    assert_eq!(computed(&object, &cluster, &[], LATER), None);
}

#[test]
fn a_value_in_the_hpas_message_is_no_news() {
    let mut object = one(worker());
    let mut cluster = scaling(&object);
    mirror(
        &mut cluster,
        "ScalingActive",
        "False",
        "FailedGetPodsMetric",
        "is 45 s old",
    );
    object.status = computed(&object, &cluster, &[], 100);
    mirror(
        &mut cluster,
        "ScalingActive",
        "False",
        "FailedGetPodsMetric",
        "is 60 s old",
    );
    assert_eq!(computed(&object, &cluster, &[], LATER), None);
}

#[test]
fn an_hpa_that_has_not_spoken_yet_is_pending() {
    let object = one(worker());
    let silent = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    assert_eq!(ready(&object, &silent), "Unknown/Pending");
}

#[test]
fn an_hpa_that_cannot_scale_is_not_ready() {
    let object = one(worker());
    let mut cluster = scaling(&object);
    mirror(&mut cluster, "AbleToScale", "False", "FailedGetScale", "no");
    assert_eq!(ready(&object, &cluster), "False/FailedGetScale");
}

#[test]
fn a_refused_child_is_named_with_the_servers_words() {
    let object = one(worker());
    let refused = Outcome {
        reference: ChildRef {
            kind: ChildKind::PodDisruptionBudget,
            name: "v-worker".to_owned(),
        },
        part: Part::Workload("worker".to_owned()),
        result: Err("denied by policy".to_owned()),
    };
    let status = computed(&object, &scaling(&object), &[refused], 100).unwrap();
    assert_eq!(of(&status, "Ready"), "False/ApplyFailed");
    let ready = status
        .conditions
        .unwrap()
        .into_iter()
        .find(|one| one.type_ == "Ready")
        .unwrap();
    assert_eq!(
        ready.message,
        "worker: PodDisruptionBudget v-worker: denied by policy"
    );
}

#[test]
fn a_child_that_cannot_be_deleted_is_named_though_nothing_asks_for_it() {
    let object = one(worker());
    let left = |result| Outcome {
        reference: ChildRef {
            kind: ChildKind::PodDisruptionBudget,
            name: "v-earlier".to_owned(),
        },
        part: Part::Leftovers,
        result,
    };
    let refused = left(Err("denied by policy".to_owned()));
    let status = computed(&object, &scaling(&object), &[refused], 100).unwrap();
    assert_eq!(of(&status, "ResourcesApplied"), "False/ApplyFailed");
    let conditions = status.conditions.unwrap();
    let applied = conditions.iter().find(|one| one.type_ == "ResourcesApplied");
    assert_eq!(
        applied.unwrap().message,
        "leftovers: PodDisruptionBudget v-earlier could not be deleted: denied by policy"
    );
    let deleted = left(Ok(crate::reconcile::outcome::Change::Deleted));
    let status = computed(&object, &scaling(&object), &[deleted], 100).unwrap();
    assert_eq!(of(&status, "ResourcesApplied"), "True/Applied");
}

#[test]
fn the_metrics_servers_word_counts_while_it_is_there_to_give_it() {
    let mut cluster = scaling(&with_queue());
    assert_eq!(ready(&with_queue(), &cluster), "Unknown/Pending");
    let missing = with_condition(with_queue(), "False", "MetricsMissing");
    assert_eq!(ready(&missing, &cluster), "False/MetricsMissing");
    let fresh = with_condition(with_queue(), "True", "MetricsFresh");
    assert_eq!(ready(&fresh, &cluster), "True/Ready");
    cluster.metrics_server = MetricsServer::Unavailable("gone".to_owned());
    assert_eq!(ready(&fresh, &cluster), "Unknown/MetricsServerUnavailable");
    assert_eq!(ready(&missing, &cluster), "Unknown/MetricsServerUnavailable");
}

#[test]
fn a_word_of_the_metrics_server_about_an_earlier_spec_does_not_count() {
    let cluster = scaling(&with_queue());
    let mut object = with_condition(with_queue(), "True", "MetricsFresh");
    let mut judged = |generation| {
        let status = object.status.as_mut().unwrap();
        status.conditions.as_mut().unwrap()[0].observed_generation = Some(generation);
        ready(&object, &cluster)
    };
    assert_eq!(judged(2), "Unknown/Pending");
    assert_eq!(judged(3), "True/Ready");
}

#[test]
fn without_metrics_from_prometheus_the_metrics_server_does_not_matter() {
    let object = one(worker());
    let mut cluster = scaling(&object);
    cluster.metrics_server = MetricsServer::Unavailable("gone".to_owned());
    assert_eq!(ready(&object, &cluster), "True/Ready");
}

#[test]
fn a_suspended_resource_is_ready_and_says_that_it_is_suspended() {
    let mut worker = worker();
    worker["suspend"] = json!(true);
    let object = one(worker);
    assert_eq!(ready(&object, &scaling(&object)), "True/Suspended");
}

#[test]
fn ready_and_the_column_say_who_suspended_what_until_when_and_why() {
    let mut object = one(worker());
    let annotation = |text: &str| [(ANNOTATION.to_owned(), text.to_owned())].into();
    object.metadata.annotations = Some(annotation(
        "workloads=worker until=1970-01-01T00:10:00Z reason=incident",
    ));
    let cluster = scaling(&object);
    let status = computed(&object, &cluster, &[], 100).unwrap();
    assert_eq!(of(&status, "Ready"), "True/Suspended");
    assert_eq!(of(&status, "Suspended"), "True/Suspended");
    assert_eq!(
        status.suspended.as_deref(),
        Some("worker until 1970-01-01T00:10:00Z")
    );
    for condition in status.conditions.iter().flatten() {
        if matches!(condition.type_.as_str(), "Ready" | "Suspended") {
            assert!(
                condition
                    .message
                    .contains("by annotation scaling.voiceassist.io/suspend (incident)"),
                "{condition:?}"
            );
        }
    }
    let over = computed(&object, &cluster, &[], 600).unwrap();
    assert_eq!(
        (of(&over, "Ready"), of(&over, "Suspended")),
        ("True/Ready".to_owned(), "absent".to_owned())
    );
    assert_eq!(over.suspended, None);

    object.metadata.annotations = Some(annotation("true"));
    let status = computed(&object, &cluster, &[], 100).unwrap();
    assert_eq!(of(&status, "Suspended"), "True/SuspensionUnreadable");
    object.metadata.annotations = Some(annotation("workloads=wroker"));
    let status = computed(&object, &cluster, &[], 100).unwrap();
    assert_eq!(
        (of(&status, "Ready"), of(&status, "Suspended")),
        ("True/Ready".to_owned(), "False/WorkloadUnknown".to_owned())
    );
}

#[test]
fn a_missing_vpa_is_a_remark_and_no_failure() {
    let object = one(worker());
    let mut cluster = observed(&object);
    cluster.vpa = crate::reconcile::observed::VpaSupport::Absent;
    let mut cluster = carried_out(&cluster, &planned(&object, &cluster));
    mirror(&mut cluster, "ScalingActive", "True", "ValidMetricFound", "");
    mirror(&mut cluster, "AbleToScale", "True", "ReadyForNewScale", "");
    let status = computed(&object, &cluster, &[], 100).unwrap();
    assert_eq!(of(&status, "ResourcesApplied"), "True/VpaNotInstalled");
    assert_eq!(of(&status, "Ready"), "True/Ready");
}

#[test]
fn an_invalid_workload_is_named_and_the_others_still_judged() {
    let mut api = worker();
    api["name"] = json!("api");
    api["scaleTargetRef"]["name"] = json!("api");
    api["minReplicas"] = json!(9);
    let object = resource(json!({"workloads": [worker(), api]}));
    let status = computed(&object, &scaling(&object), &[], 100).unwrap();
    assert_eq!(of(&status, "Ready"), "False/Invalid");
    assert_eq!(of(&status, "ResourcesApplied"), "Unknown/NotChecked");
    let workloads = status.workloads.unwrap();
    let applied: Vec<&str> = workloads
        .iter()
        .map(|workload| {
            let conditions = workload.conditions.as_ref().unwrap();
            conditions
                .iter()
                .find(|one| one.type_ == "ResourcesApplied")
                .unwrap()
                .reason
                .as_str()
        })
        .collect();
    assert_eq!(applied, ["Applied", "NotChecked"]);
}

#[test]
fn limits_that_are_left_alone_are_told_and_stop_nothing() {
    let limits = json!({"limitRange": {"default": {"memory": "1Gi"}}});
    let object = resource(json!({"workloads": [worker()], "limits": limits}));
    let mut cluster = scaling(&object);
    cluster.manage_limits = false;
    let status = computed(&object, &cluster, &[], 100).unwrap();
    assert_eq!(of(&status, "LimitsManaged"), "False/LimitsNotManaged");
    assert_eq!(of(&status, "ResourcesApplied"), "True/Applied");
    assert_eq!(of(&status, "Ready"), "True/Ready");
    let without = one(worker());
    let mut cluster = scaling(&without);
    cluster.manage_limits = false;
    let status = computed(&without, &cluster, &[], 100).unwrap();
    assert_eq!(of(&status, "LimitsManaged"), "absent");
}

#[test]
fn a_quota_that_is_too_small_warns_and_stops_nothing() {
    let object = one(worker());
    let mut cluster = scaling(&object);
    let quota = |pods: &str| Quota {
        name: "team".to_owned(),
        hard: BTreeMap::from([(
            "pods".to_owned(),
            k8s_openapi::apimachinery::pkg::api::resource::Quantity(pods.to_owned()),
        )]),
    };
    cluster.quotas = vec![quota("4")];
    let status = computed(&object, &cluster, &[], 100).unwrap();
    assert_eq!(of(&status, "QuotaSufficient"), "False/QuotaTooSmall");
    assert_eq!(of(&status, "Ready"), "True/Ready");
    cluster.quotas = vec![quota("5")];
    assert_eq!(
        of(&computed(&object, &cluster, &[], 100).unwrap(), "QuotaSufficient"),
        "True/QuotaSufficient"
    );
}

#[test]
fn a_schedule_shows_what_holds_and_what_comes_next() {
    let mut worker = worker();
    worker["maxReplicas"] = json!(15);
    worker["schedules"] = json!([
        {"name": "hours", "schedule": "30 6 * * Mon-Fri", "duration": "13h30m", "timeZone": "Europe/Berlin", "minReplicas": 8},
        {"name": "night", "schedule": "0 22 * * *", "duration": "8h", "timeZone": "Europe/Berlin", "minReplicas": 1},
    ]);
    let object = one(worker);
    let sunday = "2026-11-29T20:00:00Z".parse::<Timestamp>().unwrap().as_second();
    let status = computed(&object, &scaling(&object), &[], sunday).unwrap();
    assert_eq!(status.min_replicas.as_deref(), Some("2"));
    assert_eq!(
        status.next_change.as_deref(),
        Some("Sun Nov 29 22:00 CET: worker 1 to 15 (night)")
    );
    let monday = "2026-11-30T06:00:00Z".parse::<Timestamp>().unwrap().as_second();
    let status = computed(&object, &scaling(&object), &[], monday).unwrap();
    assert_eq!(status.min_replicas.as_deref(), Some("8"));
    let workload = &status.workloads.as_ref().unwrap()[0];
    assert_eq!(
        serde_json::to_value(&workload.schedule).unwrap(),
        json!({
            "active": ["hours"], "minReplicas": 8, "maxReplicas": 15,
            "nextChange": {"time": "2026-11-30T19:00:00Z", "minReplicas": 2, "maxReplicas": 15},
        })
    );
    // The budget counts with the fewest replicas that there ever are.
    assert_eq!(workload.disruptions_allowed_at_min_replicas, Some(1));
    let mut suspended = object.clone();
    suspended.metadata.annotations = Some([(ANNOTATION.to_owned(), String::new())].into());
    let status = computed(&suspended, &scaling(&object), &[], monday).unwrap();
    let held = &status.workloads.unwrap()[0].schedule.clone().unwrap();
    assert_eq!(
        (held.min_replicas, held.max_replicas),
        (1, 15),
        "the widest bounds"
    );
}
