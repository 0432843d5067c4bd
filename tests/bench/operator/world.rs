//! The control plane, and the objects in it.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::{
    apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::Namespace,
    policy::v1::PodDisruptionBudget,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use vas_api::v1alpha1::VoiceAssistScaling;

use crate::say;
use support::{Cluster, audit};

/// Namespace of all resources. One namespace is the worst case for code that goes through a namespace.
pub(crate) const NAMESPACE: &str = "bench";
/// Namespace in which this program applies the same children.
const RAW: &str = "raw";
/// Number of writes at once, the same as the operator's reconciles.
const AT_ONCE: usize = 32;

/// The control plane with its objects. Dropping it ends the cluster.
pub(crate) struct World {
    client: Client,
    resources: AtomicUsize,
    cluster: Cluster,
}

impl World {
    pub(crate) async fn start() -> Self {
        say("starting a control plane without controllers");
        let flags = ["--apiserver-flag=disable-admission-plugins=ServiceAccount"];
        let cluster = Cluster::start("bench-operator", &flags);
        cluster.install_crd();
        cluster.component("stop", "kube-controller-manager");
        cluster.component("stop", "kube-scheduler");
        let client = cluster.client().await;
        let namespaces: Api<Namespace> = Api::all(client.clone());
        for name in [NAMESPACE, RAW] {
            let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).expect("a Namespace");
            namespaces
                .create(&PostParams::default(), &namespace)
                .await
                .expect("a namespace");
        }
        Self {
            client,
            resources: AtomicUsize::new(0),
            cluster,
        }
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.cluster.kubeconfig()
    }

    /// Number of resources.
    pub(crate) fn resources(&self) -> usize {
        self.resources.load(Ordering::Relaxed)
    }

    /// Creates Deployments without pods.
    pub(crate) async fn deployments(&self, prefix: &str, numbers: Range<usize>) {
        let objects = numbers.map(|number| {
            let name = format!("{prefix}{number}");
            json!({"metadata": {"name": name}, "spec": {
                "replicas": 0, "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name, "tier": "voice"}}, "spec": {"containers": [
                    {"name": "app", "image": "voiceassist/app", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]}}}})
        });
        self.create::<Deployment>(objects).await;
    }

    /// Creates resources until there are `size`: one workload each, on CPU, with a disruption budget.
    pub(crate) async fn add_resources(&self, size: usize) {
        let before = self.resources.swap(size, Ordering::Relaxed);
        let objects = (before..size).map(|number| {
            let name = format!("w{number}");
            json!({"apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
                "metadata": {"name": format!("v{number}")}, "spec": {"workloads": [{
                "name": name, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": 1, "maxReplicas": 5, "disruption": {"maxUnavailable": 1},
                "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}]}]}})
        });
        self.create::<VoiceAssistScaling>(objects).await;
    }

    async fn create<K>(&self, objects: impl Iterator<Item = Value>)
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Serialize
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), NAMESPACE);
        let creates = objects.map(|object| {
            let api = api.clone();
            async move {
                let object: K = serde_json::from_value(object).expect("an object");
                api.create(&PostParams::default(), &object).await
            }
        });
        let done: Result<Vec<_>, kube::Error> = stream::iter(creates)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await;
        done.expect("objects can be created");
    }

    /// Applies the children of `count` resources as a field manager of its own. Returns objects per second.
    pub(crate) async fn raw_apply(&self, count: usize) -> f64 {
        let hpas: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), RAW);
        let budgets: Api<PodDisruptionBudget> = Api::namespaced(self.client.clone(), RAW);
        let began = Instant::now();
        let applies = (0..count).map(|number| {
            let (hpas, budgets) = (hpas.clone(), budgets.clone());
            async move {
                let (name, params) = (format!("w{number}"), PatchParams::apply("bench"));
                let labels = json!({"app.kubernetes.io/managed-by": "bench"});
                let hpa = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                    "metadata": {"name": name, "labels": labels}, "spec": {
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                    "minReplicas": 1, "maxReplicas": 5, "metrics": [{"type": "Resource", "resource": {
                        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]}});
                let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                    "metadata": {"name": name, "labels": labels},
                    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}}});
                hpas.patch(&name, &params, &Patch::Apply(&hpa)).await?;
                budgets.patch(&name, &params, &Patch::Apply(&budget)).await?;
                Ok::<(), kube::Error>(())
            }
        });
        let done: Result<Vec<()>, kube::Error> = stream::iter(applies)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await;
        done.expect("children can be applied");
        (2 * count) as f64 / began.elapsed().as_secs_f64()
    }

    /// The operator's requests since a moment, by verb and resource.
    pub(crate) fn requests(&self, since: jiff::Timestamp) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in audit::requests(&self.cluster) {
            if request.user_agent.starts_with("vas/") && request.received >= since {
                let object = request.object.unwrap_or_default();
                let what = match object.subresource.as_str() {
                    "" => format!("{} {}", request.verb, object.resource),
                    subresource => format!("{} {}/{subresource}", request.verb, object.resource),
                };
                *counts.entry(what).or_default() += 1;
            }
        }
        counts
    }
}
