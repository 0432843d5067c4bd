//! What kinds are called in paths, and which versions of a group the server prefers.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResourceList};

use super::{
    Resources,
    reader::{Reader, encode},
};

/// What was discovered.
pub(super) struct Discovery {
    resources: BTreeMap<String, Resources>,
    custom_metrics: Result<APIGroup, String>,
}

/// Path of an API version: `/apis/apps/v1`, `/api/v1`.
pub(super) fn root(api_version: &str) -> String {
    match api_version.split_once('/') {
        Some((group, version)) => format!("/apis/{}/{}", encode(group), encode(version)),
        None => format!("/api/{}", encode(api_version)),
    }
}

impl Discovery {
    pub(super) async fn read(reader: &Reader, api_versions: impl Iterator<Item = &str>) -> Self {
        let versions: BTreeSet<String> = api_versions.map(str::to_owned).collect();
        let reads = versions.into_iter().map(|version| async {
            let list = reader.get::<APIResourceList>(&root(&version)).await;
            (version, list.map_err(|error| error.words()))
        });
        let custom_metrics = reader.get("/apis/custom.metrics.k8s.io").await;
        Self {
            resources: join_all(reads).await.into_iter().collect(),
            custom_metrics: custom_metrics.map_err(|error| error.words()),
        }
    }

    /// `deployments` for `Deployment` of `apps/v1`.
    pub(super) fn plural(&self, api_version: &str, kind: &str) -> Result<String, String> {
        let unserved = || format!("the cluster serves no kind {kind} in {api_version}");
        let list = self.resources.get(api_version).ok_or_else(unserved)?;
        let list = list.as_ref().map_err(Clone::clone)?;
        let named = list.resources.iter();
        let found = named
            .filter(|one| one.kind == kind)
            .find(|one| !one.name.contains('/'));
        found.map(|resource| resource.name.clone()).ok_or_else(unserved)
    }

    /// The version of `custom.metrics.k8s.io` that the controller would use.
    pub(super) fn custom_metrics(&self) -> Result<&str, String> {
        let group = self.custom_metrics.as_ref().map_err(|words| {
            format!("custom.metrics.k8s.io is not served; kubectl get apiservice says why ({words})")
        })?;
        let served: Vec<&str> = group
            .versions
            .iter()
            .map(|version| version.version.as_str())
            .collect();
        let preferred = group
            .preferred_version
            .as_ref()
            .map(|version| version.version.as_str());
        let known = |version: &str| matches!(version, "v1beta2" | "v1beta1");
        preferred
            .filter(|version| known(version))
            .or_else(|| served.into_iter().find(|version| known(version)))
            .ok_or_else(|| "custom.metrics.k8s.io is served in no version that the HPA knows".to_owned())
    }
}
