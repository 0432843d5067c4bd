//! Names the Prometheus servers that the triggers query.
//!
//! A resource names a server by its name in the configuration of the metrics server, never by its address. If
//! all triggers have the same address, that server is `default`. Otherwise each server gets a name from its
//! address, and a note tells the user to add it to the configuration of the metrics server.

use std::collections::{BTreeMap, BTreeSet};

use super::object::ScaledObject;
use crate::names::{self, Names};

/// The Prometheus servers of all triggers.
pub(super) struct Servers {
    addresses: BTreeSet<String>,
    /// Name by address; empty if there is only one server.
    names: BTreeMap<String, String>,
}

impl Servers {
    /// Collects the servers of all Prometheus triggers.
    pub(super) fn of(objects: &[ScaledObject]) -> Self {
        let triggers = objects.iter().flat_map(|object| &object.spec.triggers);
        let addresses: BTreeSet<String> = triggers
            .filter(|trigger| trigger.type_ == "prometheus")
            .filter_map(|trigger| trigger.text("serverAddress"))
            .map(str::to_owned)
            .collect();
        let mut unique = Names::default();
        let several = addresses.iter().filter(|_| addresses.len() > 1);
        let names = several
            .map(|address| (address.clone(), unique.unique(&suggested(address))))
            .collect();
        Self { addresses, names }
    }

    /// The name of a server; `None` for the only server, which is `default`.
    pub(super) fn name(&self, address: &str) -> Option<String> {
        self.names.get(address).cloned()
    }

    /// What the user has to configure so that the metrics server queries these servers.
    pub(super) fn notes(&self) -> Vec<String> {
        if self.names.is_empty() {
            let one = self.addresses.iter().map(|address| {
                format!("the queries asked {address}: start vas metrics-server with that as its Prometheus")
            });
            return one.collect();
        }
        let several = self.names.iter().map(|(address, name)| {
            format!("add a server {name} with the url {address} to the --config of vas metrics-server")
        });
        several.collect()
    }
}

/// The first label of the host: `thanos-query` of `http://thanos-query.monitoring:9090`.
fn suggested(address: &str) -> String {
    let host = address.split_once("://").map_or(address, |(_, host)| host);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let end = host.find(['.', ':', '/']).unwrap_or(host.len());
    names::metric_name(host.get(..end).unwrap_or(host))
}
