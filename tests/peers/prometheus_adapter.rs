//! An HPA on custom.metrics.k8s.io, fed by prometheus-adapter.

use super::moving::{Api, THEIRS, World};
use support::{peers, process::free_port};

const RULES: &str = r#"
rules:
- seriesQuery: 'peer_depth{namespace!="",deployment!=""}'
  resources:
    overrides:
      namespace: {resource: namespace}
      deployment: {group: apps, resource: deployment}
  name: {matches: "^peer_depth$", as: their-depth}
  metricsQuery: 'max(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'
"#;

const HPA: &str = "
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 10
  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}
  metrics:
  - type: Object
    object:
      metric: {name: their-depth}
      describedObject: {apiVersion: apps/v1, kind: Deployment, name: web}
      target: {type: AverageValue, averageValue: '10'}
";

#[tokio::test]
async fn prometheus_adapter_s_hpa_goes_on_scaling_through_the_move_and_back() {
    let world = World::start("peer-prometheus-adapter").await;
    let api = Api {
        short: "custom",
        versions: &["v1beta2", "v1beta1"],
        external: false,
    };
    let port = free_port();
    let _adapter = peers::prometheus_adapter(
        &world.cluster,
        &world.certificate,
        RULES,
        &world.prometheus.url(),
        port,
    );
    world.lead_to_adapter(&api, port);
    world.cluster.apply(THEIRS, HPA);
    world.move_and_return(&api, port).await;
}
