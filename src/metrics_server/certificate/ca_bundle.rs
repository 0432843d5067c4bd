//! Writes the CAs to trust into the APIServices that lead here, and into no others.
//!
//! The writes are server-side applies of that one field, so that the installer of the APIServices owns the
//! rest. An APIService that is absent is not created: uninstalling removes the APIServices before this
//! server.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, kube_aggregator::pkg::apis::apiregistration::v1::APIService};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::api_services::{All, Seen};
use vas_api::FIELD_MANAGER_METRICS;
use vas_core::metrics::registration::Owner;

/// Whether every APIService that leads here trusts exactly these CAs; false until each one was read.
pub(super) fn is_trusted(all: &All, cas: &str) -> bool {
    all.values().all(|seen| match seen.registration.owner {
        Owner::Unknown => false,
        Owner::Absent | Owner::Foreign(_) => true,
        Owner::Ours => seen.ca_bundle == cas.as_bytes(),
    })
}

/// The writer, and the last error for each APIService.
pub(super) struct CaBundles {
    api: Api<APIService>,
    failed: BTreeMap<&'static str, String>,
}

impl CaBundles {
    /// A writer for the cluster of `client`.
    pub(super) fn new(client: Client) -> Self {
        Self {
            api: Api::all(client),
            failed: BTreeMap::new(),
        }
    }

    /// Makes the APIServices that lead here trust `cas`. An error is logged when it differs from the last
    /// one, and the next call tries again.
    ///
    /// Invariant: `all` was seen before the Secret was read that `cas` comes from. The write applies only to
    /// the version that was seen. So an APIService that another replica has written since, from a newer
    /// Secret, is left alone.
    pub(super) async fn write(&mut self, all: &All, cas: &str) {
        for (name, seen) in all {
            if seen.registration.owner != Owner::Ours || seen.ca_bundle == cas.as_bytes() {
                continue;
            }
            match self.apply(name, seen, cas).await {
                Ok(()) => {
                    self.failed.remove(name);
                    tracing::info!(apiservice = name, "now trusts our certificate");
                }
                // Another replica wrote the APIService, or it was replaced; the watch delivers the new
                // version.
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => {
                    let error = error.to_string();
                    if self.failed.get(name) != Some(&error) {
                        tracing::warn!(
                            apiservice = name,
                            error,
                            "could not be made to trust our certificate"
                        );
                        self.failed.insert(name, error);
                    }
                }
            }
        }
    }

    async fn apply(&self, name: &str, seen: &Seen, cas: &str) -> kube::Result<()> {
        // UID and resourceVersion guard against an APIService that was replaced, or changed its owner, since
        // it was seen.
        let patch = json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": name, "uid": seen.uid, "resourceVersion": seen.resource_version},
            "spec": {"caBundle": ByteString(cas.as_bytes().to_vec())},
        });
        let params = PatchParams::apply(FIELD_MANAGER_METRICS).force();
        self.api.patch(name, &params, &Patch::Apply(&patch)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vas_core::metrics::registration::Registration;

    fn all(owner: Owner, ca_bundle: &str) -> All {
        let seen = Seen {
            registration: Registration { owner, priority: 1 },
            ca_bundle: ca_bundle.as_bytes().to_vec(),
            uid: None,
            resource_version: None,
        };
        All::from([("v1beta1.external.metrics.k8s.io", seen)])
    }

    #[test]
    fn only_those_that_lead_here_need_to_trust_us_and_none_is_taken_for_granted() {
        assert!(is_trusted(&all(Owner::Ours, "a"), "a"));
        assert!(!is_trusted(&all(Owner::Ours, "b"), "a"));
        assert!(is_trusted(&all(Owner::Foreign(String::new()), "b"), "a"));
        assert!(is_trusted(&all(Owner::Absent, ""), "a"));
        assert!(!is_trusted(&all(Owner::Unknown, "a"), "a"));
    }
}
