//! An HPA on external.metrics.k8s.io, which KEDA makes for a ScaledObject and feeds.

use super::moving::{ADAPTERS, Api, THEIRS, World};
use support::{peers, process::free_port};

#[tokio::test]
async fn keda_s_hpa_goes_on_scaling_through_the_move_and_back() {
    let world = World::start("peer-keda").await;
    let api = Api {
        short: "external",
        versions: &["v1beta1"],
        external: true,
    };
    peers::install_keda(&world.cluster).await;
    let port = free_port();
    let _keda = peers::keda(&world.cluster, &world.certificate, ADAPTERS, port);
    world.lead_to_adapter(&api, port);
    let scaled = SCALED_OBJECT.replace("PROMETHEUS", &world.prometheus.url());
    world.cluster.apply(THEIRS, &scaled);
    world.move_and_return(&api, port).await;
}

const SCALED_OBJECT: &str = r#"
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 1
  maxReplicaCount: 10
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {stabilizationWindowSeconds: 0}}}}
  triggers:
  - type: prometheus
    metadata:
      serverAddress: PROMETHEUS
      query: max(peer_depth{namespace="theirs"})
      threshold: "10"
"#;
