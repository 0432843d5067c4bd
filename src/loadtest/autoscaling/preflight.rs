//! The check before an autoscaling test sends anything: reads the workload again and again until nothing
//! prevents the test.

use std::time::Duration;

use k8s_openapi::api::{autoscaling::v2::HorizontalPodAutoscaler, core::v1::ResourceQuota};
use kube::{Api, api::ListParams};

use super::{
    preconditions::{Blocker, Found, blockers},
    watch::metrics,
};
use crate::cluster::{
    error::{ClusterError, answer},
    resource::{Resource, Subject},
};
use vas_core::k8s::pod_template;

/// Interval between two checks.
const EVERY: Duration = Duration::from_secs(2);

/// Repeats the check until a test with `wanted` replicas can be trusted, and returns the HPA of that moment.
/// Problems that may pass by themselves are waited for, up to `limit`; `say` is told each time they change.
///
/// # Errors
/// When a problem remains, or will not pass by itself.
pub async fn clear(
    resource: &Resource,
    subject: &Subject,
    wanted: u32,
    limit: Duration,
    mut say: impl FnMut(&str),
) -> Result<HorizontalPodAutoscaler, ClusterError> {
    let (mut since, mut said) = (Duration::ZERO, String::new());
    loop {
        let found = observe(resource, subject).await?;
        let blockers = blockers(&found, wanted);
        if blockers.is_empty() {
            return Ok(found.hpa);
        }
        let words = in_words(&blockers);
        if since >= limit || blockers.iter().any(|blocker| !blocker.passing) {
            return Err(ClusterError::Precondition(format!(
                "the test would prove nothing:\n  {words}"
            )));
        }
        if words != said {
            say(&format!("waiting: {words}"));
            said = words;
        }
        tokio::time::sleep(EVERY).await;
        since += EVERY;
    }
}

fn in_words(blockers: &[Blocker]) -> String {
    let words: Vec<&str> = blockers.iter().map(|blocker| blocker.words.as_str()).collect();
    words.join("\n  ")
}

async fn observe(resource: &Resource, subject: &Subject) -> Result<Found, ClusterError> {
    let Resource {
        client, namespace, ..
    } = resource;
    let hpa = resource.hpa(&subject.hpa).await?;
    let scale = resource.scale(&subject.kind, &subject.target).await?;
    let current = scale.spec.and_then(|spec| spec.replicas).unwrap_or(0);
    let mut unread = Vec::new();
    let discovery = resource.discovery();
    for metric in metrics::served(&hpa, subject) {
        match metrics::read(resource, &discovery, &metric).await {
            // Without permission to read the metric (RBAC), the HPA's own status has to do.
            Err(error) if !metrics::refused(&error) => unread.push((metric.name, error.to_string())),
            _ => {}
        }
    }
    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), namespace);
    // Without permission to list quotas (RBAC) they are not checked.
    let quotas = answer("list ResourceQuotas", quotas.list(&ListParams::default())).await;
    let target = resource.target(&subject.kind, &subject.target).await?;
    Ok(Found {
        hpa,
        current: u32::try_from(current).unwrap_or(0),
        pods: resource.pods(subject).await?,
        unread,
        quotas: quotas.map(|list| list.items).unwrap_or_default(),
        template: pod_template::read(&target),
    })
}
