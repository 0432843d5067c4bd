//! A namespace of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Cluster;

/// A namespace that is deleted when dropped.
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
        cluster.kubectl_ok(&["create", "namespace", &name], None);
        Self { cluster, name }
    }

    pub fn name(&self) -> &str {
        &self.name
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
    pub fn apply(&self, yaml: &str) -> String {
        self.cluster
            .kubectl_ok(&["-n", &self.name, "apply", "-f", "-"], Some(yaml))
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        self.cluster
            .kubectl(&["delete", "namespace", &self.name, "--wait=false"], None);
    }
}
