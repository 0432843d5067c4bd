//! A namespace of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::{Cluster, failure};

/// A namespace that is deleted when dropped. If the test fails, its content is printed before.
#[derive(Debug)]
pub struct Namespace<'cluster> {
    cluster: &'cluster Cluster,
    name: String,
}

impl<'cluster> Namespace<'cluster> {
    /// Creates a namespace with a unique name that starts with `prefix`.
    pub fn create(cluster: &'cluster Cluster, prefix: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "{prefix}-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self::named(cluster, name)
    }

    /// Creates a namespace with this very name, which no other test of the cluster may use at the same time.
    pub fn named(cluster: &'cluster Cluster, name: impl Into<String>) -> Self {
        let name = name.into();
        cluster.create_namespace(&name);
        Self { cluster, name }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// An object in this namespace; `None` where it does not exist or cannot be read.
    pub fn object(&self, kind: &str, name: &str) -> Option<Value> {
        self.cluster.object(&self.name, kind, name)
    }

    /// All objects of a kind in this namespace with these labels (`app=web`, or empty for all).
    pub fn objects(&self, kind: &str, labels: &str) -> Vec<Value> {
        self.cluster.objects(&self.name, kind, labels)
    }

    /// Runs kubectl in this namespace; panics with its words if it fails.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        let mut all = vec!["-n", self.name.as_str()];
        all.extend_from_slice(args);
        self.cluster.kubectl_ok(&all, None)
    }

    /// Applies YAML in this namespace.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        self.cluster.apply(&self.name, yaml);
    }

    /// Applies objects in this namespace.
    #[track_caller]
    pub fn apply_all(&self, objects: &[Value]) {
        self.cluster.apply_all(&self.name, objects);
    }

    /// Changes an object in this namespace ([`Cluster::patch`]).
    #[track_caller]
    pub fn patch(&self, kind: &str, name: &str, patch: &Value) {
        self.cluster.patch(&self.name, kind, name, patch);
    }

    /// Sets annotations of an object in this namespace.
    #[track_caller]
    pub fn annotate(&self, kind: &str, name: &str, annotations: &Value) {
        let patch = serde_json::json!({"metadata": {"annotations": annotations}});
        self.cluster
            .patch_as("kubectl-annotate", &self.name, kind, name, &patch);
    }

    /// Sets labels of this namespace.
    #[track_caller]
    pub fn label(&self, labels: &Value) {
        let patch = serde_json::json!({"metadata": {"labels": labels}});
        self.cluster
            .patch_as("kubectl-label", "", "namespace", &self.name, &patch);
    }

    /// Sets the replicas of a Deployment in this namespace.
    #[track_caller]
    pub fn scale(&self, deployment: &str, replicas: u32) {
        self.cluster.scale(&self.name, deployment, replicas);
    }

    /// Deletes an object in this namespace, and waits until it is gone.
    #[track_caller]
    pub fn delete(&self, kind: &str, name: &str) {
        self.cluster.delete(&self.name, kind, name);
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            failure::print_namespace(self.cluster, &self.name);
        }
        self.cluster.delete_namespace(&self.name);
    }
}
