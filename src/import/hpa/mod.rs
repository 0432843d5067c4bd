//! From HPAs, PodDisruptionBudgets and VerticalPodAutoscalers to resources.
//!
//! ```text
//! version   an HPA of any version of its API
//! workload  an HPA -> a workload             metric  its CPU and memory metrics
//! behavior  its behaviour                     vpa, pdb  what goes with it
//! ```
//!
//! Import, then render, gives the same HPA: same target, bounds, metrics and behaviour, with the defaults of Kubernetes
//! written out. Metrics that an adapter answered come from the adapter's rules, if those are given. Must not: take what
//! means something else.

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

/// Why objects give no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// An HPA cannot be read.
    #[error("horizontalpodautoscaler/{name}: {source}")]
    Hpa {
        /// Its name.
        name: String,
        /// Why.
        source: HpaError,
    },
    /// There is nothing to import.
    #[error("no HorizontalPodAutoscaler, VerticalPodAutoscaler or PodDisruptionBudget found")]
    NoneFound,
}

/// Converts the objects of a cluster; `rules` are those of prometheus-adapter, and `name` that of the resources.
/// Objects of other kinds are passed over, but the scale targets, whose selectors tell which budget is theirs.
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

/// Namespace and name, as messages show them.
fn named(object: &Value) -> String {
    let name = text(object, "/metadata/name").unwrap_or_default();
    match text(object, "/metadata/namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

/// Whether an object is in the namespace of a draft; one that names none may be in any.
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
