//! The metrics of an HPA, read each second as its controller reads them: the controller itself looks every 15
//! s only, so its status shows a metric late.

use std::time::Duration;

use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec};
use serde_json::Value;
use tokio::task::JoinSet;

use super::Notes;
use crate::{
    autoscaling::ratio,
    cluster::{
        error::ClusterError,
        resource::{Resource, Subject},
    },
};
use vas_cluster::{discovery::Discovery, metric_read};
use vas_core::hpa::metric_question::{Question, questions};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(1);

/// A metric that is served by `custom.metrics.k8s.io` or `external.metrics.k8s.io`.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// Name of the metric in the HPA.
    pub(crate) name: String,
    question: Question,
    spec: MetricSpec,
}

/// The served metrics of an HPA.
pub(crate) fn served(hpa: &HorizontalPodAutoscaler, subject: &Subject) -> Vec<Served> {
    let specs = hpa.spec.metrics.iter().flatten();
    specs
        .zip(questions(hpa, &subject.selector))
        .filter_map(|(spec, question)| {
            Some(Served {
                name: question.served_metric()?.to_owned(),
                question,
                spec: spec.clone(),
            })
        })
        .collect()
}

/// Reads a metric.
///
/// # Errors
/// When the API is not served, does not answer, or refuses.
pub(crate) async fn read(
    resource: &Resource,
    discovery: &Discovery,
    metric: &Served,
) -> Result<Value, ClusterError> {
    let what = format!("read metric {}", metric.name);
    match metric_read::path(discovery, &resource.namespace, &metric.question).await {
        Ok(path) => resource.get(&what, &path).await,
        Err(source) => Err(ClusterError::NoPath { what, source }),
    }
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
    let mut discovery = resource.discovery();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let read = read(&resource, &discovery, &metric).await;
        if let Err(ClusterError::NoPath { .. }) = read {
            // What is not served yet may be when it is looked for again.
            discovery = resource.discovery();
        }
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
pub(crate) fn refused(error: &ClusterError) -> bool {
    matches!(error.status(), Some(401 | 403))
}
