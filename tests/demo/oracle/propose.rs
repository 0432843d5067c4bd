//! The count that one metric proposes.

use std::collections::BTreeMap;

use super::{
    Hpa, Moment, Pods, Reading, Resource, Sample, Target, Tolerance, number,
    pods::{Groups, group},
};

/// Everything else that a proposal depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct World<'a> {
    /// Pods as the controller sees them.
    pub pods: &'a Pods,
    /// `spec.replicas` of the target.
    pub current: i32,
    /// `status.replicas` of the target.
    pub status: i32,
    /// The current moment.
    pub now: Moment,
}

/// The proposal of one metric; `None` is an error of the metric.
pub(super) fn propose(hpa: &Hpa, target: Target, reading: &Reading, world: &World<'_>) -> Option<i32> {
    let tolerance = hpa.tolerance();
    match (target, reading) {
        (Target::Utilization(resource, percent), Reading::PerPod(samples)) => {
            let level = Level::Utilization {
                requests: requests(world.pods, resource)?,
                percent,
            };
            let groups = group(world.pods, samples, Some(resource), world.now);
            per_pod(&level, &groups, samples, world.current, tolerance)
        }
        (Target::PodsAverage(average), Reading::PerPod(samples)) => {
            let groups = group(world.pods, samples, None, world.now);
            per_pod(
                &Level::Average(average),
                &groups,
                samples,
                world.current,
                tolerance,
            )
        }
        (Target::ObjectValue(value), Reading::Object(amount)) => {
            object_value(number::float(*amount) / number::float(value), world, tolerance)
        }
        (Target::ObjectAverage(average), Reading::Object(amount)) => {
            Some(object_average(*amount, average, world.status, tolerance))
        }
        _ => None,
    }
}

/// An Object metric with a Value target: the ratio times the number of pods that are Running and Ready.
fn object_value(ratio: f64, world: &World<'_>, tolerance: Tolerance) -> Option<i32> {
    if world.current != 0 && tolerance.ignores(ratio) {
        return Some(world.current);
    }
    if world.current == 0 {
        return Some(number::ceil(ratio));
    }
    if world.pods.is_empty() {
        return None;
    }
    let ready = world
        .pods
        .values()
        .filter(|pod| pod.is_running_and_ready())
        .count();
    Some(number::ceil(ratio * number::count(ready)))
}

/// An Object metric with an AverageValue target. Pods and their readiness do not matter, and within the
/// tolerance it proposes the *status* replicas.
fn object_average(amount: i64, average: i64, status: i32, tolerance: Tolerance) -> i32 {
    let ratio = number::float(amount) / (number::float(average) * f64::from(status));
    if tolerance.ignores(ratio) {
        status
    } else {
        number::ceil(number::float(amount) / number::float(average))
    }
}

/// Requests of every pod, including deleting and pending ones. The metric fails if one pod has no request.
fn requests(pods: &Pods, resource: Resource) -> Option<BTreeMap<&str, i64>> {
    pods.iter()
        .map(|(name, pod)| Some((name.as_str(), *pod.requests.get(&resource)?)))
        .collect()
}

enum Level<'a> {
    Utilization {
        requests: BTreeMap<&'a str, i64>,
        percent: i32,
    },
    Average(i64),
}

impl Level<'_> {
    /// Ratio of usage to target. It is computed from a whole percentage or a whole average, both truncated.
    fn ratio(&self, values: &BTreeMap<&str, i64>) -> Option<f64> {
        match self {
            Self::Utilization { requests, percent } => {
                let (mut used, mut requested) = (0_i64, 0_i64);
                for (pod, value) in values {
                    if let Some(request) = requests.get(pod) {
                        used += value;
                        requested += request;
                    }
                }
                let utilization = (used * 100).checked_div(requested)?;
                Some(number::float(utilization) / f64::from(*percent))
            }
            Self::Average(target) => {
                let count = i64::try_from(values.len()).ok()?;
                let average = values.values().sum::<i64>().checked_div(count)?;
                Some(number::float(average) / number::float(*target))
            }
        }
    }

    /// The value that is assumed for a pod without a sample when the others are below the target.
    fn assumed(&self, pod: &str) -> i64 {
        match self {
            Self::Utilization { requests, percent } => {
                requests.get(pod).copied().unwrap_or_default() * i64::from(*percent.max(&100)) / 100
            }
            Self::Average(target) => *target,
        }
    }
}

fn per_pod(
    level: &Level<'_>,
    groups: &Groups<'_>,
    samples: &BTreeMap<String, Sample>,
    current: i32,
    tolerance: Tolerance,
) -> Option<i32> {
    let mut values: BTreeMap<&str, i64> = samples
        .iter()
        .map(|(pod, sample)| (pod.as_str(), sample.value))
        .filter(|(pod, _)| !groups.ignored.contains(pod) && !groups.unready.contains(pod))
        .collect();
    if values.is_empty() {
        return None;
    }
    let first = level.ratio(&values)?;
    let up_with_unready = first > 1.0 && !groups.unready.is_empty();
    if !up_with_unready && groups.missing.is_empty() {
        return Some(if tolerance.ignores(first) {
            current
        } else {
            number::ceil(first * number::count(groups.counted))
        });
    }
    for pod in &groups.missing {
        if first < 1.0 {
            values.insert(pod, level.assumed(pod));
        } else if first > 1.0 {
            values.insert(pod, 0);
        }
    }
    if up_with_unready {
        values.extend(groups.unready.iter().map(|pod| (*pod, 0)));
    }
    let second = level.ratio(&values)?;
    let turned = (first < 1.0 && second > 1.0) || (first > 1.0 && second < 1.0);
    if turned || tolerance.ignores(second) {
        return Some(current);
    }
    let proposed = number::ceil(second * number::count(values.len()));
    let backward = (second < 1.0 && proposed > current) || (second > 1.0 && proposed < current);
    Some(if backward { current } else { proposed })
}

#[cfg(test)]
#[path = "propose_tests.rs"]
mod tests;
