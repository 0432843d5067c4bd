//! The rights of each role after the install, as the API server sees them.

use serde_json::json;

use super::{
    guide,
    installation::{METRICS_SERVER, OPERATOR, cluster, eventually_can},
};
use support::install;

#[tokio::test]
async fn the_role_view_reads_resources_and_the_role_edit_writes_them_but_not_their_status() {
    let cluster = cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
    for role in ["view", "edit"] {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": format!("{role}er")}],
        });
        cluster.apply_all("default", &[binding]);
    }
    eventually_can(&cluster, "viewer", "watch voiceassistscalings -n default").await;
    eventually_can(&cluster, "editer", "create voiceassistscalings -n default").await;
    let allowed = [
        (
            "viewer",
            "get voiceassistscalings --subresource=status -n default",
        ),
        ("editer", "list voiceassistscalings -n default"),
        ("editer", "delete voiceassistscalings -n default"),
        // The rights that vas suspend and vas resume need.
        ("editer", "get voiceassistscalings -n default"),
        ("editer", "patch voiceassistscalings -n default"),
        ("editer", "get horizontalpodautoscalers.autoscaling -n default"),
    ];
    for (user, what) in allowed {
        assert!(cluster.can(user, what), "{user} may not {what}");
    }
    let refused = [
        ("viewer", "patch voiceassistscalings -n default"),
        (
            "editer",
            "patch voiceassistscalings --subresource=status -n default",
        ),
        ("editer", "get voiceassistscalings -n kube-system"),
    ];
    for (user, what) in refused {
        assert!(!cluster.can(user, what), "{user} may {what}");
    }
    for role in ["view", "edit"] {
        cluster.delete("default", "rolebinding", role);
    }
}

#[tokio::test]
async fn the_accounts_may_not_do_what_is_not_their_job() {
    let cluster = cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
    eventually_can(&cluster, OPERATOR, "create poddisruptionbudgets -A").await;
    eventually_can(
        &cluster,
        METRICS_SERVER,
        "get secrets/vas-metrics-server-tls -n vas-system",
    )
    .await;
    let refused = [
        (OPERATOR, "patch deployments -n default"),
        (OPERATOR, "patch deployments.apps --subresource=scale -n default"),
        (OPERATOR, "update voiceassistscalings -n default"),
        (OPERATOR, "delete voiceassistscalings -n default"),
        (OPERATOR, "get secrets -n vas-system"),
        (OPERATOR, "list pods -n default"),
        (OPERATOR, "create limitranges -n default"),
        (OPERATOR, "patch resourcequotas -n default"),
        (OPERATOR, "list customresourcedefinitions"),
        (OPERATOR, "update leases/vas-metrics-server -n vas-system"),
        (METRICS_SERVER, "get secrets -n vas-system"),
        (METRICS_SERVER, "get secrets -n default"),
        (METRICS_SERVER, "create secrets -n vas-system"),
        (METRICS_SERVER, "create apiservices"),
        (METRICS_SERVER, "patch apiservices/v1beta1.metrics.k8s.io"),
        (METRICS_SERVER, "watch apiservices"),
        (METRICS_SERVER, "get apiservices/v1beta2.custom.metrics.k8s.io"),
        (METRICS_SERVER, "delete apiservices/v1beta2.custom.metrics.k8s.io"),
        (
            METRICS_SERVER,
            "watch secrets/vas-metrics-server-tls -n vas-system",
        ),
        (METRICS_SERVER, "delete pods -n default"),
        (METRICS_SERVER, "patch voiceassistscalings -n default"),
    ];
    for (user, what) in refused {
        assert!(!cluster.can(user, what), "{user} may {what}");
    }
}

#[tokio::test]
async fn a_labelled_role_lets_the_operator_read_another_kind_of_target() {
    let cluster = cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
    let crd = include_str!("../../fixtures/rollouts-crd.yaml");
    cluster.apply("", crd);
    cluster.established("rollouts.argoproj.io");
    let right = "get rollouts.argoproj.io --subresource=scale -n default";
    assert!(
        !cluster.can(OPERATOR, right),
        "the right is there before it is given"
    );
    for command in guide::commands("Targets other than Deployments and StatefulSets") {
        guide::run(&cluster, &command);
    }
    eventually_can(&cluster, OPERATOR, right).await;
    cluster.kubectl_ok(
        &["delete", "-f", "docs/examples/scale-target-rollouts.yaml"],
        None,
    );
    cluster.delete("", "crd", "rollouts.argoproj.io");
}

#[tokio::test]
async fn the_right_to_the_external_apiservice_comes_with_its_component_and_is_no_more_than_that() {
    let cluster = cluster().await;
    install::apply_with_kubectl(&cluster, &install::rendered(install::INSTALL));
    let name = "v1beta1.external.metrics.k8s.io";
    let patch = format!("patch apiservices/{name}");
    assert!(
        !cluster.can(METRICS_SERVER, &patch),
        "the right is there before it is given"
    );
    let heading = "External metrics";
    for command in guide::commands(heading) {
        assert_eq!(
            guide::run(&cluster, &command),
            "",
            "the group has an owner already"
        );
    }
    let external = guide::kustomization(heading);
    cluster.kubectl_ok(&["apply", "-k", &external.folder().to_string_lossy()], None);
    eventually_can(&cluster, METRICS_SERVER, &patch).await;
    for right in [
        "patch apiservices/v1beta1.metrics.k8s.io".to_owned(),
        format!("delete apiservices/{name}"),
    ] {
        assert!(!cluster.can(METRICS_SERVER, &right), "it may {right}");
    }
    for kind in ["clusterrolebinding", "clusterrole"] {
        cluster.delete("", kind, "vas-metrics-server-external");
    }
}
