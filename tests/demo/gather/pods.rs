//! Pods and their usage.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1;
use serde_json::Value;

use super::milli;
use crate::{
    clock::Clock,
    oracle::{Phase, Pod, Readiness, Resource, Sample},
};

/// The fields of a pod that the HPA controller looks at.
pub(crate) fn pod(clock: Clock, pod: &v1::Pod) -> Pod {
    let status = pod.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().flatten().find(|it| it.type_ == "Ready");
    Pod {
        phase: match status.phase.as_deref() {
            Some("Failed") => Phase::Failed,
            Some("Running" | "Succeeded") => Phase::Running,
            _ => Phase::Pending,
        },
        deleting: pod.metadata.deletion_timestamp.is_some(),
        started: status.start_time.map(|time| clock.of(time.0)),
        ready: ready.map(|condition| Readiness {
            is_ready: condition.status == "True",
            since: condition
                .last_transition_time
                .as_ref()
                .map_or(0.0, |time| clock.of(time.0)),
        }),
        requests: [(Resource::Cpu, "cpu"), (Resource::Memory, "memory")]
            .into_iter()
            .filter_map(|(resource, name)| Some((resource, request(pod, name)?)))
            .collect(),
    }
}

fn request(pod: &v1::Pod, resource: &str) -> Option<i64> {
    let containers = &pod.spec.as_ref()?.containers;
    containers
        .iter()
        .map(|container| {
            let requests = container.resources.as_ref()?.requests.as_ref()?;
            milli(&requests.get(resource)?.0)
        })
        .sum()
}

/// Usage from a `PodMetricsList`, by resource and pod. The usage of a pod is the sum over its containers.
pub(crate) fn usage(clock: Clock, list: &Value) -> BTreeMap<Resource, BTreeMap<String, Sample>> {
    let mut usage = BTreeMap::new();
    for (resource, field) in [(Resource::Cpu, "cpu"), (Resource::Memory, "memory")] {
        let samples = list["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| {
                let name = item["metadata"]["name"].as_str()?.to_owned();
                let containers = item["containers"].as_array()?;
                let values: Option<Vec<i64>> = containers
                    .iter()
                    .map(|container| milli(container["usage"][field].as_str()?))
                    .collect();
                let values = values.filter(|values| !values.is_empty())?;
                let sample = Sample {
                    value: values.iter().sum(),
                    at: clock.of(item["timestamp"].as_str()?.parse().ok()?),
                    window: seconds(item["window"].as_str()?)?,
                };
                Some((name, sample))
            })
            .collect();
        usage.insert(resource, samples);
    }
    usage
}

/// A Go duration such as `10.062s` or `1m0s`.
fn seconds(duration: &str) -> Option<f64> {
    let (minutes, rest) = duration.split_once('m').unwrap_or(("0", duration));
    let seconds: f64 = rest.strip_suffix('s')?.parse().ok()?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn go_durations_are_read() {
        assert_eq!(seconds("10.5s"), Some(10.5));
        assert_eq!(seconds("1m2s"), Some(62.0));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn the_usage_of_a_pod_is_the_sum_of_its_containers() {
        let list = json!({"items": [{
            "metadata": {"name": "p"}, "timestamp": "2026-01-01T00:00:00Z", "window": "10s",
            "containers": [
                {"usage": {"cpu": "12345678n", "memory": "1Mi"}},
                {"usage": {"cpu": "1m", "memory": "1Mi"}},
            ],
        }, {
            "metadata": {"name": "no-containers"}, "timestamp": "2026-01-01T00:00:00Z", "window": "10s",
            "containers": [],
        }]});
        let usage = usage(Clock::start(), &list);
        assert_eq!(usage[&Resource::Cpu]["p"].value, 14, "13m, rounded up, and 1m");
        assert_eq!(usage[&Resource::Memory]["p"].value, 2 * 1024 * 1024 * 1000);
        assert_eq!(usage[&Resource::Cpu].len(), 1);
    }
}
