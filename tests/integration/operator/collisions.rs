//! Objects of others: the operator names them, waits for their end, and never changes them.

use serde_json::json;

use super::fixture::{Operated, SOON, deployment, resource, workload};
use support::eventually;

#[tokio::test]
async fn an_object_with_a_childs_name_is_never_written_and_holds_back_nothing_else() {
    let operated = Operated::start("conflict");
    operated.namespace.apply(&deployment("worker", 1));
    let theirs = r#"{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "v-worker"},
                     "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "elsewhere"}}}}"#;
    operated.namespace.apply(theirs);
    let before = operated.get("pdb", "v-worker").unwrap();
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());

    let message = operated
        .condition("v", "ResourcesApplied", "False", "OwnershipConflict")
        .await;
    assert!(message.contains("PodDisruptionBudget v-worker"), "{message}");
    assert!(
        operated.get("hpa", "v-worker").is_some(),
        "the HPA is not held back"
    );
    let after = operated.get("pdb", "v-worker").unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["ownerReferences"], json!(null));
    assert_eq!(
        operated
            .event("v", "OwnershipConflict")
            .await
            .matches("v-worker")
            .count(),
        1
    );

    operated.namespace.delete("pdb", "v-worker");
    operated
        .condition("v", "ResourcesApplied", "True", "Applied")
        .await;
    assert_eq!(
        operated.get("pdb", "v-worker").unwrap()["spec"]["maxUnavailable"],
        1
    );
}

#[tokio::test]
async fn of_two_resources_with_one_target_the_oldest_wins_and_the_other_takes_over() {
    let operated = Operated::start("twoclaims");
    operated.namespace.apply(&deployment("worker", 1));
    operated
        .namespace
        .apply(&resource("old", &[workload("worker")]).to_string());
    operated.appears("hpa", "old-worker").await;
    // Creation times are whole seconds. Without this wait the UID would decide.
    eventually(SOON, "the next second", || async {
        let object = operated.get("voiceassistscaling", "old").unwrap_or_default();
        let created: jiff::Timestamp = object["metadata"]["creationTimestamp"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        if jiff::Timestamp::now().duration_since(created).as_secs() >= 2 {
            Ok(())
        } else {
            Err("too early")
        }
    })
    .await;
    operated
        .namespace
        .apply(&resource("new", &[workload("worker")]).to_string());
    let message = operated
        .condition("new", "ResourcesApplied", "False", "TargetAlreadyManaged")
        .await;
    let words = "the older VoiceAssistScaling old has the same target, Deployment worker";
    assert!(message.contains(words), "{message}");
    assert!(operated.get("hpa", "new-worker").is_none());
    assert!(operated.get("pdb", "new-worker").is_none());

    operated.namespace.delete("voiceassistscaling", "old");
    operated.appears("hpa", "new-worker").await;
    operated.appears("pdb", "new-worker").await;
    operated
        .condition("new", "ResourcesApplied", "True", "Applied")
        .await;
}

#[tokio::test]
async fn a_second_resource_with_limits_is_refused() {
    let operated = Operated::start("twolimits");
    for name in ["a", "b"] {
        operated.namespace.apply(&deployment(name, 1));
        let mut resource = resource(name, &[workload(name)]);
        resource["spec"]["limits"] = json!({"limitRange": {"default": {"memory": "512Mi"}}});
        operated.namespace.apply(&resource.to_string());
    }
    // Both may be created in the same second. Then the UID decides, and one of them wins all the same.
    let winner = eventually(SOON, "one of the two is refused", || async {
        let refused = |name: &str| {
            let conditions = operated.conditions(name);
            conditions
                .iter()
                .any(|one| one["reason"] == "TargetAlreadyManaged" && one["type"] == "ResourcesApplied")
        };
        match (refused("a"), refused("b")) {
            (true, false) => Ok("b"),
            (false, true) => Ok("a"),
            both => Err(format!("{both:?}")),
        }
    })
    .await;
    operated.appears("limitrange", winner).await;
    let loser = if winner == "a" { "b" } else { "a" };
    assert!(operated.get("limitrange", loser).is_none());
    assert!(
        operated.get("hpa", &format!("{loser}-{loser}")).is_some(),
        "its HPA is not held back"
    );
}
