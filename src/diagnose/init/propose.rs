//! Makes the resource from the facts, and says why each value is what it is.

use std::fmt::Write as _;

use k8s_openapi::{api::core::v1::Container, apimachinery::pkg::api::resource::Quantity};

use super::{Counter, Facts, Gauge, Object, SeriesSeen, Taken, candidates};
use crate::doctor::{checks::requests::requests, view::running_containers};
use vas_api::v1alpha1::{
    ContainerResourceSource, Metric, PodsTarget, RequestRateSource, ResourceName, ResourceSource,
    ResourceTarget, VoiceAssistScaling, VoiceAssistScalingSpec, Workload,
};
use vas_core::{
    k8s::quantity::{from_measurement, parse},
    spec::rules::validate,
};

/// Utilization at which the HPA keeps CPU, in percent of the requests.
const CPU_PERCENT: i32 = 70;
/// Fewest requests per second and pod from which a target is taken. Less is what probes and scrapes send.
const LEAST_RATE: f64 = 1.0;
/// Most replicas that the resource allows.
const MOST_REPLICAS: i32 = 10_000;

/// What `vas init` writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The resource. It breaks no rule.
    pub object: Object,
    /// Why each value is what it is, for comments above the resource.
    pub reasons: Vec<String>,
    /// Entries of `metrics` that only the owner of the workload can complete, as lines of YAML.
    pub open: Vec<String>,
}

/// Why there is nothing to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InitError {
    /// An HPA scales the workload already.
    #[error(
        "HorizontalPodAutoscaler {hpa} scales {target} already; take it over with: kubectl get hpa {hpa} -n {namespace} -o yaml | vas import hpa -f -"
    )]
    Taken {
        /// The workload, as `Kind name`.
        target: String,
        /// Name of the HPA.
        hpa: String,
        /// Namespace of both.
        namespace: String,
    },
    /// There is a resource of this name.
    #[error(
        "VoiceAssistScaling {namespace}/{name} exists already; add the workload to it, or give the new one another name with --name"
    )]
    Exists {
        /// Name of the resource.
        name: String,
        /// Namespace of the resource.
        namespace: String,
    },
    /// The HPA would have no metric.
    #[error("{target} has nothing that an HPA could scale on: {cpu}; {prometheus}")]
    NothingToScaleOn {
        /// The workload, as `Kind name`.
        target: String,
        /// Why not on CPU, and the fix.
        cpu: String,
        /// Why not on requests, and the fix.
        prometheus: String,
    },
    /// The resource would break a rule.
    #[error(
        "no valid resource can be made for {target}: {rule}; choose another --name, or write the resource by hand"
    )]
    Broken {
        /// The workload, as `Kind name`.
        target: String,
        /// The rule.
        rule: String,
    },
}

/// The resource for the workload.
///
/// # Errors
/// See [`InitError`].
pub fn propose(facts: &Facts) -> Result<Proposal, InitError> {
    let target = format!("{} {}", facts.target.kind, facts.target.name);
    let namespace = facts.namespace.clone();
    match &facts.taken {
        Some(Taken::Hpa(hpa)) => {
            let hpa = hpa.clone();
            return Err(InitError::Taken {
                target,
                hpa,
                namespace,
            });
        }
        Some(Taken::Resource) => {
            let name = facts.name.clone();
            return Err(InitError::Exists { name, namespace });
        }
        None => {}
    }
    let (min, max) = bounds(facts.replicas);
    let mut reasons = vec![bounds_reason(facts.replicas, min, max)];
    let mut metrics = Vec::new();
    let cpu = cpu(facts);
    let cpu_reason = cpu
        .as_ref()
        .map_or_else(Clone::clone, |(_, reason)| reason.clone());
    metrics.extend(cpu.ok().map(|(metric, _)| metric));
    let mut open = Vec::new();
    let rate_reason = match &facts.series {
        Err(why) => format!("no metric from Prometheus: {why}"),
        Ok(seen) => {
            let (metric, reason) = request_rate(seen, &mut open);
            metrics.extend(metric);
            queues(seen, &mut open);
            reason
        }
    };
    if metrics.is_empty() {
        return Err(InitError::NothingToScaleOn {
            target,
            cpu: cpu_reason,
            prometheus: rate_reason,
        });
    }
    reasons.extend([format!("cpu: {cpu_reason}"), format!("requests: {rate_reason}")]);
    let object = object(facts, (min, max), metrics);
    match validate(&object).violations.first() {
        Some(violation) => Err(InitError::Broken {
            target,
            rule: format!("{}: {}", violation.path, violation.rule),
        }),
        None => Ok(Proposal {
            object,
            reasons,
            open,
        }),
    }
}

fn object(facts: &Facts, (min, max): (i32, i32), metrics: Vec<Metric>) -> Object {
    let workload = Workload {
        name: label(&facts.target.name),
        scale_target_ref: facts.target.clone(),
        min_replicas: Some(min),
        max_replicas: Some(max),
        metrics: Some(metrics),
        ..Workload::default()
    };
    let spec = VoiceAssistScalingSpec {
        workloads: vec![workload],
        ..VoiceAssistScalingSpec::default()
    };
    let mut object = VoiceAssistScaling::new(&facts.name, spec);
    object.metadata.namespace = Some(facts.namespace.clone());
    object
}

/// The name as the resource takes it: of lowercase letters, digits and hyphens.
fn label(name: &str) -> String {
    let label = name.replace(|char: char| !char.is_ascii_alphanumeric() && char != '-', "-");
    label.trim_matches('-').to_owned()
}

/// From as many pods as run now to three times as many, and at least two more.
fn bounds(replicas: i32) -> (i32, i32) {
    let min = replicas.clamp(1, MOST_REPLICAS);
    let max = min
        .saturating_mul(3)
        .max(min.saturating_add(2))
        .min(MOST_REPLICAS);
    (min, max)
}

fn bounds_reason(replicas: i32, min: i32, max: i32) -> String {
    if replicas == 0 {
        return format!(
            "minReplicas {min}, maxReplicas {max}: the workload is scaled to zero now; the HPA does nothing until it has a replica"
        );
    }
    format!(
        "minReplicas {min}: as many as run now; maxReplicas {max}: what your nodes and your budget can carry decides, check it"
    )
}

/// The metric on CPU with the reason for it, or why there is none and the fix.
fn cpu(facts: &Facts) -> Result<(Metric, String), String> {
    let Some(pod) = &facts.pod else {
        return Err("no pod and no pod template shows what its containers request".to_owned());
    };
    let (with, without): (Vec<_>, Vec<_>) =
        running_containers(pod).partition(|container| requests(container, "cpu"));
    let names = |containers: &[&Container]| {
        let names: Vec<&str> = containers.iter().map(|one| one.name.as_str()).collect();
        names.join(", ")
    };
    let target = ResourceTarget {
        average_utilization: Some(CPU_PERCENT),
        average_value: None,
    };
    let unserved = match &facts.resource_metrics {
        Ok(()) => String::new(),
        Err(why) => format!(
            "; metrics.k8s.io does not answer ({why}): install metrics-server, without which the HPA has no CPU"
        ),
    };
    let metric = Metric {
        name: "cpu".to_owned(),
        ..Metric::default()
    };
    match (with.first(), without.as_slice()) {
        (None, _) => Err(format!(
            "no container requests cpu ({}), and an HPA counts CPU in percent of the requests; set resources.requests.cpu",
            names(&without)
        )),
        (Some(_), []) => Ok((
            Metric {
                resource: Some(Box::new(ResourceSource {
                    name: ResourceName::Cpu,
                    target,
                })),
                ..metric
            },
            format!("{CPU_PERCENT} % of what the containers request{unserved}"),
        )),
        (Some(first), without) => Ok((
            Metric {
                container_resource: Some(Box::new(ContainerResourceSource {
                    name: ResourceName::Cpu,
                    container: first.name.clone(),
                    target,
                })),
                ..metric
            },
            format!(
                "{CPU_PERCENT} % of what the container {} requests; not of the whole pod, because an HPA has no value for a pod with a container that requests no cpu ({}){unserved}",
                first.name,
                names(without)
            ),
        )),
    }
}

/// The metric on requests, if one was measured, and the reason. What is not measured goes to `open`.
fn request_rate(seen: &SeriesSeen, open: &mut Vec<String>) -> (Option<Metric>, String) {
    let Some(first) = seen.requests.first() else {
        let reason = format!(
            "none of the {} series names that these pods have in Prometheus ({}) looks like a counter of requests; name yours with requestRate",
            seen.names, seen.how
        );
        return (None, reason);
    };
    let mut reason = format!("{}, by its name", first.name);
    let labels = candidates::telling(&first.labels);
    if !labels.is_empty() {
        let _ = write!(reason, " and its labels {}", labels.join(", ")); // Writing to a String cannot fail.
    }
    let others: Vec<&str> = seen
        .requests
        .iter()
        .skip(1)
        .map(|one| one.name.as_str())
        .collect();
    if !others.is_empty() {
        let _ = write!(reason, "; also possible: {}", others.join(", "));
    }
    let Some(target) = target(first) else {
        reason.push_str(
            "; left open below, because no whole minute of the last hour had one request per second and pod",
        );
        open.push(format!(
            "- {{name: request-rate, requestRate: {{counter: {}, target: {{averageValue: \"100\"}}}}}} # requests per second that one pod can carry",
            first.name
        ));
        return (None, reason);
    };
    let _ = write!(
        reason,
        "; target {}: the most of the last hour for each of the pods that run now; `vas test capacity` measures what a pod can carry",
        target.0
    );
    let source = RequestRateSource {
        counter: first.name.clone(),
        match_labels: None,
        match_expressions: None,
        window: None,
        target: PodsTarget {
            average_value: target,
        },
    };
    let metric = Metric {
        name: "request-rate".to_owned(),
        request_rate: Some(Box::new(source)),
        ..Metric::default()
    };
    (Some(metric), reason)
}

/// The requests per second of one pod at the peak, with two digits, rounded up; `None` if that is too little to go by.
fn target(counter: &Counter) -> Option<Quantity> {
    let each = counter.peak?;
    if !each.is_finite() || each < LEAST_RATE {
        return None;
    }
    let digit = 10_f64.powf(each.log10().floor() - 1.0).max(1.0);
    let text = from_measurement((each / digit).ceil() * digit)?;
    let quantity = Quantity(text);
    parse(&quantity).is_ok().then_some(quantity)
}

/// Entries for queues. How many jobs may wait, and how long, only their owner knows.
fn queues(seen: &SeriesSeen, open: &mut Vec<String>) {
    let whose = |gauge: &Gauge| {
        if gauge.of_the_pods {
            ""
        } else {
            "; not exported by these pods, so check that it is their queue"
        }
    };
    for gauge in &seen.depths {
        open.push(format!(
            "- {{name: queue-depth, queueDepth: {{gauge: {}, target: {{averageValue: \"50\"}}}}}} # jobs that may wait for each pod; aggregation: Sum if each series is a part{}",
            gauge.name,
            whose(gauge)
        ));
    }
    for gauge in &seen.ages {
        open.push(format!(
            "- {{name: queue-age, queueAge: {{gauge: {}, target: {{value: \"60\"}}}}}} # seconds that a job may wait{}",
            gauge.name,
            whose(gauge)
        ));
    }
}

#[cfg(test)]
mod tests;
