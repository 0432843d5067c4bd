//! Answers two questions from API discovery: what the path of a kind is, and which version of
//! `custom.metrics.k8s.io` the HPA controller reads.
//!
//! The version holds for the life of a [`Discovery`], also as a failure; make a new one for a newer answer. Kinds come
//! from the cache [`crate::kinds`].

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroup;
use kube::core::ApiResource;
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::{clock::SystemClock, kinds::Kinds, read::Reader};
use vas_api::CUSTOM_METRICS_GROUP;
use vas_core::hpa::metric_reads::{CustomVersion, NoPath, ServedVersion, preferred};

/// The media types of discovery that client-go accepts. Only the first two (aggregated discovery) mark a
/// version whose server is away.
const FORMS: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// The `freshness` that aggregated discovery gives to a version whose server is away.
const STALE: &str = "Stale";
/// The one version of the core group.
const CORE: &str = "v1";

/// The answers of API discovery. Each is read when it is first needed.
pub struct Discovery {
    reader: Reader,
    kinds: Kinds,
    custom_metrics: OnceCell<Result<CustomVersion, NoPath>>,
}

/// All API groups: aggregated discovery fills `items`, the older form (`APIGroupList`) fills `groups`.
#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    items: Vec<AggregatedGroup>,
    #[serde(default)]
    groups: Vec<APIGroup>,
}

#[derive(Deserialize)]
struct AggregatedGroup {
    metadata: Named,
    #[serde(default)]
    versions: Vec<AggregatedVersion>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct AggregatedVersion {
    version: String,
    #[serde(default)]
    freshness: String,
}

impl Discovery {
    /// Reads nothing yet.
    pub fn new(reader: Reader) -> Self {
        Self {
            kinds: Kinds::new(reader.clone(), Arc::new(SystemClock::new())),
            reader,
            custom_metrics: OnceCell::new(),
        }
    }

    /// The reader that discovery uses.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The API resource of a kind: `Deployment` in `apps/v1` is `deployments.apps`.
    ///
    /// # Errors
    /// When the cluster does not serve the kind, or its kinds cannot be read.
    pub async fn resource(&self, api_version: &str, kind: &str) -> Result<ApiResource, NoPath> {
        // An object reference without an API version is one of the core group.
        let api_version = if api_version.is_empty() { CORE } else { api_version };
        let served = self.kinds.find(api_version, kind, |_| true).await;
        let served = served.map_err(|error| NoPath::Unread(error.words()))?;
        served
            .map(|served| served.resource(api_version))
            .ok_or_else(|| NoPath::UnknownKind {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
            })
    }

    /// The version of `custom.metrics.k8s.io` that the controller reads.
    ///
    /// # Errors
    /// When there is none, or the list of groups cannot be read.
    pub async fn custom_metrics(&self) -> Result<CustomVersion, NoPath> {
        let found = self.custom_metrics.get_or_init(|| async {
            let groups = self.reader.get_as("/apis", FORMS).await;
            version_in(&groups.map_err(|error| NoPath::Unread(error.words()))?)
        });
        found.await.clone()
    }
}

fn version_in(groups: &Groups) -> Result<CustomVersion, NoPath> {
    let aggregated = groups
        .items
        .iter()
        .find(|group| group.metadata.name == CUSTOM_METRICS_GROUP);
    if let Some(group) = aggregated {
        return preferred(group.versions.iter().map(|version| ServedVersion {
            name: &version.version,
            answers: version.freshness != STALE,
        }));
    }
    let group = groups
        .groups
        .iter()
        .find(|group| group.name == CUSTOM_METRICS_GROUP);
    let group = group.ok_or(NoPath::Unserved)?;
    // The older form has the preferred version in a field of its own, and does not tell whose server is away.
    let versions = group.preferred_version.iter().chain(&group.versions);
    preferred(versions.map(|version| ServedVersion {
        name: &version.version,
        answers: true,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn version(groups: Value) -> Result<CustomVersion, NoPath> {
        version_in(&serde_json::from_value(groups).unwrap())
    }

    fn aggregated(versions: &[(&str, &str)]) -> Value {
        let versions = versions.iter();
        let versions: Vec<Value> = versions
            .map(|(version, freshness)| json!({"version": version, "freshness": freshness, "resources": []}))
            .collect();
        json!({"kind": "APIGroupDiscoveryList", "items": [
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1"}]},
            {"metadata": {"name": "custom.metrics.k8s.io"}, "versions": versions},
        ]})
    }

    #[test]
    fn in_the_aggregated_form_the_first_version_whose_server_answers_is_read() {
        use CustomVersion::{V1Beta1, V1Beta2};
        for (versions, expected) in [
            (&[("v1beta2", "Current"), ("v1beta1", "Current")][..], Ok(V1Beta2)),
            (&[("v1beta1", "Current"), ("v1beta2", "Current")], Ok(V1Beta1)),
            (&[("v1beta2", "Stale"), ("v1beta1", "Current")], Ok(V1Beta1)),
            (&[("v1", "Current"), ("v1beta1", "Current")], Ok(V1Beta1)),
            // The read then has the words why there is no answer.
            (&[("v1beta2", "Stale"), ("v1beta1", "Stale")], Ok(V1Beta2)),
            (&[("v1", "Current")], Err(NoPath::UnknownVersions)),
            (&[], Err(NoPath::UnknownVersions)),
        ] {
            assert_eq!(version(aggregated(versions)), expected, "{versions:?}");
        }
        let without = json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "apps"}}]});
        assert_eq!(version(without), Err(NoPath::Unserved));
    }

    #[test]
    fn in_the_old_form_the_preferred_version_is_read_where_the_hpa_knows_it() {
        let of = |preferred: &str, versions: &[&str]| {
            let named = |version: &str| json!({"version": version, "groupVersion": format!("{CUSTOM_METRICS_GROUP}/{version}")});
            let versions: Vec<Value> = versions.iter().map(|version| named(version)).collect();
            version(json!({"kind": "APIGroupList", "groups": [
                {"name": CUSTOM_METRICS_GROUP, "preferredVersion": named(preferred), "versions": versions},
            ]}))
        };
        assert_eq!(of("v1beta1", &["v1beta2", "v1beta1"]), Ok(CustomVersion::V1Beta1));
        assert_eq!(
            of("v1", &["v1", "v1beta2", "v1beta1"]),
            Ok(CustomVersion::V1Beta2)
        );
        assert_eq!(of("v1", &["v1"]), Err(NoPath::UnknownVersions));
        assert_eq!(
            version(json!({"kind": "APIGroupList", "groups": []})),
            Err(NoPath::Unserved)
        );
    }
}
