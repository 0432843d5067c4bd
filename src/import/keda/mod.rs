//! Converts KEDA's `ScaledObject`s into resources.
//!
//! ```text
//! object    a ScaledObject as it is written    scaled    a ScaledObject -> a workload
//! trigger   one trigger -> one metric          server    the Prometheus servers of the triggers
//! ```
//!
//! Invariant: a metric reads the same series as its trigger. A query over more than its namespace is refused,
//! not narrowed. Must not: read secrets, or guess what an authentication refers to.

mod object;
mod scaled;
mod server;
#[cfg(test)]
mod tests;
mod trigger;

use serde_json::Value;

use super::{Assembled, Refused, assemble};
use object::ScaledObject;

/// Why no resource could be made of the objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KedaError {
    /// A `ScaledObject` cannot be read.
    #[error("scaledobject/{name}: {words}")]
    Malformed {
        /// Name of the `ScaledObject`.
        name: String,
        /// The message of the parser.
        words: String,
    },
    /// The files contain nothing to import.
    #[error("no ScaledObject of keda.sh/v1alpha1 found")]
    NoneFound,
}

/// Converts the `ScaledObject`s among the objects into resources of the name `name`. `namespace_label` is the
/// label that holds the namespace of a series.
///
/// # Errors
/// See [`KedaError`].
pub fn convert(name: &str, namespace_label: &str, objects: &[Value]) -> Result<Assembled, KedaError> {
    let mut found = false;
    let mut refused = Vec::new();
    let mut read = Vec::new();
    for object in objects {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let is_keda = text("/apiVersion") == "keda.sh/v1alpha1";
        match text("/kind") {
            "ScaledObject" if is_keda => {
                found = true;
                let object: ScaledObject =
                    serde::Deserialize::deserialize(object).map_err(|error: serde_json::Error| {
                        KedaError::Malformed {
                            name: text("/metadata/name").to_owned(),
                            words: error.to_string(),
                        }
                    })?;
                read.push(object);
            }
            "ScaledJob" if is_keda => {
                found = true;
                refused.push(Refused {
                    field: format!("ScaledJob {}", text("/metadata/name")),
                    series: "spec".to_owned(),
                    why: "it starts Jobs, which an HPA does not scale: keep KEDA for it".to_owned(),
                });
            }
            _ => {}
        }
    }
    if !found {
        return Err(KedaError::NoneFound);
    }
    let servers = server::Servers::of(&read);
    let mut drafts = Vec::new();
    for object in &read {
        match scaled::draft(object, namespace_label, &servers) {
            Ok(draft) => drafts.push(draft),
            Err(mut why) => refused.append(&mut why),
        }
    }
    let mut assembled = assemble::assemble(name, drafts);
    refused.append(&mut assembled.refused);
    assembled.refused = refused;
    assembled.notes.extend(servers.notes());
    Ok(assembled)
}
