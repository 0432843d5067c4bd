//! Proposals of metrics with a value per pod: utilization of requests, and averages.

use std::collections::BTreeMap;

use super::{
    number::{self, Milli, saturating},
    pods::{Pod, Sample, group},
    proposal::{Measured, MetricError, Outcome, Proposal, World},
    spec::Hpa,
};

/// The target that the values of pods are compared with.
#[derive(Debug)]
pub(super) enum Level<'a> {
    /// A target utilization in percent of the requests; `requests` is by pod name.
    Utilization {
        requests: BTreeMap<&'a str, Milli>,
        percent: i32,
    },
    /// A target amount per pod.
    Average(Milli),
}

impl<'a> Level<'a> {
    /// The target utilization, with the requests of every pod, also of deleting and pending ones
    /// (`calculateRequests`). One container without a request fails the whole metric.
    pub(super) fn utilization(
        pods: &'a BTreeMap<String, Pod>,
        resource: &str,
        container: Option<&str>,
        percent: i32,
    ) -> Result<Self, MetricError> {
        let request = |(name, pod): (&'a String, &Pod)| match pod.requests.of(resource, container) {
            Ok(amount) => Ok((name.as_str(), amount)),
            Err(container) => Err(MetricError::MissingRequest {
                resource: resource.to_owned(),
                container,
                pod: name.clone(),
            }),
        };
        let requests = pods.iter().map(request).collect::<Result<_, _>>()?;
        Ok(Self::Utilization { requests, percent })
    }

    /// Divides what is used by the target. The percentage and the average in between are truncated to whole
    /// numbers. Example: 1639 of 4000 milli-CPU are 40 %, and 40 % against a target of 50 % give 0.8.
    fn ratio(&self, values: &BTreeMap<&str, Milli>) -> Result<(f64, Measured), MetricError> {
        match self {
            // GetResourceUtilizationRatio: sums over pods that have a request, not a mean of ratios.
            Self::Utilization { requests, percent } => {
                let (mut used, mut requested) = (0_i128, 0_i128);
                for (pod, value) in values {
                    if let Some(request) = requests.get(pod) {
                        used += i128::from(*value);
                        requested += i128::from(*request);
                    }
                }
                let utilization = (used * 100).checked_div(requested);
                let utilization = saturating(utilization.ok_or(MetricError::NoKnownPod)?);
                let ratio = number::float(utilization) / f64::from(*percent);
                Ok((ratio, Measured::Utilization(utilization)))
            }
            // GetMetricUsageRatio: every sample counts, also one of a pod that is gone.
            Self::Average(target) => {
                let sum: i128 = values.values().copied().map(i128::from).sum();
                let count = i128::try_from(values.len()).unwrap_or(i128::MAX);
                let average = sum.checked_div(count).ok_or(MetricError::NoKnownPod)?;
                let average = saturating(average);
                let ratio = number::float(average) / number::float(*target);
                Ok((ratio, Measured::Average(average)))
            }
        }
    }

    /// The value assumed for a pod without a sample while the others are below the target: its whole request
    /// (or the target, if that is above 100 %), or exactly the target amount.
    fn assumed(&self, pod: &str) -> Milli {
        match self {
            Self::Utilization { requests, percent } => {
                let request = requests.get(pod).copied().unwrap_or_default();
                saturating(i128::from(request) * i128::from(*percent.max(&100)) / 100)
            }
            Self::Average(target) => *target,
        }
    }
}

/// The proposal of a metric with a value per pod (`GetResourceReplicas` for a utilization,
/// `calcPlainMetricReplicas` for an amount; both take these steps).
///
/// Example: the target is 100 per pod, 4 pods run, two of them use 10 each and two have no sample. The ratio
/// is 0.1. The two without a sample are assumed at 100, so the damped ratio is 220 / 4 / 100 = 0.55, which
/// proposes ceil(0.55 * 4) = 3 replicas instead of 1.
pub(super) fn propose(
    hpa: &Hpa,
    level: &Level<'_>,
    samples: &BTreeMap<String, Sample>,
    cpu: bool,
    world: &World<'_>,
) -> Result<Proposal, MetricError> {
    let groups = group(world.pods, samples, cpu, world.controller, world.now);
    // removeMetricsForPods: from the samples go those of ignored and unready pods. Samples of unknown pods
    // stay.
    let mut values: BTreeMap<&str, Milli> = samples
        .iter()
        .map(|(pod, sample)| (pod.as_str(), sample.value))
        .filter(|(pod, _)| !groups.ignored.contains(pod) && !groups.unready.contains(pod))
        .collect();
    if values.is_empty() {
        return Err(MetricError::NoPodCounts(groups.counts()));
    }
    let (ratio, measured) = level.ratio(&values)?;
    let proposal = |replicas, outcome| Proposal {
        replicas,
        ratio,
        measured,
        pods: Some(groups.counts()),
        outcome,
    };
    // Upstream's scaleUpWithUnready. On the way down unready pods stay left out.
    let up_with_unready = ratio > 1.0 && !groups.unready.is_empty();
    // Nothing to make up for: here, and only here, the ratio multiplies the counted pods, and nothing checks
    // the direction. 5 pods at ratio 0.8 with `spec.replicas: 3` propose 4.
    if !up_with_unready && groups.missing.is_empty() {
        return Ok(if hpa.tolerates(world.controller, ratio) {
            proposal(world.current, Outcome::WithinTolerance)
        } else {
            let replicas = number::ceil(ratio * number::count(groups.counted.len()));
            proposal(replicas, Outcome::Scaled)
        });
    }
    // Pods without a sample pull against the change: full on the way down, idle on the way up.
    for pod in &groups.missing {
        if ratio < 1.0 {
            values.insert(pod, level.assumed(pod));
        } else if ratio > 1.0 {
            values.insert(pod, 0);
        }
    }
    if up_with_unready {
        values.extend(groups.unready.iter().map(|pod| (*pod, 0)));
    }
    // Upstream's newUsageRatio. What is reported in the HPA's status stays the first ratio.
    let (damped, _) = level.ratio(&values)?;
    // Neither the second ratio nor the second number of pods may turn the direction around.
    let turned = (ratio < 1.0 && damped > 1.0) || (ratio > 1.0 && damped < 1.0);
    let replicas = number::ceil(damped * number::count(values.len()));
    let backward = (damped < 1.0 && replicas > world.current) || (damped > 1.0 && replicas < world.current);
    Ok(if turned || backward || hpa.tolerates(world.controller, damped) {
        let outcome = if hpa.tolerates(world.controller, ratio) {
            Outcome::WithinTolerance
        } else {
            Outcome::Damped
        };
        proposal(world.current, outcome)
    } else {
        proposal(replicas, Outcome::Scaled)
    })
}
