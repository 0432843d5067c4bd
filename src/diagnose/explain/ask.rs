//! Decides what to read: the workloads of a resource, and the HPA of each.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use super::ObservedWorkload;
use vas_api::v1alpha1::{ScaleTargetRef, VoiceAssistScaling};
use vas_core::{
    k8s::resource_ref::ResourceRef,
    reconcile::{desired::hpa, suspend::freeze},
    schedule::words,
    spec::{
        environment,
        model::{Workload, child_name},
        rules::validate,
    },
};

/// One workload of a resource in its active environment.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Name of the workload.
    pub name: String,
    /// The scale target of the workload.
    pub target: ScaleTargetRef,
    /// Name of the HPA.
    pub hpa: String,
    /// The workload, and the HPA that the operator writes for it; `None` if the workload breaks a rule.
    pub valid: Option<Box<(Workload, HorizontalPodAutoscaler)>>,
    /// Who suspended the workload, until when and why; `None` if it is not suspended.
    pub suspended: Option<String>,
    /// What the schedule makes of the bounds, until when; `None` without a schedule.
    pub schedule: Option<String>,
    /// Names of the metrics that the spec disables.
    pub disabled_metrics: Vec<String>,
}

/// The workloads of a resource that have an HPA, with the suspensions that hold at `now`.
pub fn asked(resource: &ResourceRef, object: &VoiceAssistScaling, now: Timestamp) -> Vec<Asked> {
    let mut validation = validate(object);
    let suspended = freeze(object, &mut validation, now);
    let scaling = validation.scaling;
    let spec = environment::resolve(&object.spec, object.spec.environment.as_deref())
        .unwrap_or_else(|_| object.spec.clone());
    let asked = |written: &vas_api::v1alpha1::Workload| {
        let workload = scaling.as_ref().and_then(|scaling| {
            let mut workloads = scaling.workloads.iter();
            workloads
                .find(|one| one.name == written.name)
                .map(|workload| (scaling, workload))
        });
        let valid = workload.map(|(scaling, workload)| {
            let hpa = hpa::build(scaling, workload, now, None);
            Box::new((workload.clone(), hpa))
        });
        let schedule = workload
            .filter(|(_, workload)| !workload.schedules.is_empty())
            .map(|(_, workload)| scheduled(workload, now));
        let disabled = written
            .metrics
            .iter()
            .flatten()
            .filter(|metric| metric.enabled == Some(false));
        Asked {
            name: written.name.clone(),
            target: written.scale_target_ref.clone(),
            hpa: child_name(&resource.name, &written.name),
            valid,
            suspended: suspended.of(&written.name),
            schedule,
            disabled_metrics: disabled.map(|metric| metric.name.clone()).collect(),
        }
    };
    // A workload without metrics has no HPA to explain.
    let scaled = spec
        .workloads
        .iter()
        .filter(|workload| workload.metrics.is_some());
    scaled.map(asked).collect()
}

/// What the schedule of a workload makes of its bounds. The HPA of a suspended one has the widest all the time.
fn scheduled(workload: &Workload, now: Timestamp) -> String {
    if workload.suspended {
        format!("{}, the widest bounds, while it is suspended", workload.widest())
    } else {
        words::holds(&workload.schedules, workload.base, now)
    }
}

/// The HPA to explain: the live one, or else the one that the operator would write.
pub fn hpa_of(observed: &ObservedWorkload) -> Option<&HorizontalPodAutoscaler> {
    match &observed.hpa {
        Ok(Some(live)) => Some(live),
        Ok(None) => observed.asked.valid.as_ref().map(|valid| &valid.1),
        Err(_) => None,
    }
}
