//! Holding the replicas of a workload on a cluster, and giving them back.
//!
//! Every write is refused by the API server if somebody else wrote since the read that it follows from: two tests can
//! not begin at once, and giving back undoes nobody's change.

use std::time::Duration;

use kube::{
    Api,
    api::{Patch, PatchParams},
    core::{ApiResource, DynamicObject},
};
use serde_json::{Value, json};

use crate::{
    api::v1alpha1::ScaleTargetRef,
    core::loadtest::hold::{self, Hold},
    loadtest::cluster::{
        error::{ClusterError, answer, not_found, wait},
        resource::{Resource, Subject},
    },
};

/// Field manager of what a test changes.
const FIELD_MANAGER: &str = "vas-test";
/// Longest wait for the operator to suspend the HPA.
const SUSPEND_LIMIT: Duration = Duration::from_secs(60);
/// Attempts at a write that others are faster than.
const ATTEMPTS: u32 = 20;

impl Resource {
    /// Suspends the workload, with what there was written down in the same write. Then waits until its HPA follows no
    /// metric.
    ///
    /// # Errors
    /// When another test has the resource, or no operator suspends the HPA in time. Then it may have to be given back.
    pub async fn hold(&self, subject: &Subject, holder: &str, since: &str) -> Result<(), ClusterError> {
        for _ in 0..ATTEMPTS {
            let resource = self.read().await?;
            hold::free(&resource)?;
            let (environment, suspend) = hold::suspend_of(&resource, &subject.workload);
            let hold = Hold {
                holder: holder.to_owned(),
                since: since.to_owned(),
                workload: subject.workload.clone(),
                target: subject.target.clone(),
                replicas: subject.replicas,
                environment,
                suspend,
            };
            if self.write(&hold::hold_patch(&resource, &hold)).await? {
                return self.until_suspended(subject).await;
            }
        }
        Err(ClusterError::Busy(self.name.clone()))
    }

    async fn until_suspended(&self, subject: &Subject) -> Result<(), ClusterError> {
        let waited = wait(SUSPEND_LIMIT, async || {
            Ok(hold::suspended(&self.hpa(&subject.hpa).await?))
        });
        if waited.await? {
            return Ok(());
        }
        Err(ClusterError::Precondition(format!(
            "HorizontalPodAutoscaler {} was not suspended within {} s of suspend: true in {}: is vas operator running, and is the resource Ready?",
            subject.hpa,
            SUSPEND_LIMIT.as_secs(),
            self.name
        )))
    }

    /// Asks for so many replicas, and waits until exactly so many pods are there, all of them Ready.
    ///
    /// # Errors
    /// When they are not in time.
    pub async fn scale_to(
        &self,
        subject: &Subject,
        replicas: u32,
        limit: Duration,
    ) -> Result<(), ClusterError> {
        self.set_replicas(&subject.kind, &subject.target, i64::from(replicas))
            .await?;
        let waited = wait(limit, async || {
            Ok(self.pods(subject).await? == (replicas, replicas))
        });
        if waited.await? {
            return Ok(());
        }
        let (all, ready) = self.pods(subject).await?;
        Err(ClusterError::Precondition(format!(
            "{} {} has {ready} Ready pods of {all} where {replicas} were asked for, after {} s: is there room on the nodes and in the quota?",
            subject.target.kind,
            subject.target.name,
            limit.as_secs()
        )))
    }

    /// Whether exactly so many pods are there, all of them Ready, and the hold is still there.
    ///
    /// # Errors
    /// When that cannot be read, or the hold is gone.
    pub async fn steady(&self, subject: &Subject, replicas: u32, holder: &str) -> Result<bool, ClusterError> {
        match hold::held(&self.read().await?)? {
            Some(hold) if hold.holder == holder => {}
            _ => return Err(ClusterError::Lost(self.name.clone())),
        }
        Ok(self.pods(subject).await? == (replicas, replicas))
    }

    /// Puts back what a test changed, replicas first while no HPA moves them. `holder`: of this test only. What was put
    /// back; `None` where there is nothing to be.
    ///
    /// # Errors
    /// When it cannot be put back; then the annotation is still there.
    pub async fn give_back(&self, holder: Option<&str>) -> Result<Option<Hold>, ClusterError> {
        for _ in 0..ATTEMPTS {
            let resource = match self.read().await {
                Err(ClusterError::Api { source, .. }) if not_found(&source) && holder.is_some() => {
                    return Ok(None);
                }
                read => read?,
            };
            let Some(hold) = hold::held(&resource)? else {
                return Ok(None);
            };
            if holder.is_some_and(|holder| holder != hold.holder) {
                return Ok(None);
            }
            self.put_replicas_back(&hold).await?;
            if self.write(&hold::give_back_patch(&resource, &hold)).await? {
                return Ok(Some(hold));
            }
        }
        Err(ClusterError::Busy(self.name.clone()))
    }

    /// A target that is gone has nothing to be put back.
    async fn put_replicas_back(&self, hold: &Hold) -> Result<(), ClusterError> {
        let kind = self.kind(&hold.target).await?;
        match self
            .set_replicas(&kind, &hold.target, i64::from(hold.replicas))
            .await
        {
            Err(ClusterError::Api { source, .. }) if not_found(&source) => Ok(()),
            put => put,
        }
    }

    /// Whether the patch was taken; `false` if somebody else wrote in between.
    async fn write(&self, patch: &Value) -> Result<bool, ClusterError> {
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let api = self.resources();
        let what = format!("change VoiceAssistScaling {} in {}", self.name, self.namespace);
        match answer(&what, api.patch(&self.name, &params, &Patch::Merge(patch))).await {
            Ok(_) => Ok(true),
            Err(ClusterError::Api {
                source: kube::Error::Api(status),
                ..
            }) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn set_replicas(
        &self,
        kind: &ApiResource,
        target: &ScaleTargetRef,
        replicas: i64,
    ) -> Result<(), ClusterError> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, kind);
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = json!({"spec": {"replicas": replicas}});
        let what = format!("scale {} {} to {replicas}", target.kind, target.name);
        answer(
            &what,
            api.patch_scale(&target.name, &params, &Patch::Merge(&patch)),
        )
        .await?;
        Ok(())
    }
}
