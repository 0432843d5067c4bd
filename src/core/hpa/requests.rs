//! The resource requests of pods, which a utilization is a percentage of.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{Container, PodSpec, ResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};

use super::{
    controller::Gates,
    milli::{Milli, milli},
};
use crate::k8s::quantity::{self, Amount};

/// Amounts by resource, in milli-units.
type Amounts = BTreeMap<String, Milli>;
/// Exact amounts by resource.
type Exact = BTreeMap<String, Amount>;

/// The requests in a pod's spec. The controller does not look at resized requests in the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// What the whole pod requests, if its spec has requests of its own.
    pod: Option<Amounts>,
    /// Requests by container name: regular containers first, then init containers that keep running
    /// (sidecars).
    containers: Vec<(String, Amounts)>,
}

impl Requests {
    /// Reads a pod's spec.
    pub fn read(spec: Option<&PodSpec>) -> Self {
        let Some(spec) = spec else {
            return Self::default();
        };
        let sidecars = spec.init_containers.iter().flatten();
        let sidecars = sidecars.filter(|container| keeps_running(container));
        let of = |container: &Container| (container.name.clone(), amounts(container.resources.as_ref()));
        Self {
            pod: whole_pod(spec),
            containers: spec.containers.iter().chain(sidecars).map(of).collect(),
        }
    }

    /// The request of the whole pod, or of one of its containers, in milli-units. The error is the name of
    /// the container without a request; it is empty if the pod itself has none.
    ///
    /// `pod_level` is the gate `PodLevelResources`.
    pub(super) fn of<'a>(
        &'a self,
        resource: &str,
        container: Option<&'a str>,
        pod_level: bool,
    ) -> Result<Milli, &'a str> {
        // calculateRequests: a container that the HPA names takes precedence over pod-level requests.
        if let Some(wanted) = container {
            let found = self.containers.iter().find(|(name, _)| name == wanted);
            return found
                .and_then(|(_, amounts)| amounts.get(resource).copied())
                .ok_or(wanted);
        }
        // calculatePodLevelRequests
        if let Some(pod) = self.pod.as_ref().filter(|_| pod_level) {
            return pod.get(resource).copied().ok_or("");
        }
        // calculatePodRequestsFromContainers: the sum fails at the first container without a request.
        self.containers.iter().try_fold(0_i64, |sum, (name, amounts)| {
            let amount = amounts.get(resource).ok_or(name.as_str())?;
            Ok(sum.wrapping_add(*amount))
        })
    }

    /// Name of the container that lacks the request that a utilization is measured against, empty if the pod as
    /// a whole lacks it; `None` if nothing is lacking.
    pub fn lacking<'a>(
        &'a self,
        resource: &str,
        container: Option<&'a str>,
        gates: Gates,
    ) -> Option<&'a str> {
        self.of(resource, container, gates.pod_level_resources).err()
    }

    /// The requests of a pod with one container.
    pub fn container(name: &str, amounts: &[(&str, Milli)]) -> Self {
        let amounts = amounts.iter().map(|(name, amount)| ((*name).to_owned(), *amount));
        Self {
            pod: None,
            containers: vec![(name.to_owned(), amounts.collect())],
        }
    }
}

fn keeps_running(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn amounts(resources: Option<&ResourceRequirements>) -> Amounts {
    let requests = resources.and_then(|resources| resources.requests.as_ref());
    let amount = |(name, quantity): (&String, &Quantity)| Some((name.clone(), milli(quantity)?));
    requests.into_iter().flatten().filter_map(amount).collect()
}

fn exact(requests: Option<&BTreeMap<String, Quantity>>) -> Exact {
    let amount = |(name, quantity): (&String, &Quantity)| {
        let (amount, _) = quantity::parse_rounded(&quantity.0).ok()?;
        Some((name.clone(), amount))
    };
    requests.into_iter().flatten().filter_map(amount).collect()
}

/// What a pod with requests of its own requests (`PodRequests`), or `None` if it has none
/// (`IsPodLevelRequestsSet`). Where its own requests lack a resource, the containers' count, and those without a
/// request count as 0. An init container runs before the others, so the larger of both counts. The overhead of
/// the RuntimeClass comes on top.
///
/// Example for CPU: memory is requested for the pod, the app requests 500m, a proxy that keeps running 200m, an
/// init container after it 1, the overhead is 50m. The pod requests max(500 + 200, 200 + 1000) + 50 = 1250m.
fn whole_pod(spec: &PodSpec) -> Option<Amounts> {
    let own = exact(spec.resources.as_ref()?.requests.as_ref());
    let for_pods = |name: &str| name == "cpu" || name == "memory" || name.starts_with("hugepages-");
    if !own.keys().any(|name| for_pods(name)) {
        return None;
    }
    let requests = |container: &Container| {
        let resources = container.resources.as_ref();
        exact(resources.and_then(|resources| resources.requests.as_ref()))
    };
    let mut sum = Exact::new();
    for container in &spec.containers {
        add(&mut sum, &requests(container));
    }
    let (mut sidecars, mut initial) = (Exact::new(), Exact::new());
    for container in spec.init_containers.iter().flatten() {
        let mut needed = requests(container);
        if keeps_running(container) {
            add(&mut sum, &needed);
            add(&mut sidecars, &needed);
            needed.clone_from(&sidecars);
        } else {
            add(&mut needed, &sidecars);
        }
        raise(&mut initial, &needed);
    }
    raise(&mut sum, &initial);
    sum.extend(own.into_iter().filter(|(name, _)| for_pods(name)));
    add(&mut sum, &exact(spec.overhead.as_ref()));
    let milli = |amount: Amount| i64::try_from(amount.milli_ceil()).unwrap_or(i64::MAX);
    Some(
        sum.into_iter()
            .map(|(name, amount)| (name, milli(amount)))
            .collect(),
    )
}

fn add(to: &mut Exact, more: &Exact) {
    for (name, amount) in more {
        let sum = to.entry(name.clone()).or_insert(Amount::ZERO);
        *sum = sum.plus(*amount);
    }
}

fn raise(to: &mut Exact, least: &Exact) {
    for (name, amount) in least {
        let highest = to.entry(name.clone()).or_insert(*amount);
        *highest = (*highest).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: Value) -> Requests {
        Requests::read(Some(&serde_json::from_value(spec).unwrap()))
    }

    fn cpu(amount: &str) -> Value {
        json!({"requests": {"cpu": amount}})
    }

    fn spec() -> Value {
        json!({
            "containers": [{"name": "app", "resources": cpu("500m")}, {"name": "plain"}],
            "initContainers": [
                {"name": "proxy", "restartPolicy": "Always", "resources": cpu("200m")},
                {"name": "setup", "resources": cpu("1")},
            ],
            "overhead": {"cpu": "50m"},
        })
    }

    #[test]
    fn the_requests_of_sidecars_count_and_those_of_init_containers_do_not() {
        let mut spec = spec();
        assert_eq!(read(spec.clone()).of("cpu", None, true), Err("plain"));
        spec["containers"][1]["resources"] = cpu("1");
        assert_eq!(read(spec.clone()).of("cpu", None, true), Ok(1700));
        assert_eq!(read(spec.clone()).of("cpu", Some("proxy"), true), Ok(200));
        assert_eq!(read(spec.clone()).of("cpu", Some("setup"), true), Err("setup"));
        assert_eq!(read(spec).of("memory", Some("app"), true), Err("app"));
    }

    #[test]
    fn pod_level_requests_replace_those_of_the_containers_and_overhead_comes_on_top() {
        let mut spec = spec();
        spec["resources"] = cpu("4");
        assert_eq!(read(spec.clone()).of("cpu", None, true), Ok(4050));
        assert_eq!(
            read(spec.clone()).of("cpu", None, false),
            Err("plain"),
            "without the gate"
        );
        assert_eq!(read(spec.clone()).of("cpu", Some("app"), true), Ok(500));
        assert_eq!(read(spec).of("memory", None, true), Err(""));
    }

    #[test]
    fn with_pod_level_requests_of_another_resource_containers_without_one_count_as_zero() {
        let mut spec = spec();
        spec["resources"] = json!({"requests": {"memory": "1Gi"}});
        assert_eq!(read(spec.clone()).of("cpu", None, true), Ok(1250));
        assert_eq!(
            read(spec.clone()).of("memory", None, true),
            Ok(1 << 30).map(|bytes: i64| bytes * 1000)
        );
        // Limits alone, or a resource that pods cannot request, are not requests of the pod.
        spec["resources"] = json!({"limits": {"cpu": "1"}, "requests": {"example.com/gpu": "1"}});
        assert_eq!(read(spec).of("cpu", None, true), Err("plain"));
    }
}
