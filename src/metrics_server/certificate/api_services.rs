//! Follows the APIServices of the metrics API: which Service each leads to, and which CAs it trusts.
//!
//! They are watched, so that a lost APIService is noticed at once. An APIService that leads to another
//! adapter is never changed. It is reported in the log, in a metric, and in the condition of the resources
//! that it concerns.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, kube_aggregator::pkg::apis::apiregistration::v1::APIService};
use kube::{Api, Client, runtime::watcher};
use tokio::sync::watch;

use super::secret::ServiceName;
use crate::telemetry::{ApiServiceState, Telemetry};
use vas_cluster::watch::{One, events, named};
use vas_core::metrics::registration::{MetricsApi, Owner, Registration};

/// The last seen state of an APIService.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Which Service the APIService leads to.
    pub registration: Registration,
    /// The CAs that it trusts, in PEM.
    pub ca_bundle: Vec<u8>,
    /// UID of the object that was seen; `None` if there is none.
    pub uid: Option<String>,
    /// resourceVersion of the object that was seen.
    pub resource_version: Option<String>,
}

impl Seen {
    const UNKNOWN: Self = Self {
        registration: Registration::UNKNOWN,
        ca_bundle: Vec::new(),
        uid: None,
        resource_version: None,
    };

    fn read(object: Option<&APIService>, service: &ServiceName) -> Self {
        let spec = object.and_then(|object| object.spec.as_ref());
        let ca_bundle = spec.and_then(|spec| spec.ca_bundle.clone());
        Self {
            registration: Registration::read(object, &service.namespace, &service.name),
            ca_bundle: ca_bundle.map_or_else(Vec::new, |ByteString(bytes)| bytes),
            uid: object.and_then(|object| object.metadata.uid.clone()),
            resource_version: object.and_then(|object| object.metadata.resource_version.clone()),
        }
    }
}

/// All followed APIServices, by name.
pub(crate) type All = BTreeMap<&'static str, Seen>;

/// The APIServices of the metrics API.
#[derive(Debug)]
pub(crate) struct ApiServices {
    service: ServiceName,
    seen: watch::Sender<All>,
}

impl ApiServices {
    /// No APIService was read yet; `service` is the one of this server.
    pub(crate) fn new(service: ServiceName) -> Self {
        let all = MetricsApi::ALL.into_iter().flat_map(MetricsApi::api_services);
        let seen = all.map(|name| (*name, Seen::UNKNOWN)).collect();
        Self {
            service,
            seen: watch::Sender::new(seen),
        }
    }

    /// All APIServices as they were last seen; the receiver is notified of changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<All> {
        self.seen.subscribe()
    }

    /// Which Service the APIService of that name leads to.
    pub(crate) fn registration(&self, name: &str) -> Registration {
        self.seen
            .borrow()
            .get(name)
            .map_or(Registration::UNKNOWN, |seen| seen.registration.clone())
    }

    /// Follows all of them for ever.
    pub(crate) async fn follow(&self, client: &Client, telemetry: &Telemetry) {
        let watches = MetricsApi::ALL.into_iter().flat_map(MetricsApi::api_services);
        futures::future::join_all(watches.map(|name| self.follow_one(client.clone(), name, telemetry))).await;
    }

    /// Watches one object by its name: the server has no right to list all APIServices.
    async fn follow_one(&self, client: Client, name: &'static str, telemetry: &Telemetry) {
        telemetry.api_service(name, ApiServiceState::Unknown);
        let api: Api<APIService> = Api::all(client);
        let see = One(|object: Result<Option<APIService>, &watcher::Error>| {
            if let Ok(object) = object {
                self.take(name, object.as_ref(), telemetry);
            }
        });
        vas_cluster::watch::follow(name, &telemetry.restarts, events(api, named(name)), see).await;
    }

    fn take(&self, name: &'static str, object: Option<&APIService>, telemetry: &Telemetry) {
        let now = Seen::read(object, &self.service);
        let mut owner_changed = false;
        self.seen.send_if_modified(|all| {
            let Some(seen) = all.get_mut(name) else {
                return false;
            };
            owner_changed = seen.registration.owner != now.registration.owner;
            let changed = *seen != now;
            *seen = now.clone();
            changed
        });
        if owner_changed {
            log(name, &now.registration.owner);
            telemetry.api_service(name, ApiServiceState::from(&now.registration.owner));
        }
    }
}

fn log(name: &str, owner: &Owner) {
    match owner {
        Owner::Unknown => {}
        // Not every cluster has external metrics. The condition of a resource that uses one reports the
        // absence.
        Owner::Absent if name.ends_with(MetricsApi::External.group()) => {
            tracing::info!(
                apiservice = name,
                "does not exist; external metrics are not read from here"
            );
        }
        Owner::Absent => tracing::warn!(
            apiservice = name,
            "does not exist; no HPA can read metrics before vas register"
        ),
        Owner::Ours => tracing::info!(apiservice = name, "leads here"),
        Owner::Foreign(owner) => tracing::error!(
            apiservice = name,
            owner,
            "leads to another metrics adapter, and a cluster has only one; vas register --take-over takes it over"
        ),
    }
}
