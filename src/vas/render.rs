//! `vas render`: prints the children that the operator would apply, without a cluster.
//!
//! Two things are known only in the cluster. The owner reference holds the UID of the stored resource, so it
//! is left out. The selector of a PodDisruptionBudget is read from the target's `scale` subresource. Here it
//! is taken from the target's manifest if that is among the files. Otherwise a placeholder that matches no
//! pod stands in its place, and a comment says so.

use std::process::ExitCode;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use crate::{
    input::{Input, Object},
    output::{self, Format, OfflineError, OutputError},
    validate::report,
};
use vas_api::{GROUP, v1alpha1::ScaleTargetRef};
use vas_cluster::clock::{Clock as _, SystemClock};
use vas_core::{
    reconcile::{
        desired::{hpa, limit_range, pdb, resource_quota, vpa},
        suspend::freeze,
    },
    spec::model::{Scaling, Workload},
};

/// Print the objects that the operator would apply, without a cluster
///
/// Owner references are left out: they name the UID of the stored resource. The selector of a
/// PodDisruptionBudget is taken from the scale target's manifest if that is among the files
/// (`kubectl kustomize DIR | vas render -f -`); else it is a placeholder that matches no pod, and a comment
/// says so.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File with YAML or JSON documents; - reads standard input. May be given several times
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filenames: Vec<String>,
    /// Render this environment instead of the one spec.environment names
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Namespace of resources that name none
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

/// An object, with the comment that is printed above it.
type Rendered = (Value, Option<String>);

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        match self.render() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => error.report(),
        }
    }

    /// Prints all children; prints nothing if any resource is invalid.
    fn render(&self) -> Result<(), OfflineError> {
        let input = Input::read(&self.filenames)?;
        let mut scalings = Vec::new();
        let mut problems = Vec::new();
        let now = SystemClock::new().now();
        for (object, mut document) in input.check(self.environment.as_deref())? {
            if let Some(parsed) = &document.object {
                freeze(parsed, &mut document.validation, now);
            }
            if document.validation.violations.is_empty() {
                scalings.extend(document.validation.scaling);
            } else {
                problems.extend(report(object, &document));
            }
        }
        if !problems.is_empty() {
            return Err(OfflineError::Invalid(problems.join("\n")));
        }
        let mut rendered = Vec::new();
        for scaling in scalings {
            rendered.extend(self.children(scaling, &input.objects)?);
        }
        output::documents(self.output, &rendered)?;
        Ok(())
    }

    /// The children of each workload in order, then those of the whole resource.
    fn children(&self, mut scaling: Scaling, objects: &[Object]) -> Result<Vec<Rendered>, OutputError> {
        if let Some(namespace) = self
            .namespace
            .as_ref()
            .filter(|_| scaling.key.namespace.is_empty())
        {
            scaling.key.namespace.clone_from(namespace);
        }
        let mut children = Vec::new();
        for workload in &scaling.workloads {
            if workload.has_hpa() {
                children.push((serde_json::to_value(hpa::build(&scaling, workload, None))?, None));
            }
            if let Some(vpa) = vpa::build(&scaling, workload, None) {
                children.push((serde_json::to_value(vpa)?, None));
            }
            let (selector, comment) = selector(&scaling, workload, objects);
            if let Some(pdb) = pdb::build(&scaling, workload, selector, None) {
                children.push((serde_json::to_value(pdb)?, comment));
            }
        }
        if let Some(limit_range) = limit_range::build(&scaling, None) {
            children.push((serde_json::to_value(limit_range)?, None));
        }
        if let Some(quota) = resource_quota::build(&scaling, None) {
            children.push((serde_json::to_value(quota)?, None));
        }
        Ok(children)
    }
}

/// The selector from the target's manifest, or a placeholder with a comment that says what it stands for.
fn selector(scaling: &Scaling, workload: &Workload, objects: &[Object]) -> (LabelSelector, Option<String>) {
    let target = &workload.target;
    let manifest = objects
        .iter()
        .map(|object| &object.value)
        .find(|object| is_target(object, target, &scaling.key.namespace));
    let found = manifest
        .and_then(|object| object.pointer("/spec/selector"))
        .and_then(|selector| serde_json::from_value(selector.clone()).ok());
    match found {
        Some(selector) => (selector, None),
        None => (
            LabelSelector {
                match_labels: Some(
                    [(
                        format!("{GROUP}/placeholder"),
                        "selector-of-the-scale-target".to_owned(),
                    )]
                    .into(),
                ),
                match_expressions: None,
            },
            Some(format!(
                "The selector below is a placeholder that matches no pod: the operator reads the real one from\nthe scale subresource of {} {}. Add its manifest to the files to see it here.",
                target.kind, target.name
            )),
        ),
    }
}

fn is_target(object: &Value, target: &ScaleTargetRef, namespace: &str) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    text("/apiVersion") == Some(&target.api_version)
        && text("/kind") == Some(&target.kind)
        && text("/metadata/name") == Some(&target.name)
        && text("/metadata/namespace").is_none_or(|other| namespace.is_empty() || other == namespace)
}
