//! Metrics with a value per pod: utilization of requests, and averages.

use std::collections::BTreeMap;

use super::{
    number::{self, Milli, saturating},
    pods::{Pod, Sample, group},
    propose::{Measured, MetricError, Outcome, Proposal, World},
    spec::Hpa,
};

/// What values are measured against.
#[derive(Debug)]
pub(super) enum Level<'a> {
    /// Percent of what each pod requests.
    Utilization {
        requests: BTreeMap<&'a str, Milli>,
        percent: i32,
    },
    /// An amount per pod.
    Average(Milli),
}

impl<'a> Level<'a> {
    /// Every pod is looked at, deleting and pending ones too: one container without a request fails it.
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

    /// The ratio goes through a whole percentage or a whole average, both truncated. A utilization sums usage
    /// and requests of known pods; an average takes in every sample, known pod or not.
    fn ratio(&self, values: &BTreeMap<&str, Milli>) -> Result<(f64, Measured), MetricError> {
        match self {
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

    /// What a pod without a sample counts as when the others are below the target.
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

/// The proposal of a metric with a value per pod.
pub(super) fn propose(
    hpa: &Hpa,
    level: &Level<'_>,
    samples: &BTreeMap<String, Sample>,
    cpu: bool,
    world: &World<'_>,
) -> Result<Proposal, MetricError> {
    let groups = group(world.pods, samples, cpu, world.controller, world.now);
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
    let up_with_unready = ratio > 1.0 && !groups.unready.is_empty();
    if !up_with_unready && groups.missing.is_empty() {
        return Ok(if hpa.tolerates(world.controller, ratio) {
            proposal(world.current, Outcome::WithinTolerance)
        } else {
            let replicas = number::ceil(ratio * number::count(groups.counted.len()));
            proposal(replicas, Outcome::Scaled)
        });
    }
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
    let (damped, _) = level.ratio(&values)?;
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
