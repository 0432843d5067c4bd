use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    k8s::{conditions::Status, resource_ref::ResourceRef},
    reconcile::{
        observed::{Claim, LimitClaim, VpaSupport},
        testing::{add, by_hand, carried_out, observed, planned, resource, worker, writes},
    },
};

const HPA: ChildKind = ChildKind::HorizontalPodAutoscaler;
const VPA: ChildKind = ChildKind::VerticalPodAutoscaler;
const PDB: ChildKind = ChildKind::PodDisruptionBudget;

fn one(worker: Value) -> VoiceAssistScaling {
    resource(json!({"workloads": [worker]}))
}

fn reasons(plan: &Plan) -> Vec<&'static str> {
    let of_workloads = plan.workloads.iter().flat_map(|workload| &workload.blockers);
    of_workloads
        .chain(&plan.limits)
        .map(|blocker| blocker.reason)
        .collect()
}

fn target() -> TargetKey {
    TargetKey::new("apps/v1", "Deployment", "worker")
}

#[test]
fn absent_children_are_created_and_present_ones_left_alone() {
    let object = one(worker());
    let empty = observed(&object);
    let first = planned(&object, &empty);
    assert_eq!(
        writes(&first),
        [
            "create HorizontalPodAutoscaler v-worker",
            "create VerticalPodAutoscaler v-worker",
            "create PodDisruptionBudget v-worker"
        ]
    );
    let second = planned(&object, &carried_out(&empty, &first));
    assert_eq!(writes(&second), Vec::<String>::new());
    assert_eq!(reasons(&second), Vec::<&str>::new());
}

#[test]
fn without_metrics_there_is_no_hpa_and_the_one_of_before_goes() {
    let scaled = one(worker());
    let cluster = carried_out(&observed(&scaled), &planned(&scaled, &observed(&scaled)));
    let mut alone = worker();
    for field in ["metrics", "maxReplicas", "minReplicas", "behavior"] {
        alone.as_object_mut().unwrap().remove(field);
    }
    let alone = one(alone);
    assert_eq!(
        writes(&planned(&alone, &observed(&alone))),
        [
            "create VerticalPodAutoscaler v-worker",
            "create PodDisruptionBudget v-worker"
        ]
    );
    assert_eq!(
        writes(&planned(&alone, &cluster)),
        ["delete HorizontalPodAutoscaler v-worker"]
    );
}

#[test]
fn every_child_belongs_to_the_resource_by_uid() {
    let object = one(worker());
    for application in planned(&object, &observed(&object)).apply {
        let owner = &application.child.body["metadata"]["ownerReferences"][0];
        assert_eq!(
            (&owner["uid"], &owner["controller"]),
            (&json!("own"), &json!(true))
        );
        assert_eq!(application.child.body.get("status"), None);
    }
}

#[test]
fn a_drifted_child_of_ours_is_updated_under_its_uid() {
    let object = one(worker());
    let cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    let mut changed = worker();
    changed["maxReplicas"] = json!(9);
    let plan = planned(&one(changed), &cluster);
    assert_eq!(writes(&plan), ["update HorizontalPodAutoscaler v-worker"]);
    let uid = "uid-HorizontalPodAutoscaler".to_owned();
    assert_eq!(plan.apply[0].how, How::Update { uid });
}

#[test]
fn somebody_elses_object_of_that_name_is_left_alone_and_named() {
    let object = one(worker());
    let mut cluster = observed(&object);
    add(&mut cluster, HPA, by_hand("v-worker"));
    let plan = planned(&object, &cluster);
    assert_eq!(
        writes(&plan),
        [
            "create VerticalPodAutoscaler v-worker",
            "create PodDisruptionBudget v-worker"
        ]
    );
    assert_eq!(reasons(&plan), [reason::OWNERSHIP_CONFLICT]);
    assert!(
        plan.workloads[0].blockers[0]
            .message
            .contains("HorizontalPodAutoscaler v-worker")
    );
}

#[test]
fn a_child_of_an_earlier_resource_of_the_same_name_is_waited_for() {
    let object = one(worker());
    let first = planned(&object, &observed(&object));
    let mut cluster = observed(&object);
    add(
        &mut cluster,
        HPA,
        crate::reconcile::testing::live(&first.apply[0].child, "earlier"),
    );
    let plan = planned(&object, &cluster);
    assert_eq!(plan.workloads[0].blockers[0].status, Status::Unknown);
    assert_eq!(reasons(&plan), [reason::PENDING]);
}

#[test]
fn objects_made_by_hand_on_the_same_pods_are_waited_for_one_by_one() {
    let object = one(worker());
    let mut cluster = observed(&object);
    for kind in [HPA, VPA] {
        add(
            &mut cluster,
            kind,
            Live {
                target: Some(target()),
                ..by_hand("hand")
            },
        );
    }
    let pods = Some("app in (worker,api)".parse().unwrap());
    add(
        &mut cluster,
        PDB,
        Live {
            selector: pods,
            ..by_hand("hand")
        },
    );
    let plan = planned(&object, &cluster);
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert_eq!(reasons(&plan), [reason::TARGET_ALREADY_MANAGED; 3]);

    cluster.live.remove(&HPA);
    assert_eq!(
        writes(&planned(&object, &cluster)),
        ["create HorizontalPodAutoscaler v-worker"]
    );
}

#[test]
fn a_budget_on_other_pods_is_no_obstacle() {
    let object = one(worker());
    let mut cluster = observed(&object);
    let pods = Some("app=api".parse().unwrap());
    add(
        &mut cluster,
        PDB,
        Live {
            selector: pods,
            ..by_hand("hand")
        },
    );
    assert_eq!(reasons(&planned(&object, &cluster)), Vec::<&str>::new());
}

fn claim(object: &VoiceAssistScaling) -> Claim {
    Claim::of(&ResourceRef::of(&object.metadata).unwrap(), object)
}

fn rival(created: &str) -> Arc<Claim> {
    let mut other = one(worker());
    other.metadata.name = Some("other".to_owned());
    other.metadata.uid = Some("other".to_owned());
    other.metadata.creation_timestamp = Some(serde_json::from_value(json!(created)).unwrap());
    other.spec.limits =
        Some(serde_json::from_value(json!({"limitRange": {"default": {"memory": "1Gi"}}})).unwrap());
    Arc::new(claim(&other))
}

#[test]
fn of_two_claims_on_a_free_target_the_older_wins() {
    let object = one(worker());
    let mut cluster = observed(&object);
    cluster.others = vec![rival("2026-01-01T00:00:00Z")];
    let plan = planned(&object, &cluster);
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert_eq!(reasons(&plan), [reason::TARGET_ALREADY_MANAGED]);
    cluster.others = vec![rival("2026-01-03T00:00:00Z")];
    assert_eq!(writes(&planned(&object, &cluster)).len(), 3);
}

#[test]
fn an_older_claim_takes_nothing_from_whoever_has_the_children() {
    let object = one(worker());
    let mut cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    cluster.others = vec![rival("2026-01-01T00:00:00Z")];
    let plan = planned(&object, &cluster);
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert_eq!(reasons(&plan), Vec::<&str>::new());
    let mut changed = worker();
    changed["maxReplicas"] = json!(9);
    assert_eq!(
        writes(&planned(&one(changed), &cluster)),
        ["update HorizontalPodAutoscaler v-worker"]
    );

    // The children of the younger resource block those of the older one.
    let children = cluster.live;
    let mut older = observed(&object);
    older.own.uid = "older".to_owned();
    older.own.created = None;
    older.live = children;
    for live in older.live.values_mut().flatten() {
        let mut named = (**live).clone();
        named.name = "younger-worker".to_owned();
        *live = Arc::new(named);
    }
    let plan = planned(&object, &older);
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert_eq!(reasons(&plan), [reason::TARGET_ALREADY_MANAGED; 3]);
}

#[test]
fn of_two_that_both_have_children_after_a_race_the_younger_lets_go() {
    let object = one(worker());
    let mut cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    let theirs = Live {
        controller: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference {
            uid: "other".to_owned(),
            ..Default::default()
        }),
        target: Some(target()),
        ..by_hand("other-worker")
    };
    add(&mut cluster, HPA, theirs);
    cluster.others = vec![rival("2026-01-01T00:00:00Z")];
    assert_eq!(
        writes(&planned(&object, &cluster)),
        ["delete HorizontalPodAutoscaler v-worker"]
    );
    cluster.others = vec![rival("2026-01-03T00:00:00Z")];
    assert_eq!(writes(&planned(&object, &cluster)), Vec::<String>::new());
}

#[test]
fn a_child_that_is_not_there_yet_goes_to_the_older_claim() {
    let mut without = worker();
    without["disruption"] = json!({"enabled": false});
    let first = one(without);
    let mut cluster = carried_out(&observed(&first), &planned(&first, &observed(&first)));
    cluster.others = vec![rival("2026-01-01T00:00:00Z")];
    let plan = planned(&one(worker()), &cluster);
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert_eq!(reasons(&plan), [reason::TARGET_ALREADY_MANAGED]);
}

#[test]
fn an_older_resource_claims_the_limits_of_its_merged_environment() {
    let limits = json!({"limitRange": {"default": {"memory": "1Gi"}}});
    let object = resource(json!({"workloads": [worker()], "limits": limits}));
    let withheld = |base: Option<Value>, over: Value| {
        let mut other = one(worker());
        other.metadata.name = Some("other".to_owned());
        other.metadata.uid = Some("other".to_owned());
        other.metadata.creation_timestamp =
            Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
        other.spec.limits = base.map(|base| serde_json::from_value(base).unwrap());
        other.spec.environment = Some("dev".to_owned());
        let environment = json!([{"name": "dev", "limits": over}, {"name": "idle", "limits": limits}]);
        other.spec.environments = Some(serde_json::from_value(environment).unwrap());
        let mut claim = claim(&other);
        claim.targets.clear();
        let mut cluster = observed(&object);
        cluster.others = vec![Arc::new(claim)];
        let plan = planned(&object, &cluster);
        assert_eq!(
            reasons(&plan).is_empty(),
            writes(&plan).contains(&"create LimitRange v".to_owned())
        );
        !reasons(&plan).is_empty()
    };
    let off = || Some(json!({"enabled": false}));
    let on = || Some(limits.clone());
    // The base switches the limits off, and the environment does not switch them on.
    assert!(!withheld(off(), limits.clone()));
    assert!(!withheld(off(), json!(null)));
    assert!(withheld(
        off(),
        json!({"enabled": true, "limitRange": {"max": {"memory": "2Gi"}}})
    ));
    assert!(!withheld(on(), json!({"enabled": false})));
    assert!(withheld(on(), json!({"enabled": true})));
    assert!(withheld(on(), json!(null)));
    assert!(withheld(None, limits.clone()));
    // Limits that hold neither a LimitRange nor a ResourceQuota ask for nothing.
    assert!(!withheld(Some(json!({})), json!({})));
    // A namespace takes a quota from one resource and a LimitRange from another.
    assert!(!withheld(
        Some(json!({"resourceQuota": {"hard": {"pods": "10"}}})),
        json!(null)
    ));
}

#[test]
fn limits_stay_with_the_resource_that_has_them() {
    let limits = json!({"limitRange": {"default": {"memory": "1Gi"}}});
    let object = resource(json!({"workloads": [worker()], "limits": limits}));
    let mut cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    let mut other = (*rival("2026-01-01T00:00:00Z")).clone();
    other.targets.clear();
    cluster.others = vec![Arc::new(other.clone())];
    let plan = planned(&object, &cluster);
    assert_eq!((writes(&plan), reasons(&plan)), (Vec::new(), Vec::new()));

    let mut newcomer = observed(&object);
    other.created = None;
    other.limits = LimitClaim::default();
    newcomer.others = vec![Arc::new(other)];
    let theirs = Live {
        controller: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference {
            uid: "other".to_owned(),
            ..Default::default()
        }),
        ..by_hand("other")
    };
    add(&mut newcomer, ChildKind::LimitRange, theirs);
    assert_eq!(
        reasons(&planned(&object, &newcomer)),
        [reason::TARGET_ALREADY_MANAGED]
    );
}

#[test]
fn nothing_is_created_for_a_target_that_is_not_there_and_nothing_deleted() {
    let object = one(worker());
    let first = planned(&object, &observed(&object));
    let mut gone = observed(&object);
    let missing = Target::Unusable {
        reason: reason::NOT_FOUND,
        message: "no".to_owned(),
    };
    gone.targets.insert("worker".to_owned(), missing);
    let plan = planned(&object, &gone);
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert_eq!(plan.workloads[0].target.reason, reason::NOT_FOUND);
    assert_eq!(
        writes(&planned(&object, &carried_out(&gone, &first))),
        Vec::<String>::new()
    );
}

#[test]
fn a_budget_without_selector_is_not_written() {
    let object = one(worker());
    let mut cluster = observed(&object);
    let without = Target::Found {
        selector: Err("no selector".to_owned()),
        template: None,
    };
    cluster.targets.insert("worker".to_owned(), without);
    let plan = planned(&object, &cluster);
    assert!(
        !writes(&plan)
            .iter()
            .any(|write| write.contains("PodDisruptionBudget"))
    );
    assert_eq!(reasons(&plan), [reason::NOT_SCALABLE]);
}

#[test]
fn a_vpa_is_written_only_where_its_mode_is_known() {
    let object = one(worker());
    let mut cluster = observed(&object);
    cluster.vpa = VpaSupport::Absent;
    let plan = planned(&object, &cluster);
    assert_eq!(reasons(&plan), [reason::VPA_NOT_INSTALLED]);
    assert_eq!(
        plan.workloads[0].blockers[0].status,
        Status::True,
        "a remark, no failure"
    );
    cluster.vpa = VpaSupport::Served {
        modes: Some(BTreeSet::from(["Initial".to_owned()])),
    };
    assert_eq!(reasons(&planned(&object, &cluster)), [reason::VPA_TOO_OLD]);
}

#[test]
fn a_kind_that_is_switched_off_is_deleted_and_only_ours() {
    let object = one(worker());
    let mut cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    add(&mut cluster, PDB, by_hand("theirs"));
    let mut without = worker();
    without["disruption"] = json!({"enabled": false});
    let plan = planned(&one(without), &cluster);
    assert_eq!(writes(&plan), ["delete PodDisruptionBudget v-worker"]);
    assert_eq!(plan.delete[0].uid, "uid-PodDisruptionBudget");
}

#[test]
fn an_invalid_workload_keeps_its_children_and_the_others_go_on() {
    let mut api = worker();
    api["name"] = json!("api");
    api["scaleTargetRef"]["name"] = json!("api");
    let both = resource(json!({"workloads": [worker(), api.clone()]}));
    let cluster = carried_out(&observed(&both), &planned(&both, &observed(&both)));
    let mut broken = worker();
    broken["minReplicas"] = json!(9);
    api["maxReplicas"] = json!(7);
    let plan = planned(&resource(json!({"workloads": [broken, api]})), &cluster);
    assert_eq!(writes(&plan), ["update HorizontalPodAutoscaler v-api"]);
}

#[test]
fn an_invalid_resource_writes_and_deletes_nothing() {
    let object = one(worker());
    let cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    let mut invalid = one(worker());
    invalid.spec.environment = Some("nowhere".to_owned());
    assert_eq!(planned(&invalid, &cluster), Plan::default());
}

#[test]
fn limits_that_the_operator_may_not_write_are_not_deleted_either() {
    let limits = json!({"limitRange": {"default": {"memory": "1Gi"}}});
    let object = resource(json!({"workloads": [worker()], "limits": limits}));
    let mut cluster = carried_out(&observed(&object), &planned(&object, &observed(&object)));
    let without = one(worker());
    assert_eq!(writes(&planned(&without, &cluster)), ["delete LimitRange v"]);
    cluster.manage_limits = false;
    let plan = planned(&without, &cluster);
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert_eq!(reasons(&plan), [reason::LIMITS_NOT_MANAGED]);
    assert!(
        plan.limits[0].message.contains("LimitRange v"),
        "{:?}",
        plan.limits
    );
    cluster.live.remove(&ChildKind::LimitRange);
    assert_eq!(reasons(&planned(&without, &cluster)), Vec::<&str>::new());
}

#[test]
fn limits_belong_to_the_oldest_and_can_be_switched_off_for_the_operator() {
    let limits =
        json!({"limitRange": {"default": {"memory": "1Gi"}}, "resourceQuota": {"hard": {"pods": "9"}}});
    let object = resource(json!({"workloads": [worker()], "limits": limits}));
    let mut cluster = observed(&object);
    let plan = planned(&object, &cluster);
    assert_eq!(
        writes(&plan)[3..],
        ["create LimitRange v", "create ResourceQuota v"]
    );
    cluster.manage_limits = false;
    assert_eq!(reasons(&planned(&object, &cluster)), [reason::LIMITS_NOT_MANAGED]);
    let mut settled = carried_out(&cluster, &plan);
    settled.manage_limits = false;
    let left = planned(&object, &settled);
    assert_eq!(writes(&left), Vec::<String>::new());
    let words = "LimitRange v and ResourceQuota v, written before, stay";
    assert!(left.limits[0].message.contains(words), "{:?}", left.limits);
    cluster.manage_limits = true;
    let mut older = (*rival("2026-01-01T00:00:00Z")).clone();
    older.targets.clear();
    cluster.others = vec![Arc::new(older)];
    // The older resource asks for a LimitRange only.
    let plan = planned(&object, &cluster);
    assert_eq!(reasons(&plan), [reason::TARGET_ALREADY_MANAGED]);
    assert_eq!(writes(&plan)[3..], ["create ResourceQuota v"]);
}
