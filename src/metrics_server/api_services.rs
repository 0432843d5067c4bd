//! Writes our CA into the APIServices that lead here, and only there: an APIService that leads to another
//! adapter is never touched.
//!
//! By server-side apply of the one field, so that whoever ships the APIServices owns the rest. Repeated, because
//! APIServices are installed, replaced and re-applied while we run. One that is absent stays absent.

use k8s_openapi::{ByteString, kube_aggregator::pkg::apis::apiregistration::v1::APIService};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{path::Version, secret::ServiceName, telemetry::Telemetry};
use crate::api::{CUSTOM_METRICS_GROUP, FIELD_MANAGER_METRICS};

/// What a look at an APIService found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Absent,
    /// It leads elsewhere.
    Foreign(String),
    /// It trusts our CA.
    Trusted,
    /// It was just made to trust our CA.
    Written,
    Failed(String),
}

/// The APIServices of our group, and what was last found of each.
pub struct ApiServices {
    api: Api<APIService>,
    found: [(Version, Option<Found>); 2],
}

impl ApiServices {
    /// Those of the cluster of `client`.
    pub fn new(client: Client) -> Self {
        Self {
            api: Api::all(client),
            found: Version::ALL.map(|version| (version, None)),
        }
    }

    /// Makes those that lead to `service` trust `ca`. What goes wrong is logged once, and tried again by the next
    /// call.
    pub async fn make_trust(&mut self, service: &ServiceName, ca: &str, telemetry: &Telemetry) {
        let mut foreign = 0;
        for (version, before) in &mut self.found {
            let name = format!("{}.{CUSTOM_METRICS_GROUP}", version.name());
            let found = trust(&self.api, &name, service, ca).await;
            foreign += usize::from(matches!(found, Found::Foreign(_)));
            if before.as_ref() != Some(&found) {
                log(&name, &found);
                *before = Some(found);
            }
        }
        telemetry.foreign_api_services(foreign);
    }
}

async fn trust(api: &Api<APIService>, name: &str, service: &ServiceName, ca: &str) -> Found {
    let found = match api.get_opt(name).await {
        Ok(Some(found)) => found,
        Ok(None) => return Found::Absent,
        Err(error) => return Found::Failed(error.to_string()),
    };
    let spec = found.spec.unwrap_or_default();
    let leads_to = spec.service.unwrap_or_default();
    let leads_here = leads_to.name.as_deref() == Some(service.name.as_str())
        && leads_to.namespace.as_deref() == Some(service.namespace.as_str());
    if !leads_here {
        let part = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        return Found::Foreign(format!("{}/{}", part(leads_to.namespace), part(leads_to.name)));
    }
    let wanted = ByteString(ca.as_bytes().to_vec());
    if spec.ca_bundle.as_ref() == Some(&wanted) {
        return Found::Trusted;
    }
    // UID and version guard against an APIService that was replaced, or taken over, between the two calls: a
    // conflict, and the next look finds whom it leads to.
    let patch = json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {
            "name": name,
            "uid": found.metadata.uid,
            "resourceVersion": found.metadata.resource_version,
        },
        "spec": {"caBundle": wanted},
    });
    let params = PatchParams::apply(FIELD_MANAGER_METRICS).force();
    match api.patch(name, &params, &Patch::Apply(&patch)).await {
        Ok(_) => Found::Written,
        Err(error) => Found::Failed(error.to_string()),
    }
}

fn log(name: &str, found: &Found) {
    match found {
        Found::Absent => tracing::warn!(
            apiservice = name,
            "does not exist; no HPA can read metrics until manifests/install is applied"
        ),
        Found::Foreign(service) => tracing::error!(
            apiservice = name,
            service,
            "leads to another metrics adapter; a cluster has only one: remove that one, then apply manifests/install"
        ),
        Found::Written => tracing::info!(apiservice = name, "now trusts our certificate"),
        Found::Failed(error) => tracing::warn!(apiservice = name, error, "could not be checked"),
        Found::Trusted => tracing::debug!(apiservice = name, "trusts our certificate"),
    }
}
