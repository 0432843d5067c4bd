//! The innocent tenant: one workload that scales on the depth of a queue.

use std::time::Duration;

use crate::{record::Record, say, stage::Stage};
use support::{deployment::deployment, eventually};

/// Namespace of the innocent tenant.
pub(crate) const NAMESPACE: &str = "innocent";
/// The metric that it scales on.
pub(crate) const GAUGE: &str = "innocent_queue_depth";
/// Queue depth and replicas before its load is raised. The target is 50 per pod.
const LOADED: (f64, u32) = (180.0, 4);
/// Queue depth and replicas after its load was raised.
const MORE_LOADED: (f64, u32) = (330.0, 7);

const SCALING: &str = "
apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {name: voiceassist}
spec:
  workloads:
  - name: worker
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
    minReplicas: 2
    maxReplicas: 10
    behavior: {scaleDown: {stabilizationWindowSeconds: 0}}
    metrics:
    - {name: depth, maxAge: 15s, queueDepth: {gauge: innocent_queue_depth, target: {averageValue: '50'}}}
";

/// The innocent tenant must never have fewer replicas than this.
pub(crate) const FEWEST: u32 = LOADED.1;
/// Replicas that it needs after its load was raised.
pub(crate) const WANTED: u32 = MORE_LOADED.1;

/// Creates the tenant, and waits until the HPA has brought the replicas that the load needs. Its HPA scales
/// down without any delay, so each wrong number shows.
pub(crate) async fn settle(stage: &Stage) {
    say("the innocent tenant settles");
    let cluster = &stage.cluster;
    cluster.kubectl_ok(&["create", "namespace", NAMESPACE], None);
    let labels = [("namespace", NAMESPACE)];
    stage.exporter.set(GAUGE, &labels, LOADED.0);
    let objects = format!("{}---\n{SCALING}", deployment("worker", 2));
    cluster.kubectl_ok(&["-n", NAMESPACE, "apply", "-f", "-"], Some(&objects));
    eventually(Duration::from_secs(180), "its load is carried", || async {
        let replicas = replicas(stage);
        (replicas == Some(FEWEST))
            .then_some(())
            .ok_or(format!("{replicas:?}"))
    })
    .await;
}

/// Nearly doubles the tenant's load.
pub(crate) fn raise_load(stage: &Stage, record: &Record) {
    let labels = [("namespace", NAMESPACE)];
    stage.exporter.set(GAUGE, &labels, MORE_LOADED.0);
    record.raised();
}

/// The replicas that the HPA desires.
fn replicas(stage: &Stage) -> Option<u32> {
    let deployment = stage.get(NAMESPACE, "deployment/worker");
    let replicas = deployment["spec"]["replicas"].as_u64()?;
    u32::try_from(replicas).ok()
}
