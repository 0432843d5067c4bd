//! A resource on a cluster: changes its annotations, and waits for the operator.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    core::{ApiResource, DynamicObject},
};
use serde_json::Value;

use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::{
    request::{RequestError, answer},
    server_clock::ServerClock,
};
use vas_core::{
    reconcile::suspend::{LeftFrozen, Suspended, change::ChangeError, freeze, is_frozen, left_frozen},
    spec::{
        model::child_name,
        rules::{Validation, validate},
    },
};

/// Field manager of the annotation.
const FIELD_MANAGER: &str = "vas-suspend";
/// Attempts at a write that conflicts with the writes of others.
const ATTEMPTS: u32 = 20;
/// Time between two looks at what the operator has done.
const POLL: Duration = Duration::from_millis(250);

/// Why nothing was changed, or why the change may have had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SuspendError {
    /// The requested change does not fit the resource.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The API server refuses the request, or does not answer it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Each attempt conflicted with a write of somebody else.
    #[error("cannot change {0}: it changes all the time")]
    Busy(String),
    /// The stored resource does not parse.
    #[error(
        "{name} is written, but does not parse, and nothing follows it: {cause}; see kubectl describe vas {name}"
    )]
    Malformed {
        /// Name of the resource.
        name: String,
        /// Why it does not parse.
        cause: String,
    },
    /// The operator does not act on the change.
    #[error(
        "{name} is written, but it had no effect within {} s: {missing}; is vas operator of this version running? See vas doctor", .limit.as_secs()
    )]
    NoEffect {
        /// Name of the resource.
        name: String,
        /// How long the effect was awaited.
        limit: Duration,
        /// What differs from the requested state.
        missing: String,
    },
}

impl SuspendError {
    /// Whether the API server says that the object does not exist.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Request(error) if error.status() == Some(404))
    }
}

/// A VoiceAssistScaling on a cluster.
pub(super) struct Resource {
    pub(super) client: Client,
    pub(super) namespace: String,
    name: String,
}

impl Resource {
    /// The resource of that name.
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Untyped, so that fields that this version does not know stay.
    fn api(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<VoiceAssistScaling>(&());
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind)
    }

    async fn read(&self) -> Result<Value, SuspendError> {
        let what = format!("read VoiceAssistScaling {} in {}", self.name, self.namespace);
        let object = answer(&what, self.api().get(&self.name)).await?;
        Ok(serde_json::to_value(object).map_err(|error| RequestError::unreadable(what, error))?)
    }

    /// Writes the merge patch that `change` makes from the current resource. If `change` returns `None`,
    /// nothing is written. Returns the resource after the write. With `dry_run` the API server checks the patch
    /// and does not store it.
    ///
    /// # Errors
    /// When `change` or the API server refuses.
    pub(super) async fn change(
        &self,
        dry_run: bool,
        change: impl Fn(&Value) -> Result<Option<Value>, ChangeError>,
    ) -> Result<Value, SuspendError> {
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            dry_run,
            ..PatchParams::default()
        };
        let what = format!("change VoiceAssistScaling {} in {}", self.name, self.namespace);
        for _ in 0..ATTEMPTS {
            let read = self.read().await?;
            let Some(patch) = change(&read)? else {
                return Ok(read);
            };
            let api = self.api();
            match answer(&what, api.patch(&self.name, &params, &Patch::Merge(patch))).await {
                Ok(written) => {
                    return serde_json::to_value(written).map_err(|cause| SuspendError::Malformed {
                        name: self.name.clone(),
                        cause: cause.to_string(),
                    });
                }
                // Somebody else wrote since the read: read again and repeat.
                Err(error) if error.status() == Some(409) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(SuspendError::Busy(self.name.clone()))
    }

    /// Waits until the operator has done what the resource asks for. Then the status names what is suspended,
    /// the HPAs of suspended workloads follow no metric, and all other HPAs follow their metrics.
    ///
    /// # Errors
    /// When that does not happen within the limit, or cannot be read.
    pub(super) async fn until_in_effect(
        &self,
        clock: ServerClock,
        limit: Duration,
    ) -> Result<(), SuspendError> {
        let in_effect = async {
            while self.missing(clock).await?.is_some() {
                tokio::time::sleep(POLL).await;
            }
            Ok(())
        };
        if let Ok(looked) = tokio::time::timeout(limit, in_effect).await {
            return looked;
        }
        match self.missing(clock).await? {
            None => Ok(()),
            Some(missing) => Err(SuspendError::NoEffect {
                name: self.name.clone(),
                limit,
                missing,
            }),
        }
    }

    /// The first difference between the cluster and what the resource asks for; `None` if there is none.
    async fn missing(&self, clock: ServerClock) -> Result<Option<String>, SuspendError> {
        let read = self.read().await?;
        // `change` has reported this already.
        let Ok(parsed) = parse(&read) else {
            return Ok(Some("the resource does not parse".to_owned()));
        };
        let mut validation = validate(&parsed);
        let requested = freeze(&parsed, &mut validation, clock.now());
        let says = parsed.status.as_ref().and_then(|status| status.suspended.clone());
        if says != requested.short() {
            let says = says.unwrap_or_else(|| "nothing".to_owned());
            return Ok(Some(format!("its status says that {says} is suspended")));
        }
        let frozen = requested.frozen();
        let hpas: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), &self.namespace);
        for workload in &parsed.spec.workloads {
            let name = child_name(&self.name, &workload.name);
            let what = format!("read HorizontalPodAutoscaler {name}");
            // An HPA that does not exist scales nothing.
            let Some(hpa) = answer(&what, hpas.get_opt(&name)).await? else {
                continue;
            };
            let is_suspended = frozen.contains(&*workload.name);
            if let Some(missing) = differs(&hpa, &workload.name, is_suspended, &validation) {
                return Ok(Some(format!("HorizontalPodAutoscaler {name} {missing}")));
            }
        }
        Ok(None)
    }
}

/// What is suspended in a resource at a moment.
///
/// # Errors
/// When the resource does not parse.
pub(super) fn suspended(object: &Value, now: Timestamp) -> Result<Suspended, SuspendError> {
    let parsed: VoiceAssistScaling = parse(object)?;
    Ok(freeze(&parsed, &mut validate(&parsed), now))
}

/// How an HPA is wrong: it follows metrics although its workload is suspended, or follows none although it is
/// not.
fn differs(
    hpa: &HorizontalPodAutoscaler,
    workload: &str,
    is_suspended: bool,
    validation: &Validation,
) -> Option<String> {
    if is_suspended {
        return (!is_frozen(hpa)).then(|| "still follows its metrics".to_owned());
    }
    Some(match left_frozen(hpa, workload, validation.scaling.as_ref())? {
        LeftFrozen::NotWritten => "still follows no metric".to_owned(),
        LeftFrozen::BreaksRule => {
            let concerns = |named: Option<&str>| named.is_none_or(|named| named == workload);
            let mut violations = validation.violations.iter();
            let broken = violations.find(|violation| concerns(violation.workload.as_deref()));
            let broken = broken
                .map(|violation| format!(": {violation}"))
                .unwrap_or_default();
            format!(
                "follows no metric until the spec of workload {workload}, which breaks a rule, is mended{broken}"
            )
        }
    })
}

fn parse(object: &Value) -> Result<VoiceAssistScaling, SuspendError> {
    serde_json::from_value(object.clone()).map_err(|cause| SuspendError::Malformed {
        name: object
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        cause: cause.to_string(),
    })
}
