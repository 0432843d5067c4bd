//! Which Prometheus the triggers ask.
//!
//! A resource names a server by a name of the metrics server's configuration, never by its address. Where all triggers
//! ask one address, that is the server `default`; of several, each gets a name that its address suggests, and the
//! metrics server has to learn it.

use std::collections::{BTreeMap, BTreeSet};

use super::object::ScaledObject;
use crate::import::names::{self, Names};

/// The names of the servers by their addresses; empty where there is one.
pub(super) struct Servers {
    addresses: BTreeSet<String>,
    names: BTreeMap<String, String>,
}

impl Servers {
    /// The servers of all Prometheus triggers.
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

    /// The name of a server; `None` for the only one, which is the default.
    pub(super) fn name(&self, address: &str) -> Option<String> {
        self.names.get(address).cloned()
    }

    /// What has to be done for the servers to be asked.
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

/// The first part of the host: `http://thanos-query.monitoring:9090` is `thanos-query`.
fn suggested(address: &str) -> String {
    let host = address.split_once("://").map_or(address, |(_, host)| host);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let end = host.find(['.', ':', '/']).unwrap_or(host.len());
    names::metric_name(host.get(..end).unwrap_or(host))
}
