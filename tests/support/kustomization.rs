//! What `kubectl apply -k` would apply: a kustomization of this checkout, rendered by kubectl itself.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    cluster::{bin, root},
    rendered_deployment::RenderedDeployment,
};

/// A rendered kustomization.
#[derive(Clone, Debug)]
pub struct Kustomization {
    folder: PathBuf,
    objects: Vec<Value>,
}

impl Kustomization {
    /// Renders a folder, named relative to the checkout. A warning of kubectl counts as a failure: users
    /// would see it each time.
    #[track_caller]
    pub fn render(folder: impl Into<PathBuf>) -> Self {
        super::turn::wait();
        let folder = folder.into();
        let output = Command::new(bin("kubectl"))
            .arg("kustomize")
            .arg(&folder)
            .current_dir(root())
            .output()
            .expect("kubectl starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && stderr.is_empty(),
            "kubectl kustomize {}: {stderr}",
            folder.display()
        );
        let yaml = String::from_utf8(output.stdout).expect("kubectl writes UTF-8");
        let objects = serde_saphyr::from_multiple(&yaml).expect("kubectl writes YAML");
        Self { folder, objects }
    }

    /// Objects that something else than kubectl rendered from a folder.
    pub fn of(folder: impl Into<PathBuf>, objects: Vec<Value>) -> Self {
        let folder = folder.into();
        Self { folder, objects }
    }

    /// The folder it was rendered from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every object, in the order in which kubectl applies them.
    pub fn objects(&self) -> &[Value] {
        &self.objects
    }

    /// The objects of a kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// The object of that kind and name, if it is there.
    pub fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.objects
            .iter()
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }

    /// A Deployment, ready to be run as a process.
    #[track_caller]
    pub fn deployment(&self, name: &str) -> RenderedDeployment {
        let object = self.find("Deployment", name);
        let object = object.unwrap_or_else(|| panic!("{} has no Deployment {name}", self.folder.display()));
        RenderedDeployment::read(object)
    }
}
