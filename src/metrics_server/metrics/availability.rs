//! Reports the condition `MetricsAvailable` on every resource. One replica writes it, by server-side apply of
//! this one condition, and only when it changes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    reads::Memory,
    registry::{Entry, ServedMetric},
};
use crate::certificate::api_services::ApiServices;
use vas_api::{FIELD_MANAGER_METRICS, condition::METRICS_AVAILABLE, v1alpha1::VoiceAssistScaling};
use vas_cluster::{
    clock::Clock,
    leader::{Election, Fence, FenceError, LeaderState},
};
use vas_core::{
    k8s::conditions::{Finding, Status, conditions},
    metrics::{
        condition::{Health, Settling, Verdict, verdict},
        freshness,
        registration::{MetricsApi, Unrouted, unrouted, with_unrouted},
    },
    spec::model::{MetricType, ScalingKey},
};

/// Time between two checks of all resources.
const PERIOD: Duration = Duration::from_secs(1);

/// The inputs of reporting.
pub(crate) struct Reporter {
    /// Client for the writes of conditions.
    pub client: Client,
    /// The election; without one, this replica reports.
    pub election: Option<Election>,
    /// The data that the HPA's reads are answered from.
    pub memory: Memory,
    /// Whether the HPA's reads come to this server.
    pub api_services: Arc<ApiServices>,
    /// Gives the time of conditions.
    pub clock: Arc<dyn Clock>,
}

impl Reporter {
    /// Reports until `stop` is cancelled, then releases the lease.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut settling = Settling::default();
        while stop
            .run_until_cancelled(tokio::time::sleep(PERIOD))
            .await
            .is_some()
        {
            match self.leads() {
                Some(fence) => self.report(&fence, &mut settling).await,
                None => settling = Settling::default(),
            }
        }
        if let Some(election) = self.election {
            election.release().await;
        }
    }

    /// The fence for writes, if this replica is the one that reports.
    fn leads(&self) -> Option<Fence> {
        match &self.election {
            None => Some(Fence::open()),
            Some(election) if *election.state.borrow() == LeaderState::Leading => {
                Some(election.fence.clone())
            }
            Some(_) => None,
        }
    }

    /// Checks all resources once, and writes the conditions that are due.
    async fn report(&self, fence: &Fence, settling: &mut Settling) {
        let entries = self.memory.registry.entries();
        let keys: BTreeSet<&ScalingKey> = entries.iter().map(|(key, _)| key).collect();
        settling.retain(|key| keys.contains(key));
        for (key, entry) in &entries {
            let now = self.clock.monotonic();
            let Some(verdict) = self.judge(entry, now) else {
                continue;
            };
            let generation = Some(entry.resource.generation);
            if settling.is_due(key, entry.condition.as_ref(), &verdict, generation, now) {
                let written = fence.write(self.write(key, entry, &verdict)).await;
                let success = matches!(written, Ok(Ok(())));
                let (jitter, now) = (vas_cluster::random::fraction(), self.clock.monotonic());
                settling.tried(key, &verdict, generation, success, jitter, now);
                log(key, &verdict, written);
            }
        }
    }

    fn judge(&self, entry: &Entry, now: Duration) -> Option<Verdict> {
        // Nothing of an invalid resource is served, so there are no metrics to report on.
        if !entry.valid && entry.metrics.is_empty() {
            return None;
        }
        let metrics: Vec<Health> = entry
            .metrics
            .iter()
            .map(|metric| self.health(metric, now))
            .collect();
        let verdict = verdict(&metrics)?;
        Some(
            MetricsApi::ALL
                .into_iter()
                .fold(verdict, |verdict, api| self.routed(api, entry, verdict)),
        )
    }

    /// Corrects the verdict if the HPA reads the metrics of `api` from another server than this one.
    fn routed(&self, api: MetricsApi, entry: &Entry, verdict: Verdict) -> Verdict {
        let metrics: Vec<String> = entry
            .metrics
            .iter()
            .filter(|metric| api_of(metric) == api)
            .map(|metric| format!("{}/{}", metric.workload, metric.name))
            .collect();
        if metrics.is_empty() {
            return verdict;
        }
        match unrouted(api, |name| self.api_services.registration(name)) {
            // External metrics are turned off on purpose, so nobody is told to install the APIService. The
            // error of the metric itself says that they are off.
            Some(Unrouted::Absent(MetricsApi::External)) if !self.memory.external_metrics => verdict,
            Some(unrouted) => with_unrouted(&unrouted, &metrics, &verdict),
            None => verdict,
        }
    }

    fn health(&self, metric: &ServedMetric, now: Duration) -> Health {
        let notes = metric.shape.as_ref().map(|shape| {
            let state = self.memory.store.get(shape);
            freshness::notes(state.as_deref(), metric.answer_namespace(), &metric.metric, now)
        });
        Health {
            name: format!("{}/{}", metric.workload, metric.name),
            missing: self.memory.missing(metric, now),
            notes: notes.unwrap_or_default(),
        }
    }

    async fn write(&self, key: &ScalingKey, entry: &Entry, verdict: &Verdict) -> kube::Result<()> {
        let finding = Finding {
            type_: METRICS_AVAILABLE,
            status: Status::of(verdict.status),
            reason: verdict.reason.to_owned(),
            message: verdict.message.clone(),
        };
        let before = entry.condition.as_slice();
        let conditions = conditions(&[finding], before, entry.resource.generation, self.clock.now());
        // The UID makes the server refuse the patch if the object was deleted and created again. A patch of
        // the status never creates an object.
        let patch = json!({
            "apiVersion": VoiceAssistScaling::api_version(&()),
            "kind": VoiceAssistScaling::kind(&()),
            "metadata": {"uid": entry.resource.uid},
            "status": {"conditions": conditions},
        });
        let api: Api<VoiceAssistScaling> = Api::namespaced(self.client.clone(), &key.namespace);
        let params = PatchParams::apply(FIELD_MANAGER_METRICS).force();
        api.patch_status(&key.name, &params, &Patch::Apply(&patch))
            .await?;
        Ok(())
    }
}

/// The API in which the HPA reads a metric.
fn api_of(metric: &ServedMetric) -> MetricsApi {
    match metric.metric.metric_type() {
        MetricType::External => MetricsApi::External,
        MetricType::Pods | MetricType::Object => MetricsApi::Custom,
    }
}

fn log(key: &ScalingKey, verdict: &Verdict, written: Result<kube::Result<()>, FenceError>) {
    let Verdict {
        status,
        reason,
        message,
    } = verdict;
    match written {
        Ok(Ok(())) => tracing::info!(scaling = %key, status, reason, message, "reported MetricsAvailable"),
        Ok(Err(error)) => tracing::warn!(scaling = %key, %error, "could not report MetricsAvailable"),
        Err(error) => tracing::warn!(scaling = %key, %error, "could not report MetricsAvailable"),
    }
}
