//! Proposals of metrics with a value per pod: utilization of requests, and averages.

use super::{
    milli::Milli,
    number,
    pods::{Counts, Group},
    proposal::{Measured, MetricError, Outcome, Proposal, World},
    propose::Samples,
    spec::Hpa,
};

/// The target that the values of pods are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level<'a> {
    /// A target utilization in percent of the requests of the pods, or of one container of each.
    Utilization {
        resource: &'a str,
        container: Option<&'a str>,
        percent: i32,
    },
    /// A target amount per pod.
    Average(Milli),
}

/// Values of pods, added up as the controller does: in an `int64`, which wraps around.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    values: Milli,
    /// Requests of the pods; 0 where no utilization is asked for.
    requests: Milli,
    pods: usize,
}

impl Sum {
    /// Adds pods with this value and this request each.
    fn add(&mut self, value: Milli, request: Milli, pods: usize) {
        let times = number::length(pods);
        self.values = self.values.wrapping_add(value.wrapping_mul(times));
        self.requests = self.requests.wrapping_add(request.wrapping_mul(times));
        self.pods += pods;
    }

    fn plus(self, other: Self) -> Self {
        Self {
            values: self.values.wrapping_add(other.values),
            requests: self.requests.wrapping_add(other.requests),
            pods: self.pods + other.pods,
        }
    }

    /// The same pods without load.
    fn idle(self) -> Self {
        Self { values: 0, ..self }
    }
}

/// What one look at all pods gives.
#[derive(Default)]
struct Groups {
    counts: Counts,
    counted: Sum,
    unready: Sum,
    /// With the values that are assumed on the way down.
    missing: Sum,
    /// The first cohort without a request.
    without_request: Option<usize>,
}

impl Level<'_> {
    /// Sorts the pods into groups and adds up the values of each. Every pod needs a request, also a deleting or
    /// pending one (`calculateRequests`): one without fails the whole metric.
    fn groups(self, samples: &Samples, cpu: bool, world: &World<'_>) -> Groups {
        let gate = world.controller.gates.pod_level_resources;
        let mut groups = Groups::default();
        for (position, cohort) in world.cohorts.iter().enumerate() {
            let count = cohort.count;
            if count == 0 {
                continue;
            }
            let request = match self {
                Self::Average(_) => Ok(0),
                Self::Utilization {
                    resource, container, ..
                } => cohort.pod.requests.of(resource, container, gate),
            };
            let request = request.unwrap_or_else(|_| {
                groups.without_request.get_or_insert(position);
                0
            });
            let sample = samples.of_cohorts.get(position).and_then(Option::as_ref);
            match cohort.pod.group(sample, cpu, world.controller, world.now) {
                Group::Counted(sample) => groups.counted.add(sample.value, request, count),
                Group::Unready => groups.unready.add(0, request, count),
                Group::Missing => groups.missing.add(self.assumed(request), request, count),
                Group::Ignored => groups.counts.ignored += count,
            }
        }
        groups.counts.counted = groups.counted.pods;
        groups.counts.unready = groups.unready.pods;
        groups.counts.missing = groups.missing.pods;
        groups
    }

    /// Divides what is used by the target. The percentage and the average in between are truncated to whole
    /// numbers. Example: 1639 of 4000 milli-CPU are 40 %, and 40 % against a target of 50 % give 0.8.
    fn ratio(self, known: Sum, strangers: Sum) -> Result<(f64, Measured), MetricError> {
        match self {
            // GetResourceUtilizationRatio: sums over pods that have a request, not a mean of ratios.
            Self::Utilization { percent, .. } => {
                if known.requests == 0 {
                    return Err(MetricError::NoKnownPod);
                }
                let used = known.values.wrapping_mul(100).wrapping_div(known.requests);
                let utilization = number::lower_half(used);
                let ratio = f64::from(utilization) / f64::from(percent);
                Ok((ratio, Measured::Utilization(utilization)))
            }
            // GetMetricUsageRatio: every sample counts, also one of a pod that is gone.
            Self::Average(target) => {
                let all = known.plus(strangers);
                let average = all.values.checked_div(number::length(all.pods));
                let average = average.ok_or(MetricError::NoKnownPod)?;
                let ratio = number::float(average) / number::float(target);
                Ok((ratio, Measured::Average(average)))
            }
        }
    }

    /// The value assumed for a pod without a sample while the others are below the target: its whole request
    /// (or the target, if that is above 100 %), or exactly the target amount.
    fn assumed(self, request: Milli) -> Milli {
        match self {
            Self::Utilization { percent, .. } => request.wrapping_mul(i64::from(percent.max(100))) / 100,
            Self::Average(target) => target,
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
    level: Level<'_>,
    samples: &Samples,
    cpu: bool,
    world: &World<'_>,
) -> Result<Proposal, MetricError> {
    if world.cohorts.iter().all(|cohort| cohort.count == 0) {
        return Err(MetricError::NoPods);
    }
    let groups = level.groups(samples, cpu, world);
    // Samples of pods that are not under the selector stay in the controller's map.
    let mut strangers = Sum::default();
    for stranger in &samples.strangers {
        strangers.add(*stranger, 0, 1);
    }
    if groups.counted.pods + strangers.pods == 0 {
        return Err(MetricError::NoPodCounts(groups.counts));
    }
    if let Some(cohort) = groups.without_request {
        return Err(MetricError::MissingRequest { cohort });
    }
    let (ratio, measured) = level.ratio(groups.counted, strangers)?;
    let proposal = |replicas, outcome| Proposal {
        replicas,
        ratio,
        measured,
        pods: Some(groups.counts),
        outcome,
    };
    // Upstream's scaleUpWithUnready. On the way down unready pods stay left out.
    let up_with_unready = ratio > 1.0 && groups.unready.pods > 0;
    // Nothing to make up for: here, and only here, the ratio multiplies the counted pods, and nothing checks
    // the direction. 5 pods at ratio 0.8 with `spec.replicas: 3` propose 4.
    if !up_with_unready && groups.missing.pods == 0 {
        return Ok(if hpa.tolerates(world.controller, ratio) {
            proposal(world.current, Outcome::WithinTolerance)
        } else {
            let replicas = number::ceil(ratio * number::count(groups.counted.pods));
            proposal(replicas, Outcome::Scaled)
        });
    }
    // Pods without a sample pull against the change: full on the way down, idle on the way up.
    let mut known = groups.counted;
    if ratio < 1.0 {
        known = known.plus(groups.missing);
    } else if ratio > 1.0 {
        known = known.plus(groups.missing.idle());
    }
    if up_with_unready {
        known = known.plus(groups.unready);
    }
    // Upstream's newUsageRatio. What is reported in the HPA's status stays the first ratio.
    let (damped, _) = level.ratio(known, strangers)?;
    // Neither the second ratio nor the second number of pods may turn the direction around.
    let turned = (ratio < 1.0 && damped > 1.0) || (ratio > 1.0 && damped < 1.0);
    let replicas = number::ceil(damped * number::count(known.pods + strangers.pods));
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
