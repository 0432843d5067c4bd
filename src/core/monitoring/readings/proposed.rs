//! The replicas that a metric asks for, from the value in the HPA's status.
//!
//! The status has neither the samples nor the pods, so all replicas are taken to be Ready and to have the value in
//! the status. The controller's own figure differs where pods are not Ready or have no sample.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::core::v1::{Container, PodSpec, ResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};

use super::hpa::units;
use crate::hpa::{
    Cohort, Controller, Hpa, Metric, Milli, Phase, Pod, Readiness, Reading, Requests, Sample, Samples,
    Source, World, propose,
};

/// The request of each container that is made up for a utilization: a usage of `n` milli-units is then `n` percent.
const HUNDRED: &str = "100m";

/// When the pods that are made up were started and became Ready: an hour ago, beyond all that the controller waits for.
const STARTED: Timestamp = Timestamp::UNIX_EPOCH;

/// A value in the status of an HPA, in the unit of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    /// Percent of the requests.
    Utilization(i32),
    /// Milli-units per pod, or per replica.
    Average(Milli),
    /// Milli-units of all pods or of the object together.
    Total(Milli),
}

impl Amount {
    /// The value as a number: percent, or units.
    pub(super) fn number(self) -> f64 {
        match self {
            Self::Utilization(percent) => f64::from(percent),
            Self::Average(milli) | Self::Total(milli) => units(milli),
        }
    }
}

/// The replicas that a metric with this value proposes; `None` where the controller would propose nothing.
/// Example: a rate of 300 per pod, a target of 100 and 2 replicas propose 6.
pub(super) fn replicas(hpa: &Hpa, metric: &Metric, amount: Amount, current: i32) -> Option<i32> {
    let count = usize::try_from(current).ok()?;
    let now = STARTED + SignedDuration::from_hours(1);
    let cohorts = [Cohort {
        pod: pod(&metric.source),
        count,
    }];
    let per_pod = |value: Milli| {
        let sample = Sample {
            value,
            at: now,
            window: Duration::ZERO,
        };
        Reading::PerPod(Samples {
            of_cohorts: vec![Some(sample)],
            strangers: Vec::new(),
        })
    };
    let reading = match (amount, &metric.source) {
        (Amount::Utilization(percent), _) => per_pod(percent.into()),
        (Amount::Average(average), Source::Object | Source::External) => {
            Reading::Total(total(average, current))
        }
        (Amount::Average(average), _) => per_pod(average),
        (Amount::Total(total), _) => Reading::Total(total),
    };
    let controller = Controller::default();
    let world = World {
        cohorts: &cohorts,
        current,
        status: current,
        controller: &controller,
        now,
    };
    let proposal = propose(hpa, metric, &reading, &world).ok()?;
    Some(proposal.replicas)
}

/// The total behind an average that the controller rounded up to a whole milli-unit: any of `replicas` numbers. Queues
/// hold whole jobs, so a whole number of units is taken where there is one. Example: 200 jobs on 3 replicas are an
/// average of 66667m; times 3 that is 200001m, which against a target of 50 would propose 5 replicas instead of 4.
fn total(average: Milli, replicas: i32) -> Milli {
    let replicas = Milli::from(replicas);
    let most = average.saturating_mul(replicas);
    let whole = most - most.rem_euclid(1000);
    if most.saturating_sub(whole) < replicas {
        whole
    } else {
        most
    }
}

/// A pod that has been Ready for as long as counts.
fn pod(source: &Source) -> Pod {
    Pod {
        phase: Phase::Running,
        deleting: false,
        started: Some(STARTED),
        ready: Some((Readiness::True, STARTED)),
        requests: Arc::new(requests(source)),
    }
}

fn requests(source: &Source) -> Requests {
    let (resource, container) = match source {
        Source::Resource { resource } => (resource, "pod"),
        Source::ContainerResource { resource, container } => (resource, container.as_str()),
        Source::Pods | Source::Object | Source::External => return Requests::default(),
    };
    let amounts = BTreeMap::from([(resource.clone(), Quantity(HUNDRED.to_owned()))]);
    let container = Container {
        name: container.to_owned(),
        resources: Some(ResourceRequirements {
            requests: Some(amounts),
            ..ResourceRequirements::default()
        }),
        ..Container::default()
    };
    Requests::read(Some(&PodSpec {
        containers: vec![container],
        ..PodSpec::default()
    }))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
    use serde_json::json;

    use super::*;

    /// An HPA with one metric of an object, or of pods, and a target average of 50.
    fn hpa(kind: &str) -> Hpa {
        let source = json!({"metric": {"name": "m"}, "describedObject": {"kind": "D", "name": "d"},
                            "target": {"type": "AverageValue", "averageValue": "50"}});
        let object: HorizontalPodAutoscaler = serde_json::from_value(json!({"metadata": {}, "spec": {
            "maxReplicas": 100, "scaleTargetRef": {"kind": "D", "name": "d"},
            "metrics": [{"type": kind, kind.to_lowercase(): source}],
        }}))
        .unwrap();
        Hpa::read(&object, &Controller::default())
    }

    /// What the controller proposes for whole units on pods that are all Ready, from the values themselves.
    fn of_the_controller(hpa: &Hpa, reading: &Reading, replicas: i32) -> i32 {
        let cohorts = [Cohort {
            pod: pod(&Source::Object),
            count: usize::try_from(replicas).unwrap(),
        }];
        let world = World {
            cohorts: &cohorts,
            current: replicas,
            status: replicas,
            controller: &Controller::default(),
            now: STARTED + SignedDuration::from_hours(1),
        };
        propose(hpa, hpa.metrics[0].as_ref().unwrap(), reading, &world)
            .unwrap()
            .replicas
    }

    #[test]
    fn a_queue_of_whole_jobs_asks_for_what_the_controller_takes_it_to_ask_for() {
        let hpa = hpa("Object");
        let metric = hpa.metrics[0].as_ref().unwrap();
        for replicas in 1..=25 {
            for jobs in 0..700 {
                let total = jobs * 1000;
                // Upstream shows the average, rounded up: `Ceil(usage / statusReplicas)`.
                let average = (total + Milli::from(replicas) - 1) / Milli::from(replicas);
                let shown = super::replicas(&hpa, metric, Amount::Average(average), replicas);
                let real = of_the_controller(&hpa, &Reading::Total(total), replicas);
                assert_eq!(shown, Some(real), "{jobs} jobs on {replicas} replicas");
            }
        }
    }

    #[test]
    fn pods_ask_for_what_the_controller_takes_them_to_ask_for() {
        let hpa = hpa("Pods");
        let metric = hpa.metrics[0].as_ref().unwrap();
        for replicas in 1..=25 {
            for value in (0..200_000).step_by(997) {
                let sample = Sample {
                    value,
                    at: STARTED,
                    window: Duration::ZERO,
                };
                let reading = Reading::PerPod(Samples {
                    of_cohorts: vec![Some(sample)],
                    strangers: Vec::new(),
                });
                let shown = super::replicas(&hpa, metric, Amount::Average(value), replicas);
                assert_eq!(shown, Some(of_the_controller(&hpa, &reading, replicas)));
            }
        }
    }

    #[test]
    fn the_total_behind_an_average_is_whole_where_it_can_be() {
        assert_eq!(total(66_667, 3), 200_000);
        assert_eq!(total(50_000, 4), 200_000);
        assert_eq!(total(1500, 1), 1500, "half a job is what one replica has");
        assert_eq!(total(333, 3), 999, "less than one job in all");
        assert_eq!(total(0, 5), 0);
    }
}
