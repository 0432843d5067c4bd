//! The metrics of an HPA, read each second as its controller reads them: the controller itself looks every 15 s only,
//! so its status shows a metric late.

use std::time::Duration;

use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec};
use serde_json::Value;
use tokio::task::JoinSet;

use super::Notes;
use crate::{
    core::hpa::metric_reads,
    diagnose::doctor::observed::ScaleTarget,
    loadtest::{
        autoscaling::ratio,
        cluster::{
            error::ClusterError,
            resource::{Resource, Subject},
        },
    },
};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(1);

/// A metric that is served by `custom.metrics.k8s.io` or `external.metrics.k8s.io`.
#[derive(Clone, Debug)]
pub(in crate::loadtest) struct Served {
    /// Its name.
    pub(in crate::loadtest) name: String,
    path: String,
    spec: MetricSpec,
}

/// The served metrics of an HPA.
pub(in crate::loadtest) fn served(hpa: &HorizontalPodAutoscaler, subject: &Subject) -> Vec<Served> {
    let kind = &subject.kind;
    let target = ScaleTarget {
        resource: if kind.group.is_empty() {
            kind.plural.clone()
        } else {
            format!("{}.{}", kind.plural, kind.group)
        },
        object: Value::Null,
        selector: subject.selector.clone(),
        replicas: subject.replicas,
    };
    let specs: Vec<&MetricSpec> = hpa.spec.metrics.iter().flatten().collect();
    metric_reads::paths(hpa, &target)
        .into_iter()
        .filter_map(|(name, path)| {
            let named = |spec: &&&MetricSpec| {
                let served = spec.pods.is_some() || spec.object.is_some() || spec.external.is_some();
                served && ratio::name_and_target(spec).is_some_and(|(found, _)| found == name)
            };
            let spec = (*specs.iter().find(named)?).clone();
            Some(Served { name, path, spec })
        })
        .collect()
}

/// Reads a metric.
///
/// # Errors
/// When the API does not answer, or refuses.
pub(in crate::loadtest) async fn read(resource: &Resource, metric: &Served) -> Result<Value, ClusterError> {
    resource
        .get(&format!("read metric {}", metric.name), &metric.path)
        .await
}

/// Begins to read them.
pub(super) fn watch(
    tasks: &mut JoinSet<()>,
    resource: &Resource,
    subject: &Subject,
    hpa: &HorizontalPodAutoscaler,
    notes: &Notes,
) {
    for metric in served(hpa, subject) {
        notes.observer.lock().read_directly(&metric.name, true);
        tasks.spawn(poll(resource.clone(), metric, notes.clone()));
    }
}

/// Without the right to read it, the HPA's own status has to do.
async fn poll(resource: Resource, metric: Served, notes: Notes) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let read = read(&resource, &metric).await;
        let at = notes.now();
        let mut observer = notes.observer.lock();
        let ready = observer.replicas().ready;
        match read {
            Ok(answer) => {
                let ratio = ratio::of_answer(&metric.spec, &answer, ready);
                observer.metric(at, &metric.name, ratio);
            }
            Err(error) if refused(&error) => {
                observer.read_directly(&metric.name, false);
                return;
            }
            Err(_) => observer.metric(at, &metric.name, None),
        }
    }
}

/// Whether the user has no right to read it.
pub(in crate::loadtest) fn refused(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Api { source: kube::Error::Api(status), .. } if matches!(status.code, 401 | 403))
}
