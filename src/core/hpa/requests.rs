//! What pods request, as a utilization is measured against it.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{Container, PodSpec, ResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};

use super::number::{Milli, milli};

/// Amounts by resource, in milli-units.
type Amounts = BTreeMap<String, Milli>;

/// The requests in a pod's spec. Resized ones do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Of the pod as a whole, where it sets them.
    pod: Amounts,
    /// Of regular containers, then of init containers that keep running; with their names.
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

    /// What the whole pod, or one of its containers, requests; the error names the container without a request.
    pub(super) fn of(&self, resource: &str, container: Option<&str>) -> Result<Milli, String> {
        if let Some(wanted) = container {
            let found = self.containers.iter().find(|(name, _)| name == wanted);
            return found
                .and_then(|(_, amounts)| amounts.get(resource).copied())
                .ok_or_else(|| wanted.to_owned());
        }
        if let Some(amount) = self.pod.get(resource) {
            return Ok(*amount);
        }
        self.containers.iter().try_fold(0_i64, |sum, (name, amounts)| {
            let amount = amounts.get(resource).ok_or_else(|| name.clone())?;
            Ok(sum.saturating_add(*amount))
        })
    }

    /// One container with these requests.
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
