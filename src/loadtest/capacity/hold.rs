//! Holds the replicas of a workload on a cluster, and gives them back.
//!
//! A hold ends when its test no longer renews it. Then scaling goes on by itself, even if the whole machine
//! of the test is gone. Every write carries the resourceVersion of the read before it, so the API server
//! refuses the write if somebody else wrote in between. Therefore two tests cannot begin at once, and giving
//! back never undoes somebody else's change.

use std::time::Duration;

use jiff::Timestamp;
use kube::{
    Api,
    api::{Patch, PatchParams},
    core::{ApiResource, DynamicObject},
};
use serde_json::{Value, json};

use crate::cluster::{
    error::{ClusterError, answer, wait},
    hold_patch::{self, Hold, SuspendedBy},
    resource::{Resource, Subject},
};
use vas_api::v1alpha1::ScaleTargetRef;
use vas_cluster::server_clock::ServerClock;
use vas_core::reconcile::suspend::is_frozen;

/// Field manager of the changes that a test makes.
const FIELD_MANAGER: &str = "vas-test";
/// Longest wait for the operator to suspend the HPA.
const SUSPEND_LIMIT: Duration = Duration::from_mins(1);
/// Attempts at a write that conflicts with the writes of others.
const ATTEMPTS: u32 = 20;
/// A hold is renewed this many times within its duration, so that a short outage of the API server ends no
/// test.
const RENEWALS: u32 = 4;

/// A test's claim to hold replicas. It ends when it is not renewed.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Identity of the holder, unique among all tests.
    pub holder: String,
    /// When the hold began, for people to read.
    pub since: String,
    /// Time from a renewal to the end of the hold.
    pub lasts: Duration,
    /// The API server's clock, which decides about the end.
    pub clock: ServerClock,
}

impl Lease {
    /// The end of the hold if it is renewed now.
    fn end(&self) -> Timestamp {
        let now = self.clock.now();
        let seconds = i64::try_from(self.lasts.as_secs()).unwrap_or(i64::MAX);
        let end = now.as_second().saturating_add(seconds);
        Timestamp::from_second(end).unwrap_or(now)
    }
}

/// The result of giving back.
#[derive(Clone, Debug)]
pub struct Given {
    /// The hold that was there.
    pub hold: Hold,
    /// Whether the hold had ended before. Then scaling has gone on, and the replicas were left to the HPA.
    pub over: bool,
}

impl Given {
    /// Says what was restored on the resource of this name.
    pub fn in_words(&self, name: &str) -> String {
        let hold = &self.hold;
        let workload = &hold.workload;
        if self.over {
            return format!(
                "{name}: the hold of workload {workload} was over, and scaling had gone on by itself; what was left of the test is removed, and the replicas are left to the HPA"
            );
        }
        let replicas = format!("{name}: workload {workload} has its {} replicas", hold.replicas);
        match hold.suspended_by {
            SuspendedBy::Annotation => format!("{replicas} as before the test, which suspends it no longer"),
            SuspendedBy::Spec => {
                let suspend = hold
                    .suspend
                    .map_or_else(|| "not set".to_owned(), |suspend| suspend.to_string());
                format!("{replicas} and suspend ({suspend}) as before the test")
            }
        }
    }
}

impl Resource {
    /// Suspends the workload, and records its state before in the same write.
    ///
    /// # Errors
    /// When another test holds the resource, or somebody else suspends the workload.
    pub async fn hold(&self, subject: &Subject, lease: &Lease) -> Result<(), ClusterError> {
        for _ in 0..ATTEMPTS {
            let resource = self.read().await?;
            let now = lease.clock.now();
            hold_patch::free(&resource, now)?;
            hold_patch::unsuspended(&resource, &subject.workload, now)?;
            let hold = Hold {
                holder: lease.holder.clone(),
                since: lease.since.clone(),
                workload: subject.workload.clone(),
                target: subject.target.clone(),
                replicas: subject.replicas,
                suspended_by: SuspendedBy::Annotation,
                environment: None,
                suspend: None,
            };
            if self
                .write(&hold_patch::hold_patch(&resource, &hold, lease.end())?)
                .await?
            {
                return Ok(());
            }
        }
        Err(ClusterError::Busy(self.name.clone()))
    }

    /// Waits until the HPA is suspended, which means that it follows no metric.
    ///
    /// # Errors
    /// When no operator suspends the HPA in time.
    pub async fn until_suspended(&self, subject: &Subject) -> Result<(), ClusterError> {
        let waited = wait(SUSPEND_LIMIT, async || {
            Ok(is_frozen(&self.hpa(&subject.hpa).await?))
        });
        if waited.await? {
            return Ok(());
        }
        Err(ClusterError::Precondition(format!(
            "HorizontalPodAutoscaler {} was not suspended within {} s of the annotation {} of {}: is vas operator of this version running, and is the resource Ready?",
            subject.hpa,
            SUSPEND_LIMIT.as_secs(),
            hold_patch::suspension_key(),
            self.name
        )))
    }

    /// Renews a hold for as long as the future is polled. A failed attempt is repeated until the hold ends.
    ///
    /// # Errors
    /// The future ends only with an error: somebody took the hold away, or the hold has ended.
    pub async fn keep(&self, lease: &Lease) -> ClusterError {
        let pause = lease.lasts / RENEWALS;
        let mut end = lease.end();
        loop {
            tokio::time::sleep(pause).await;
            // Taken before the request, so the assumed end is never later than the end that was written.
            let next = lease.end();
            match self.renew(lease).await {
                Ok(()) => end = next,
                // Retrying cannot help: somebody else has the resource now.
                Err(error @ (ClusterError::Lost(_) | ClusterError::Hold(_))) => return error,
                Err(error) if lease.clock.now() >= end => return error,
                Err(error) => tracing::warn!(%error, "cannot renew the hold; trying again"),
            }
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<(), ClusterError> {
        for _ in 0..ATTEMPTS {
            let resource = self.read().await?;
            let hold = self.own(&resource, lease)?;
            if self
                .write(&hold_patch::renew_patch(&resource, &hold, lease.end())?)
                .await?
            {
                return Ok(());
            }
        }
        Err(ClusterError::Busy(self.name.clone()))
    }

    /// The hold of this lease, if it is still there and has not ended.
    fn own(&self, resource: &Value, lease: &Lease) -> Result<Hold, ClusterError> {
        hold_patch::held(resource)?
            .filter(|hold| hold.holder == lease.holder && !hold.is_over(resource, lease.clock.now()))
            .ok_or_else(|| ClusterError::Lost(self.name.clone()))
    }

    /// Scales the target, and waits until exactly that many pods exist and all are Ready.
    ///
    /// # Errors
    /// When they are not Ready within `limit`.
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

    /// Whether exactly that many pods exist, all of them Ready, while the hold is still there.
    ///
    /// # Errors
    /// When the pods cannot be read, or the hold is gone.
    pub async fn steady(
        &self,
        subject: &Subject,
        replicas: u32,
        lease: &Lease,
    ) -> Result<bool, ClusterError> {
        self.own(&self.read().await?, lease)?;
        Ok(self.pods(subject).await? == (replicas, replicas))
    }

    /// Restores what a test changed. The replicas go first, while no HPA moves them. If the hold has ended,
    /// the HPA may have moved them since, and they are left as they are. With `holder`, only the hold of that
    /// test is given back. `None` if there is nothing to restore.
    ///
    /// # Errors
    /// When the state cannot be restored; then the annotation stays.
    pub async fn give_back(&self, holder: Option<&str>) -> Result<Option<Given>, ClusterError> {
        let clock = ServerClock::of(&self.client).await;
        for _ in 0..ATTEMPTS {
            let resource = match self.read().await {
                // The guardian of a test has nothing to do when the resource was deleted. A user who names a
                // resource gets the error.
                Err(error) if error.is_not_found() && holder.is_some() => return Ok(None),
                read => read?,
            };
            let Some(hold) = hold_patch::held(&resource)? else {
                return Ok(None);
            };
            if holder.is_some_and(|holder| holder != hold.holder) {
                return Ok(None);
            }
            let over = hold.is_over(&resource, clock.now());
            // The annotation must go last. If this process dies in between, the hold is still recorded and
            // can be given back again.
            if !over {
                self.put_replicas_back(&hold).await?;
            }
            if self.write(&hold_patch::give_back_patch(&resource, &hold)).await? {
                return Ok(Some(Given { hold, over }));
            }
        }
        Err(ClusterError::Busy(self.name.clone()))
    }

    /// A target that was deleted has no replicas to restore.
    async fn put_replicas_back(&self, hold: &Hold) -> Result<(), ClusterError> {
        let kind = self.kind(&hold.target).await?;
        match self
            .set_replicas(&kind, &hold.target, i64::from(hold.replicas))
            .await
        {
            Err(error) if error.is_not_found() => Ok(()),
            put => put,
        }
    }

    /// Whether the API server accepted the patch; `false` if somebody else wrote since the read.
    async fn write(&self, patch: &Value) -> Result<bool, ClusterError> {
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let api = self.resources();
        let what = format!("change VoiceAssistScaling {} in {}", self.name, self.namespace);
        match answer(&what, api.patch(&self.name, &params, &Patch::Merge(patch))).await {
            Ok(_) => Ok(true),
            // A conflict: the caller reads again and repeats.
            Err(error) if error.status() == Some(409) => Ok(false),
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
