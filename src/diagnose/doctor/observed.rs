//! What was read from a cluster, as plain data. A failed read is data too: only the checks that need this
//! read are skipped.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        autoscaling::v2::HorizontalPodAutoscaler,
        coordination::v1::Lease,
        core::v1::{Pod, ResourceQuota, Service},
        policy::v1::PodDisruptionBudget,
    },
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use serde_json::Value;

use super::{checks::prometheus::PrometheusSeen, rights::Right};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_core::{
    k8s::{
        read::{Read, Unread},
        resource_ref::ResourceRef,
        scale_target::{ScaleTarget, TargetId},
    },
    reconcile::suspend::Suspended,
    spec::model::Scaling,
};

/// Everything that was read.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The time of the reads, on the API server's clock if its answer has a date.
    pub now: Timestamp,
    /// The namespace of the operator and the metrics server.
    pub install_namespace: String,
    /// The namespace whose resources were read; `None` for all.
    pub namespace: Option<String>,
    /// The answer of `/version`.
    pub server: Read<ServerVersion>,
    /// The CustomResourceDefinition of `VoiceAssistScaling`.
    pub crd: Read<Value>,
    /// The rights of the service accounts, verb by verb.
    pub rights: Vec<RightSeen>,
    /// Deployment of the operator.
    pub operator: Read<Deployment>,
    /// Deployment of the metrics server.
    pub metrics_server: Read<Deployment>,
    /// Service of the metrics server.
    pub metrics_server_service: Read<Service>,
    /// PodDisruptionBudgets of the install namespace.
    pub install_pdbs: Read<Vec<PodDisruptionBudget>>,
    /// Lease of the operator.
    pub operator_lease: Read<Lease>,
    /// Lease of the metrics server.
    pub metrics_server_lease: Read<Lease>,
    /// APIServices by name.
    pub api_services: BTreeMap<String, Read<APIService>>,
    /// The metrics server's certificate.
    pub certificate: Read<CertificateSeen>,
    /// Names of the metrics in the discovery of custom.metrics.k8s.io/v1beta2.
    pub discovery: Read<Vec<String>>,
    /// Reads of metrics as the HPA controller makes them.
    pub metric_reads: Vec<MetricRead>,
    /// The answers of each Prometheus; at least one entry.
    pub prometheus: Read<Vec<PrometheusSeen>>,
    /// The `VoiceAssistScaling` resources.
    pub scalings: Read<Vec<ScalingSeen>>,
    /// The namespaces that have a resource, by name.
    pub namespaces: BTreeMap<String, NamespaceSeen>,
}

/// The API server's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// Major and minor version; `None` if they are no numbers.
    pub number: Option<(u32, u32)>,
    /// The full version, such as `v1.34.2`.
    pub name: String,
}

/// One verb of a right, and whether the account has it.
#[derive(Clone, Debug)]
pub struct RightSeen {
    /// The right that was reviewed.
    pub right: &'static Right,
    /// The verb of the right that was reviewed.
    pub verb: &'static str,
    /// Name of the service account in the install namespace.
    pub account: String,
    /// Where the right was reviewed; empty for the whole cluster.
    pub namespace: String,
    /// Whether the API server allows it.
    pub allowed: Read<bool>,
}

/// A serving certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSeen {
    /// The object that contains the certificate, as `Secret namespace/name` or `APIService name`.
    pub object: String,
    /// The field of that object.
    pub field: &'static str,
    /// End of the validity.
    pub not_after: Timestamp,
    /// DNS names of the certificate; `None` for a CA, which has none.
    pub names: Option<Vec<String>>,
}

/// One read of a metric through the API server.
#[derive(Clone, Debug)]
pub struct MetricRead {
    /// Name of the HPA that reads the metric.
    pub hpa: String,
    /// Name of the metric.
    pub metric: String,
    /// The path that was requested.
    pub path: String,
    /// The values in short, or why there are none.
    pub outcome: Read<String>,
}

/// One `VoiceAssistScaling` as the API server returned it.
#[derive(Clone, Debug)]
pub struct ScalingSeen {
    /// The resource that the observations are about.
    pub resource: ResourceRef,
    /// The object, or the error of the parser.
    pub object: Result<VoiceAssistScaling, String>,
    /// The active environment with its valid workloads; `None` if the resource as a whole is invalid.
    pub scaling: Option<Scaling>,
    /// Which workloads are suspended, by whom and until when.
    pub suspended: Suspended,
    /// The rules that the resource breaks, as messages.
    pub violations: Vec<String>,
}

/// One namespace that has a resource.
#[derive(Clone, Debug)]
pub struct NamespaceSeen {
    /// All HPAs of the namespace.
    pub hpas: Read<Vec<HorizontalPodAutoscaler>>,
    /// All PodDisruptionBudgets of the namespace.
    pub pdbs: Read<Vec<PodDisruptionBudget>>,
    /// All pods of the namespace.
    pub pods: Read<Vec<Pod>>,
    /// All ResourceQuotas of the namespace.
    pub quotas: Read<Vec<ResourceQuota>>,
    /// All VPAs; `NotFound` if the cluster does not serve the kind.
    pub vpas: Read<Vec<Value>>,
    /// Names of the pods for which metrics.k8s.io has values.
    pub pod_metrics: Read<Vec<String>>,
    /// Scale targets of the resources.
    pub targets: BTreeMap<TargetId, Read<ScaleTarget>>,
}

impl Observed {
    /// An observation in which every read failed for the same reason.
    #[must_use]
    pub fn nothing(now: Timestamp, install_namespace: &str, why: &Unread) -> Self {
        Self {
            now,
            install_namespace: install_namespace.to_owned(),
            namespace: None,
            server: Err(why.clone()),
            crd: Err(why.clone()),
            rights: Vec::new(),
            operator: Err(why.clone()),
            metrics_server: Err(why.clone()),
            metrics_server_service: Err(why.clone()),
            install_pdbs: Err(why.clone()),
            operator_lease: Err(why.clone()),
            metrics_server_lease: Err(why.clone()),
            api_services: BTreeMap::new(),
            certificate: Err(why.clone()),
            discovery: Err(why.clone()),
            metric_reads: Vec::new(),
            prometheus: Err(why.clone()),
            scalings: Err(why.clone()),
            namespaces: BTreeMap::new(),
        }
    }

    /// An APIService.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn api_service(&self, name: &str) -> Read<&APIService> {
        match self.api_services.get(name) {
            Some(Ok(service)) => Ok(service),
            Some(Err(why)) => Err(why.clone()),
            None => Err(Unread::NotAsked("the API server could not be asked".to_owned())),
        }
    }
}
