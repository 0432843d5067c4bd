//! Converts HPAs, PodDisruptionBudgets and VerticalPodAutoscalers into resources.
//!
//! ```text
//! version   reads an HPA of any version of its API
//! workload  an HPA -> a workload             metric    CPU and memory metrics
//! behavior  the behaviour of an HPA          vpa, pdb  join the workload of their target
//! ```
//!
//! Invariant: an imported and then rendered HPA is the same HPA. It has the same target, bounds, metrics and
//! behaviour, with the defaults of Kubernetes written out. Metrics that an adapter serves are converted by
//! the rules of the adapter, if those are given.

mod behavior;
mod metric;
mod pdb;
#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;
mod version;
mod vpa;
mod workload;

use serde_json::Value;

pub(super) use behavior::behavior;
pub use version::{HpaError, read};

use super::{
    Assembled, Refused, adapter,
    assemble::{self, Draft},
};

/// Why no resource could be made of the objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// An HPA cannot be read.
    #[error("horizontalpodautoscaler/{name}: {source}")]
    Hpa {
        /// Name of the HPA, as `namespace/name` if the namespace is known.
        name: String,
        /// Why the HPA cannot be read.
        source: HpaError,
    },
    /// The files contain nothing to import.
    #[error("no HorizontalPodAutoscaler, VerticalPodAutoscaler or PodDisruptionBudget found")]
    NoneFound,
}

/// Converts the objects of a cluster into resources of the name `name`. `rules` are the rules of
/// prometheus-adapter. Objects of other kinds are ignored, except scale targets: their selectors show which
/// budget belongs to them.
///
/// # Errors
/// See [`ImportError`].
pub fn convert(
    name: &str,
    objects: &[Value],
    rules: Option<&adapter::Sources>,
) -> Result<Assembled, ImportError> {
    let mut drafts = Vec::new();
    let mut refused = Vec::new();
    for object in objects
        .iter()
        .filter(|object| is(object, "HorizontalPodAutoscaler"))
    {
        let hpa = read(object).map_err(|source| ImportError::Hpa {
            name: named(object),
            source,
        })?;
        match workload::draft(&hpa, rules) {
            Ok(draft) => drafts.push(draft),
            Err(mut why) => refused.append(&mut why),
        }
    }
    let kinds = [
        "HorizontalPodAutoscaler",
        "VerticalPodAutoscaler",
        "PodDisruptionBudget",
    ];
    if !kinds
        .iter()
        .any(|kind| objects.iter().any(|object| is(object, kind)))
    {
        return Err(ImportError::NoneFound);
    }
    for object in objects
        .iter()
        .filter(|object| is(object, "VerticalPodAutoscaler"))
    {
        refused.extend(vpa::attach(object, &mut drafts));
    }
    for object in objects.iter().filter(|object| is(object, "PodDisruptionBudget")) {
        refused.extend(pdb::attach(object, objects, &mut drafts).err());
    }
    let mut assembled = assemble::assemble(name, drafts);
    refused.append(&mut assembled.refused);
    assembled.refused = refused;
    Ok(assembled)
}

fn is(object: &Value, kind: &str) -> bool {
    text(object, "/kind") == Some(kind)
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

/// The name of an object for messages: `namespace/name`, or only the name if the object has no namespace.
fn named(object: &Value) -> String {
    let name = text(object, "/metadata/name").unwrap_or_default();
    match text(object, "/metadata/namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

/// Whether an object can be in the namespace of a draft. One without a namespace can be in any.
fn shares_namespace(object: &Value, draft: &Draft) -> bool {
    let namespace = text(object, "/metadata/namespace");
    namespace.is_none() || draft.namespace.is_none() || namespace == draft.namespace.as_deref()
}

fn refuse(object: &Value, about: &str, why: impl Into<String>) -> Refused {
    let kind = text(object, "/kind").unwrap_or_default();
    Refused {
        field: format!("{kind} {}", named(object)),
        series: about.to_owned(),
        why: why.into(),
    }
}
