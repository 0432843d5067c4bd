//! Migration: a namespace with children made by hand moves to vas, and no replica changes.

use std::time::Duration;

use super::fixture::{Operated, SOON, deployment, resource, workload};
use support::{Cluster, audit, eventually, eventually::throughout};

const BY_HAND: &str = r#"
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: by-hand}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  minReplicas: 2
  maxReplicas: 6
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: by-hand}
spec: {maxUnavailable: 1, selector: {matchLabels: {tier: voice}}}
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: by-hand}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  updatePolicy: {updateMode: "Off"}
"#;

#[tokio::test]
async fn moving_over_from_hand_made_objects_never_moves_replicas() {
    let cluster = Cluster::shared();
    super::children::install_vpa_crd(cluster);
    let operated = Operated::start("migration");
    operated.namespace.apply(&deployment("worker", 4));
    operated.namespace.apply(BY_HAND);
    let since = jiff::Timestamp::now();
    let replicas_stay = || async {
        let replicas = operated.replicas("worker");
        if replicas == 4 {
            Ok(())
        } else {
            Err(format!("{replicas} replicas"))
        }
    };

    let mut worker = workload("worker");
    worker["minReplicas"] = 2.into();
    worker["vertical"] = serde_json::json!({"updateMode": "Off"});
    operated.namespace.apply(&resource("v", &[worker]).to_string());
    let message = operated
        .condition("v", "ResourcesApplied", "False", "TargetAlreadyManaged")
        .await;
    for kind in [
        "HorizontalPodAutoscaler",
        "VerticalPodAutoscaler",
        "PodDisruptionBudget",
    ] {
        assert!(
            message.contains(&format!("{kind} by-hand")),
            "{kind} is not named in {message}"
        );
        assert!(operated.get(kind, "v-worker").is_none(), "{kind} must wait");
    }

    // Each child is taken over by itself, seconds after the old one is gone.
    for kind in ["hpa", "pdb", "vpa"] {
        operated.namespace.delete(kind, "by-hand");
        let gone = std::time::Instant::now();
        eventually(SOON, &format!("our {kind}"), || async {
            operated.get(kind, "v-worker").ok_or("not there")
        })
        .await;
        eprintln!("{kind} taken over {:?} after the old one went", gone.elapsed());
        replicas_stay().await.unwrap();
    }
    operated
        .condition("v", "ResourcesApplied", "True", "Applied")
        .await;
    throughout(Duration::from_secs(10), "4 replicas", replicas_stay).await;
    let scaled = audit::writes_since(cluster, operated.namespace.name(), since)
        .into_iter()
        .filter(|request| request.is_about("deployments"))
        .filter(|request| {
            request
                .object
                .as_ref()
                .is_some_and(|object| object.subresource == "scale")
        });
    assert_eq!(scaled.count(), 0, "nobody wrote a scale subresource");
}
