//! Finds readiness probes that are so strict that load alone makes pods unready.
//!
//! The HPA leaves out unready pods when it scales on CPU. So a pod that is too busy to answer its probe in
//! time no longer counts, and the workload never scales up. Measured with a timeout of 1 s and 1 failure on
//! pods at their CPU limit.

use k8s_openapi::api::core::v1::{Container, PodSpec, Probe};

use crate::doctor::{Finding, observed::Observed, view};
use vas_api::v1alpha1::ResourceName;
use vas_core::spec::model::Source;

/// A timeout of at most this many seconds is too short for a busy process.
const SHORT_TIMEOUT: i32 = 1;
/// A probe that declares a pod unready within this many seconds makes pods flap.
const SHORT_PATIENCE: i32 = 10;

/// Checks the probes of each workload that scales on CPU.
pub(in crate::doctor) fn check(observed: &Observed) -> Vec<Finding> {
    view::workloads(observed)
        .filter(|view| view.workload.metrics.iter().any(|metric| is_cpu(&metric.source)))
        .map(|view| {
            let object = view.target_name();
            let target = match view.target() {
                Ok(target) => target,
                Err(why) => return Finding::skipped(object, why.to_string()),
            };
            let spec = target.object.pointer("/spec/template/spec").cloned();
            let Some(spec) = spec.and_then(|spec| serde_json::from_value::<PodSpec>(spec).ok()) else {
                return Finding::skipped(object, "has no pod template");
            };
            match view::running_containers(&spec).find_map(tight) {
                Some((container, probe)) => Finding::warning(
                    object,
                    format!(
                        "container {}: readinessProbe gives up after {} s (timeoutSeconds {}, periodSeconds {} x failureThreshold {}): overloaded pods turn unready, and the HPA then ignores their CPU",
                        container.name,
                        patience(probe),
                        timeout(probe),
                        period(probe),
                        threshold(probe)
                    ),
                )
                .fix("set readinessProbe timeoutSeconds: 5, periodSeconds: 10, failureThreshold: 3"),
                None => Finding::ok(object, "its readiness probes leave room for load"),
            }
        })
        .collect()
}

fn is_cpu(source: &Source) -> bool {
    matches!(
        source,
        Source::Resource {
            name: ResourceName::Cpu,
            ..
        } | Source::ContainerResource {
            name: ResourceName::Cpu,
            ..
        }
    )
}

/// The probe of a container, if both its timeout and its patience are short. One long value is enough to
/// survive load.
fn tight(container: &Container) -> Option<(&Container, &Probe)> {
    let probe = container.readiness_probe.as_ref()?;
    (timeout(probe) <= SHORT_TIMEOUT && patience(probe) <= SHORT_PATIENCE).then_some((container, probe))
}

fn patience(probe: &Probe) -> i32 {
    period(probe).saturating_mul(threshold(probe))
}

// The API server fills in these defaults. An object that it has not seen, such as one in a test, may lack
// them.
fn timeout(probe: &Probe) -> i32 {
    probe.timeout_seconds.unwrap_or(1)
}

fn period(probe: &Probe) -> i32 {
    probe.period_seconds.unwrap_or(10)
}

fn threshold(probe: &Probe) -> i32 {
    probe.failure_threshold.unwrap_or(3)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, severities, target_mut},
    };
    use vas_core::k8s::read::Unread;

    #[test]
    fn a_short_timeout_with_little_patience_is_pointed_out() {
        let mut observed = healthy();
        for (probe, expected) in [
            (
                json!({"httpGet": {"port": 80}, "timeoutSeconds": 1, "periodSeconds": 5, "failureThreshold": 1}),
                Severity::Warning,
            ),
            (
                json!({"tcpSocket": {"port": 80}, "periodSeconds": 3}),
                Severity::Warning,
            ),
            (json!({"tcpSocket": {"port": 80}}), Severity::Ok),
            (
                json!({"httpGet": {"port": 80}, "timeoutSeconds": 5, "periodSeconds": 2, "failureThreshold": 3}),
                Severity::Ok,
            ),
        ] {
            target_mut(&mut observed).object["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] =
                probe.clone();
            assert_eq!(severities(&check(&observed)), [expected], "{probe}");
        }
    }

    #[test]
    fn a_target_that_cannot_be_read_is_unknown() {
        let mut observed = healthy();
        for target in observed.namespaces.get_mut("prod").unwrap().targets.values_mut() {
            *target = Err(Unread::Forbidden("no".to_owned()));
        }
        assert_eq!(severities(&check(&observed)), [Severity::Skipped]);
    }
}
