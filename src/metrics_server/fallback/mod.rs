//! Hands on the reads that no resource describes, to the metrics adapters that were there before vas.
//!
//! A cluster has one server for each metrics API. So vas can only be tried beside prometheus-adapter or KEDA
//! if it takes the API over and hands on what is not its own.
//!
//! ```text
//! router: authenticated, authorized --> does a resource of the namespace describe the metric by name?
//!           yes: metrics/reads, also if it is missing or ambiguous        no: read --> adapter --> answer
//!                                                                             circuit  account, trust
//! ```
//!
//! Invariants: a read is authorized here first. An adapter gets the token of an account that may do nothing
//! but read metrics, over a connection whose certificate is verified. What an adapter does, or fails to do,
//! changes no read of our own metrics.
//! Must not: keep or alter values of an adapter.

mod account;
mod adapter;
mod address;
mod answer;
mod circuit;
mod read;
mod trust;

use std::sync::Arc;

use kube::Client;
use tokio::task::JoinSet;

use self::{account::Account, trust::Trust};
pub(crate) use self::{adapter::Adapter, read::Read};
pub use self::{
    address::{AdapterAddress, AddressError},
    trust::{CaFile, CaFileError},
};
use crate::telemetry::Telemetry;
use vas_cluster::clock::Clock;
use vas_core::metrics::registration::MetricsApi;

/// The adapters, and how they are reached.
#[derive(Clone, Debug)]
pub struct FallbackSettings {
    /// The adapter for custom.metrics.k8s.io.
    pub custom: Option<AdapterAddress>,
    /// The adapter for external.metrics.k8s.io.
    pub external: Option<AdapterAddress>,
    /// The CA certificates that adapters are verified with.
    pub ca: CaFile,
    /// Name of the ServiceAccount whose token adapters get, in the namespace of our Service.
    pub service_account: String,
}

/// The adapters that reads are handed on to; by default none.
#[derive(Default)]
pub(crate) struct Fallbacks {
    custom: Option<Adapter>,
    external: Option<Adapter>,
}

impl Fallbacks {
    /// The adapters of the settings. The tasks keep their token and their CA certificates.
    pub(crate) fn start(
        settings: FallbackSettings,
        namespace: &str,
        client: Client,
        (clock, telemetry): (Arc<dyn Clock>, Arc<Telemetry>),
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let account = Arc::new(Account::new(namespace.to_owned(), settings.service_account));
        let trust = Arc::new(Trust::new(settings.ca));
        let adapter = |api, address| {
            let reached = (account.clone(), trust.clone());
            Adapter::new(api, address, reached, clock.clone(), telemetry.clone())
        };
        let fallbacks = Self {
            custom: settings
                .custom
                .map(|address| adapter(MetricsApi::Custom, address)),
            external: settings
                .external
                .map(|address| adapter(MetricsApi::External, address)),
        };
        tasks.spawn(async move { account.follow(client, clock).await });
        tasks.spawn(async move { trust.follow().await });
        fallbacks
    }

    /// The adapter for an API group.
    pub(crate) fn of(&self, api: MetricsApi) -> Option<&Adapter> {
        match api {
            MetricsApi::Custom => self.custom.as_ref(),
            MetricsApi::External => self.external.as_ref(),
        }
    }
}
