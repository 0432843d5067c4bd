//! Lookups in [`Observed`] that several checks use.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{Container, Pod, PodSpec},
};

use super::observed::{NamespaceSeen, Observed};
use vas_core::{
    k8s::{
        read::{Read, Unread},
        scale_target::{ScaleTarget, TargetId},
    },
    spec::model::{Scaling, Source, Workload},
};

/// One workload with its resource and its namespace.
pub struct WorkloadView<'a> {
    /// The resource to which the workload belongs.
    pub scaling: &'a Scaling,
    /// The workload that is checked.
    pub workload: &'a Workload,
    /// The namespace of the resource.
    pub namespace: &'a NamespaceSeen,
}

/// The valid workloads of all resources that could be read.
pub fn workloads(observed: &Observed) -> impl Iterator<Item = WorkloadView<'_>> {
    let scalings = observed.scalings.iter().flatten();
    scalings
        .filter_map(|seen| {
            Some((
                seen.scaling.as_ref()?,
                observed.namespaces.get(&seen.resource.namespace)?,
            ))
        })
        .flat_map(|(scaling, namespace)| {
            scaling.workloads.iter().map(move |workload| WorkloadView {
                scaling,
                workload,
                namespace,
            })
        })
}

impl<'a> WorkloadView<'a> {
    /// The scale target of the workload.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn target(&self) -> Read<&'a ScaleTarget> {
        let id = TargetId {
            kind: self.workload.target.kind.clone(),
            name: self.workload.target.name.clone(),
        };
        match self.namespace.targets.get(&id) {
            Some(Ok(target)) => Ok(target),
            Some(Err(why)) => Err(why.clone()),
            None => Err(Unread::NotAsked("the scale target was not read".to_owned())),
        }
    }

    /// The scale target for messages: `Deployment namespace/name`.
    pub fn target_name(&self) -> String {
        let target = &self.workload.target;
        format!("{} {}/{}", target.kind, self.scaling.key.namespace, target.name)
    }

    /// The HPA for messages: `HorizontalPodAutoscaler namespace/name`.
    pub fn hpa_name(&self) -> String {
        let key = &self.scaling.key;
        format!(
            "HorizontalPodAutoscaler {}/{}",
            key.namespace,
            key.child_name(&self.workload.name)
        )
    }

    /// The HPA of the workload, by its name.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn hpa(&self) -> Read<&'a HorizontalPodAutoscaler> {
        let name = self.scaling.key.child_name(&self.workload.name);
        let hpas = self.namespace.hpas.as_ref().map_err(Clone::clone)?;
        hpas.iter()
            .find(|hpa| hpa.metadata.name.as_ref() == Some(&name))
            .ok_or(Unread::NotFound)
    }

    /// The pods of the target that have neither ended nor are being deleted.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn live_pods(&self) -> Read<Vec<&'a Pod>> {
        let selector = self.target()?.pods().ok_or_else(|| {
            Unread::NotAsked("the selector in the target's scale subresource cannot be used".to_owned())
        })?;
        let pods = self.namespace.pods.as_ref().map_err(Clone::clone)?;
        Ok(pods
            .iter()
            .filter(|pod| is_live(pod))
            .filter(|pod| selector.matches(pod.metadata.labels.as_ref().unwrap_or(&BTreeMap::new())))
            .collect())
    }

    /// Whether the workload scales on CPU or memory.
    pub fn uses_resource_metrics(&self) -> bool {
        self.workload.metrics.iter().any(|metric| match metric.source {
            Source::Resource { .. } | Source::ContainerResource { .. } => true,
            Source::Prometheus(_) => false,
        })
    }
}

/// Whether a pod has neither ended nor is being deleted.
pub fn is_live(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Succeeded" | "Failed"))
}

/// The containers whose requests the HPA counts: the ordinary ones and the sidecars, which are init
/// containers that keep running.
pub fn running_containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    spec.containers.iter().chain(sidecars)
}
