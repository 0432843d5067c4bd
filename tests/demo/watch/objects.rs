//! The watches: pods, Deployments, HPAs and the resource itself.

use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::Pod};
use kube::{Client, ResourceExt as _};
use vas_api::{condition::METRICS_AVAILABLE, v1alpha1::VoiceAssistScaling};

use super::follow::follow;
use crate::{
    clock::Clock,
    gather,
    oracle::Pods,
    record::{Condition, Scale, Shared, latest},
    workload::{SCALING, Workload},
};

pub(super) async fn pods(clock: Clock, client: Client, record: Shared) {
    follow::<Pod>(client, |pods| {
        let now = clock.now();
        let mut record = record.lock();
        for workload in Workload::ALL {
            let snapshot: Pods = pods
                .iter()
                .filter(|(_, pod)| pod.labels().get("app").is_some_and(|app| app == workload.name()))
                .map(|(name, pod)| (name.clone(), gather::pod(clock, pod)))
                .collect();
            let seen = record.of(workload);
            if latest(&seen.pods) != Some(&snapshot) {
                seen.pods.push(now, snapshot);
            }
        }
    })
    .await;
}

pub(super) async fn deployments(clock: Clock, client: Client, record: Shared) {
    follow::<Deployment>(client, |deployments| {
        let now = clock.now();
        for (name, deployment) in deployments {
            let Some(workload) = Workload::named(name) else {
                continue;
            };
            let status = deployment.status.clone().unwrap_or_default();
            let scale = Scale {
                spec: deployment.spec.replicas.unwrap_or(1),
                status: status.replicas.unwrap_or_default(),
                ready: status.ready_replicas.unwrap_or_default(),
            };
            let mut record = record.lock();
            let seen = record.of(workload);
            if latest(&seen.scale) != Some(&scale) {
                seen.scale.push(now, scale);
            }
        }
    })
    .await;
}

pub(super) async fn hpas(clock: Clock, client: Client, record: Shared) {
    follow::<HorizontalPodAutoscaler>(client, |hpas| {
        let now = clock.now();
        for workload in Workload::ALL {
            if let Some(hpa) = hpas.get(&workload.hpa()) {
                record.lock().of(workload).hpa.push(now, gather::hpa_status(hpa));
            }
        }
    })
    .await;
}

pub(super) async fn scaling(clock: Clock, client: Client, record: Shared) {
    follow::<VoiceAssistScaling>(client, |scalings| {
        let conditions = scalings
            .get(SCALING)
            .and_then(|scaling| scaling.status.as_ref()?.conditions.as_ref());
        let found = conditions
            .into_iter()
            .flatten()
            .find(|condition| condition.type_ == METRICS_AVAILABLE);
        let Some(found) = found else { return };
        let condition = Condition {
            status: found.status.clone(),
            reason: found.reason.clone(),
            message: found.message.clone(),
        };
        let mut record = record.lock();
        if latest(&record.metrics_available) != Some(&condition) {
            record.metrics_available.push(clock.now(), condition);
        }
    })
    .await;
}
