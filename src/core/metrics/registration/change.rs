//! How an APIService becomes ours, and how it becomes nobody's: what `vas register` and `vas unregister` write.

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use serde_json::{Value, json};

use super::{Owner, Registration};

/// Annotations by which Argo CD, Helm and Flux leave an object alone that is no longer among their files.
const KEPT: [(&str, &str); 3] = [
    ("argocd.argoproj.io/sync-options", "Prune=false"),
    ("helm.sh/resource-policy", "keep"),
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
];
/// Labels and annotations by which installers find what they may prune. An APIService that was installed with other
/// objects loses them, so that a later install without it does not delete it.
const TRACKING_LABELS: [&str; 3] = [
    "app.kubernetes.io/part-of",
    "applyset.kubernetes.io/part-of",
    "argocd.argoproj.io/instance",
];
const TRACKING_ANNOTATIONS: [&str; 2] = [
    "argocd.argoproj.io/tracking-id",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// The Service that APIServices of vas lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Namespace of the Service.
    pub namespace: String,
    /// Name of the Service.
    pub name: String,
    /// Port of the Service.
    pub port: u16,
}

/// What has to be done so that an APIService leads to us.
#[derive(Clone, Debug, PartialEq)]
pub enum Registering {
    /// There is none: this object is created.
    Create(Value),
    /// It leads to us already: this merge patch makes it as it would be created, and keeps its `caBundle`.
    Keep(Value),
    /// It leads to the server named by `owner`: this merge patch takes it over.
    TakeOver {
        /// The server as in messages: `Service monitoring/adapter`.
        owner: String,
        /// A JSON merge patch. The `caBundle` is taken out, since it is the other server's.
        patch: Value,
    },
}

impl Registering {
    /// Whose APIService is changed.
    pub fn owner(&self) -> Owner {
        match self {
            Self::Create(_) => Owner::Absent,
            Self::Keep(_) => Owner::Ours,
            Self::TakeOver { owner, .. } => Owner::Foreign(owner.clone()),
        }
    }
}

/// What has to be done so that the APIService `name` (`VERSION.GROUP`) leads to `to`; `live` is the one in the cluster.
///
/// A patch has the resourceVersion of what was seen, so that it is refused where somebody else wrote meanwhile.
pub fn registering(name: &str, live: Option<&APIService>, to: &Backend) -> Registering {
    let annotations: serde_json::Map<String, Value> = KEPT
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    let (version, group) = name.split_once('.').unwrap_or((name, ""));
    let spec = json!({
        "group": group,
        "version": version,
        "groupPriorityMinimum": 100,
        // Clients read the version with the highest priority, which is to be the newest.
        "versionPriority": if version == "v1beta2" { 200 } else { 100 },
        "insecureSkipTLSVerify": false,
        "service": {"namespace": to.namespace, "name": to.name, "port": to.port},
    });
    let Some(live) = live else {
        return Registering::Create(json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": name, "annotations": annotations},
            "spec": spec,
        }));
    };
    let mut annotations = annotations;
    annotations.extend(TRACKING_ANNOTATIONS.map(|key| (key.to_owned(), Value::Null)));
    let labels: serde_json::Map<String, Value> = TRACKING_LABELS
        .iter()
        .map(|key| ((*key).to_owned(), Value::Null))
        .collect();
    let mut patch = json!({
        "metadata": {
            "resourceVersion": live.metadata.resource_version,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": spec,
    });
    match Registration::read(Some(live), &to.namespace, &to.name).owner {
        Owner::Foreign(owner) => {
            if let Some(spec) = patch.get_mut("spec").and_then(Value::as_object_mut) {
                spec.insert("caBundle".to_owned(), Value::Null);
            }
            Registering::TakeOver { owner, patch }
        }
        Owner::Ours | Owner::Unknown | Owner::Absent => Registering::Keep(patch),
    }
}

/// The Helm release `NAMESPACE/NAME` that an APIService was installed by. Helm goes on writing and deleting it by its
/// name, whatever it leads to by then.
pub fn helm_release(live: &APIService) -> Option<String> {
    let annotation = |key: &str| live.metadata.annotations.as_ref()?.get(key).cloned();
    let name = annotation("meta.helm.sh/release-name")?;
    let namespace = annotation("meta.helm.sh/release-namespace").unwrap_or_default();
    Some(format!("{namespace}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "v1beta2.custom.metrics.k8s.io";

    fn ours() -> Backend {
        Backend {
            namespace: "vas-system".to_owned(),
            name: "vas-metrics-server".to_owned(),
            port: 443,
        }
    }

    fn live(service: Value) -> APIService {
        serde_json::from_value(json!({
            "metadata": {"name": NAME, "resourceVersion": "7"},
            "spec": {"service": service, "groupPriorityMinimum": 1, "versionPriority": 1},
        }))
        .unwrap()
    }

    #[test]
    fn what_is_created_is_what_the_manifests_apply() {
        let files = [
            include_str!("../../../../manifests/register/apiservices.yaml"),
            include_str!("../../../../manifests/register/external/apiservice.yaml"),
        ];
        let mut seen = 0;
        for text in files {
            for manifest in serde_saphyr::from_multiple::<Value>(text).unwrap() {
                let name = manifest["metadata"]["name"].as_str().unwrap().to_owned();
                assert_eq!(registering(&name, None, &ours()), Registering::Create(manifest));
                seen += 1;
            }
        }
        assert_eq!(seen, 3);
    }

    #[test]
    fn a_change_says_whose_api_service_it_changes() {
        let owner = |live: Option<&APIService>| registering(NAME, live, &ours()).owner();
        let mine = live(json!({"namespace": "vas-system", "name": "vas-metrics-server"}));
        let theirs = live(json!({"namespace": "monitoring", "name": "adapter"}));
        assert_eq!(owner(None), Owner::Absent);
        assert_eq!(owner(Some(&mine)), Owner::Ours);
        assert_eq!(
            owner(Some(&theirs)),
            Owner::Foreign("Service monitoring/adapter".to_owned())
        );
    }

    #[test]
    fn ours_keeps_its_trust_and_loses_what_a_pruning_installer_finds_it_by() {
        let live = live(json!({"namespace": "vas-system", "name": "vas-metrics-server"}));
        let Registering::Keep(patch) = registering(NAME, Some(&live), &ours()) else {
            panic!("it is ours already")
        };
        assert_eq!(patch["spec"].get("caBundle"), None);
        assert_eq!(patch["spec"]["insecureSkipTLSVerify"], false);
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
        assert_eq!(
            patch["metadata"]["labels"].get("app.kubernetes.io/part-of"),
            Some(&Value::Null)
        );
        assert_eq!(
            patch["metadata"]["annotations"].get("kubectl.kubernetes.io/last-applied-configuration"),
            Some(&Value::Null)
        );
    }

    #[test]
    fn taking_over_names_the_owner_and_drops_its_trust() {
        let live = live(json!({"namespace": "monitoring", "name": "prometheus-adapter"}));
        let Registering::TakeOver { owner, patch } = registering(NAME, Some(&live), &ours()) else {
            panic!("it is somebody else's")
        };
        assert_eq!(owner, "Service monitoring/prometheus-adapter");
        assert_eq!(patch["spec"].get("caBundle"), Some(&Value::Null));
        assert_eq!(patch["spec"]["versionPriority"], 200);
    }

    #[test]
    fn the_helm_release_is_known_by_the_annotations_of_helm() {
        let mut live = live(Value::Null);
        assert_eq!(helm_release(&live), None);
        live.metadata.annotations = Some(
            [
                ("meta.helm.sh/release-name", "adapter"),
                ("meta.helm.sh/release-namespace", "monitoring"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        );
        assert_eq!(helm_release(&live).as_deref(), Some("monitoring/adapter"));
    }
}
