//! The resource requests of pods, which a utilization is a percentage of.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{Container, PodSpec, ResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};

use super::number::{Milli, milli};

/// Amounts by resource, in milli-units.
type Amounts = BTreeMap<String, Milli>;

/// The requests in a pod's spec. The controller does not look at resized requests in the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Pod-level requests; empty if the pod sets none.
    pod: Amounts,
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
        let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
        let of = |container: &Container| (container.name.clone(), amounts(container.resources.as_ref()));
        Self {
            pod: amounts(spec.resources.as_ref()),
            containers: spec.containers.iter().chain(sidecars).map(of).collect(),
        }
    }

    /// The request of the whole pod, or of one of its containers, in milli-units. The error is the name of
    /// the container without a request.
    pub(super) fn of(&self, resource: &str, container: Option<&str>) -> Result<Milli, String> {
        // calculateRequests: a container that the HPA names takes precedence over pod-level requests.
        if let Some(wanted) = container {
            let found = self.containers.iter().find(|(name, _)| name == wanted);
            return found
                .and_then(|(_, amounts)| amounts.get(resource).copied())
                .ok_or_else(|| wanted.to_owned());
        }
        // calculatePodLevelRequests: pod-level requests replace the sum over the containers.
        if let Some(amount) = self.pod.get(resource) {
            return Ok(*amount);
        }
        // calculatePodRequestsFromContainers: the sum fails at the first container without a request.
        self.containers.iter().try_fold(0_i64, |sum, (name, amounts)| {
            let amount = amounts.get(resource).ok_or_else(|| name.clone())?;
            Ok(sum.saturating_add(*amount))
        })
    }

    /// The requests of a pod with one container.
    #[cfg(test)]
    pub(super) fn container(name: &str, amounts: &[(&str, Milli)]) -> Self {
        let amounts = amounts.iter().map(|(name, amount)| ((*name).to_owned(), *amount));
        Self {
            pod: Amounts::new(),
            containers: vec![(name.to_owned(), amounts.collect())],
        }
    }
}

fn amounts(resources: Option<&ResourceRequirements>) -> Amounts {
    let requests = resources.and_then(|resources| resources.requests.as_ref());
    let amount = |(name, quantity): (&String, &Quantity)| Some((name.clone(), milli(quantity)?));
    requests.into_iter().flatten().filter_map(amount).collect()
}
