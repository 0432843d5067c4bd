//! `vas explain` from the name of a resource to its explanation.

use kube::Client;

use super::{
    Explanation, Settings, explain,
    read::{ReadError, namespaces_with, observe},
};
use vas_cluster::clock::Clock;

/// What is to be explained.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub name: String,
    /// The only workload to explain; `None` for all.
    pub workload: Option<String>,
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The resource cannot be read.
    #[error("{0}")]
    Read(ReadError),
    /// The namespace has no such resource, and others have.
    #[error("{error}; there is one in namespace {}", .elsewhere.join(", "))]
    Elsewhere {
        /// The error of the read in the given namespace.
        error: ReadError,
        /// Namespaces that have a resource of this name.
        elsewhere: Vec<String>,
    },
    /// The resource has no such workload.
    #[error("{name} has no workload {workload:?}")]
    NoWorkload {
        /// Name of the resource.
        name: String,
        /// Name of the workload.
        workload: String,
    },
}

/// Reads the resource and explains it.
///
/// # Errors
/// When the resource cannot be read, or has no such workload.
pub async fn run(
    client: Client,
    subject: &Subject,
    settings: &Settings,
    clock: &dyn Clock,
) -> Result<Explanation, ExplainError> {
    let Subject {
        namespace,
        name,
        workload,
    } = subject;
    let workload = workload.as_deref();
    let observed = match observe(client.clone(), namespace, name, workload, clock.now()).await {
        Ok(observed) => observed,
        Err(error) if error.is_not_found() => {
            let elsewhere = namespaces_with(client, name).await;
            return Err(if elsewhere.is_empty() {
                ExplainError::Read(error)
            } else {
                ExplainError::Elsewhere { error, elsewhere }
            });
        }
        Err(error) => return Err(ExplainError::Read(error)),
    };
    match workload {
        Some(workload) if observed.workloads.is_empty() => Err(ExplainError::NoWorkload {
            name: name.clone(),
            workload: workload.to_owned(),
        }),
        _ => Ok(explain(&observed, settings, clock.now())),
    }
}
