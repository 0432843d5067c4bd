//! Faults of a workload: each is made for real, found by doctor, and no longer found once it is mended.

use serde_json::{Value, json};

use super::installation::{NAMESPACE, healthy};

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_blocks_drains_and_doubles_another_is_found() {
    let doctored = healthy().await;
    doctored.kubectl(&[
        "create",
        "pdb",
        "by-hand",
        "--selector=app=api-gateway",
        "--max-unavailable=0",
    ]);
    let found = doctored.finds("pdb-allows-drains", "problem").await;
    assert!(found.contains("by-hand: spec.maxUnavailable is 0"), "{found}");
    let found = doctored.finds("pdb-unique", "problem").await;
    assert!(found.contains("by-hand and voiceassist-api-gateway"), "{found}");
    doctored.delete("pdb", "by-hand");
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pins_the_replicas_is_named_with_the_fix_for_that_tool() {
    let doctored = healthy().await;
    let pinned = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api-gateway"},
        "spec": {"replicas": 2}});
    let applied = doctored
        .cluster
        .try_apply(NAMESPACE, &pinned, "kustomize-controller");
    applied.unwrap();
    let found = doctored.finds("replicas-unpinned", "warning").await;
    assert!(
        found.contains("set by kustomize-controller") && found.contains("Flux"),
        "{found}"
    );
    let nobody = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]);
    doctored.patch("deployment", "api-gateway", &nobody);

    // The file of a client-side apply counts, although the HPA has written the replicas since.
    let mut object: Value = doctored
        .cluster
        .read(NAMESPACE, "deployment", "api-gateway")
        .unwrap();
    for field in [
        "managedFields",
        "annotations",
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "generation",
    ] {
        object["metadata"].as_object_mut().unwrap().remove(field);
    }
    object.as_object_mut().unwrap().remove("status");
    doctored
        .cluster
        .kubectl_ok(&["-n", NAMESPACE, "apply", "-f", "-"], Some(&object.to_string()));
    let found = doctored.finds("replicas-unpinned", "warning").await;
    assert!(found.contains("kubectl-client-side-apply"), "{found}");
    doctored.restore();
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_requests_and_a_tight_probe_are_found() {
    let doctored = healthy().await;
    let probe = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe", "value":
        {"httpGet": {"path": "/ready", "port": 8080}, "timeoutSeconds": 1, "periodSeconds": 2, "failureThreshold": 1}}]);
    doctored.patch("deployment", "api-gateway", &probe);
    let found = doctored.finds("readiness-probe", "warning").await;
    assert!(
        found.contains("container app: readinessProbe gives up after 2 s"),
        "{found}"
    );
    let requests = json!([{"op": "remove", "path": "/spec/template/spec/containers/0/resources"}]);
    doctored.patch("deployment", "api-gateway", &requests);
    let found = doctored.finds("container-requests", "problem").await;
    assert!(
        found.contains("container app: resources.requests.cpu is not set"),
        "{found}"
    );
    doctored.restore();
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_hpa_on_the_target_is_found_and_its_effect_too() {
    let doctored = healthy().await;
    doctored.kubectl(&[
        "autoscale",
        "deployment",
        "api-gateway",
        "--name=by-hand",
        "--max=3",
        "--cpu=50%",
    ]);
    let found = doctored.finds("hpa-unique", "problem").await;
    assert!(found.contains("delete hpa by-hand"), "{found}");
    let found = doctored.finds("hpa-conditions", "problem").await;
    assert!(found.contains("AmbiguousSelector"), "{found}");
    doctored.delete("hpa", "by-hand");
    doctored.becomes_healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_without_room_and_a_target_that_is_gone_are_found() {
    let doctored = healthy().await;
    doctored.kubectl(&["create", "quota", "team", "--hard=pods=3"]);
    let found = doctored.finds("quota-room", "warning").await;
    assert!(
        found.contains("spec.hard.pods is 3, 2 are used") && found.contains("need 2 more"),
        "{found}"
    );
    doctored.delete("quota", "team");

    let nobody =
        json!([{"op": "replace", "path": "/spec/workloads/0/scaleTargetRef/name", "value": "nobody"}]);
    doctored.patch("vas", "voiceassist", &nobody);
    let found = doctored.finds("scale-target-found", "problem").await;
    assert!(found.contains("nobody: does not exist"), "{found}");
    let found = doctored.finds("scaling-conditions", "problem").await;
    assert!(found.contains("ScaleTargetFound=False NotFound"), "{found}");
    doctored.restore();
    doctored.becomes_healthy().await;
}
