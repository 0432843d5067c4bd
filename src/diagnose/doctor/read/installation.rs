//! Reads the parts of an installation: CRD, Deployments, budgets, Leases, APIServices and certificate.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        coordination::v1::Lease,
        core::v1::{Secret, Service},
        policy::v1::PodDisruptionBudget,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use kube::{
    Api, Client,
    api::ListParams,
    core::{ApiResource, DynamicObject},
};
use serde_json::Value;
use x509_parser::{extensions::GeneralName, pem::Pem};

use super::{
    reader::{get, read as bounded},
    scalings::json,
};
use crate::doctor::{
    checks::{
        api_services::{CUSTOM, EXTERNAL, RESOURCE},
        deployments,
    },
    observed::{CertificateSeen, Observed, ServerVersion},
};
use vas_api::{METRICS_SERVER_LEASE, METRICS_SERVER_SERVICE, OPERATOR_LEASE};
use vas_cluster::server_clock::server_time;
use vas_core::k8s::read::{Read, Unread};

const CRD: &str = "voiceassistscalings.scaling.voiceassist.io";
const OPERATOR: &str = "vas-operator";
const SECRET: &str = "vas-metrics-server-tls";

/// The parts of [`Observed`] that this module reads.
pub(super) struct Installed {
    crd: Read<Value>,
    operator: Read<Deployment>,
    metrics_server: Read<Deployment>,
    metrics_server_service: Read<Service>,
    pdbs: Read<Vec<PodDisruptionBudget>>,
    operator_lease: Read<Lease>,
    metrics_server_lease: Read<Lease>,
    api_services: BTreeMap<String, Read<APIService>>,
    certificate: Read<CertificateSeen>,
    discovery: Read<Vec<String>>,
}

impl Installed {
    pub(super) fn put_into(self, observed: &mut Observed) {
        observed.crd = self.crd;
        observed.operator = self.operator;
        observed.metrics_server = self.metrics_server;
        observed.metrics_server_service = self.metrics_server_service;
        observed.install_pdbs = self.pdbs;
        observed.operator_lease = self.operator_lease;
        observed.metrics_server_lease = self.metrics_server_lease;
        observed.api_services = self.api_services;
        observed.certificate = self.certificate;
        observed.discovery = self.discovery;
    }
}

/// Version of the API server, and the time on its clock. Leases and certificates are judged by the clock of
/// the cluster, not by the clock of this machine.
pub(super) async fn server(client: &Client) -> (Read<ServerVersion>, Option<Timestamp>) {
    let version = bounded(client.apiserver_version())
        .await
        .map(|info| ServerVersion {
            number: number(&info.major).zip(number(&info.minor)),
            name: info.git_version,
        });
    let time = if version.is_ok() {
        server_time(client).await
    } else {
        None
    };
    (version, time)
}

/// Parses a part of the version. Some vendors write `37+`.
fn number(text: &str) -> Option<u32> {
    text.trim_end_matches('+').parse().ok()
}

async fn api_services(client: &Client) -> BTreeMap<String, Read<APIService>> {
    let names = CUSTOM.into_iter().chain([RESOURCE]);
    let reads = names.map(|name| async move { (name.to_owned(), api_service(client, name).await) });
    futures::future::join_all(reads).await.into_iter().collect()
}

async fn api_service(client: &Client, name: &str) -> Read<APIService> {
    bounded(Api::<APIService>::all(client.clone()).get(name)).await
}

/// Reads all parts that do not depend on the resources.
pub(super) async fn read(client: &Client, namespace: &str) -> Installed {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let pdbs: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), namespace);
    let list = ListParams::default();
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let service = bounded(services.get(METRICS_SERVER_SERVICE));
    let (
        crd,
        operator,
        metrics_server,
        pdbs,
        operator_lease,
        metrics_server_lease,
        api_services,
        discovery,
        service,
    ) = tokio::join!(
        crd(client),
        bounded(deployments.get(OPERATOR)),
        bounded(deployments.get(METRICS_SERVER_SERVICE)),
        bounded(pdbs.list(&list)),
        bounded(leases.get(OPERATOR_LEASE)),
        bounded(leases.get(METRICS_SERVER_LEASE)),
        api_services(client),
        get(client, "/apis/custom.metrics.k8s.io/v1beta2"),
        service,
    );
    let certificate = certificate(client, namespace, metrics_server.as_ref().ok(), &api_services).await;
    Installed {
        crd,
        operator,
        metrics_server,
        metrics_server_service: service,
        pdbs: pdbs.map(|list| list.items),
        operator_lease,
        metrics_server_lease,
        api_services,
        certificate,
        discovery: discovery.map(|list| names(&list)),
    }
}

/// Reads the APIService of external metrics.
pub(super) async fn external(client: &Client, observed: &mut Observed) {
    let service = api_service(client, EXTERNAL).await;
    observed.api_services.insert(EXTERNAL.to_owned(), service);
}

/// The CRD as JSON, with fields that this binary does not know.
async fn crd(client: &Client) -> Read<Value> {
    let resource = ApiResource::erase::<CustomResourceDefinition>(&());
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    Ok(json(&bounded(api.get(CRD)).await?))
}

fn names(list: &Value) -> Vec<String> {
    let resources = list.get("resources").and_then(Value::as_array);
    let names = resources.into_iter().flatten();
    names
        .filter_map(|resource| resource.get("name").and_then(Value::as_str))
        .map(str::to_owned)
        .collect()
}

/// The serving certificate from the Secret. If the Secret cannot be read or is empty, or if the metrics
/// server serves a certificate from files, the CA from the `caBundle` instead.
async fn certificate(
    client: &Client,
    namespace: &str,
    metrics_server: Option<&Deployment>,
    api_services: &BTreeMap<String, Read<APIService>>,
) -> Read<CertificateSeen> {
    let files = deployments::setting(metrics_server, "--tls-cert-file", "VAS_TLS_CERT_FILE").is_some();
    if !files {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let chain = bounded(secrets.get(SECRET))
            .await
            .ok()
            .and_then(|secret| secret.data?.remove("tls.crt"));
        if let Some(seen) =
            chain.and_then(|chain| parse(&chain.0, format!("Secret {namespace}/{SECRET}"), "tls.crt"))
        {
            return Ok(seen);
        }
    }
    for (name, service) in api_services {
        if !CUSTOM.contains(&name.as_str()) {
            continue;
        }
        let bundle = service
            .as_ref()
            .ok()
            .and_then(|service| service.spec.as_ref()?.ca_bundle.clone());
        let seen = bundle.and_then(|bundle| parse(&bundle.0, format!("APIService {name}"), "spec.caBundle"));
        if let Some(seen) = seen {
            return Ok(CertificateSeen { names: None, ..seen });
        }
    }
    Err(Unread::NotAsked(format!(
        "neither Secret {namespace}/{SECRET} nor a caBundle holds one that can be read"
    )))
}

/// The first certificate of a PEM text.
fn parse(pem: &[u8], object: String, field: &'static str) -> Option<CertificateSeen> {
    let pem = Pem::iter_from_buffer(pem).next()?.ok()?;
    let certificate = pem.parse_x509().ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| {
        let names = names.value.general_names.iter();
        names
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
            .collect()
    });
    Some(CertificateSeen {
        object,
        field,
        not_after: Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?,
        names: Some(names.unwrap_or_default()),
    })
}
