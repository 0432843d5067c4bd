//! How the replicas agree on one certificate: whoever finds the Secret empty or outdated fills it; whoever loses
//! that race reads what the winner wrote.
//!
//! The install ships the Secret empty, so that get and update of this one name are all the rights needed.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, Client, api::PostParams};

use super::certificate::{Bundle, IssueError, issue, names};
use crate::clock::Clock;

/// Name of the shared Secret.
pub const SECRET: &str = "vas-metrics-server-tls";
/// Keys of its data: the CA, and the two that `kubernetes.io/tls` uses.
const CA: &str = "ca.crt";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
/// Wait before trying again.
const RETRY: Duration = Duration::from_secs(2);

/// Why there is no certificate yet.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The Secret is not there and may not be created.
    #[error("Secret {0}/{SECRET} does not exist; apply manifests/install, which ships it empty")]
    Absent(String),
    /// The API server refused or failed.
    #[error("Secret {SECRET}: {0}")]
    Api(#[from] kube::Error),
    /// No certificate could be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

/// The Service that clients call, and whose namespace holds the Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
}

/// The shared bundle, made if need be. Tries until it succeeds. `held` is the one that this replica serves with:
/// it is put back where the Secret lost it.
pub async fn shared_bundle(
    client: Client,
    service: &ServiceName,
    clock: &dyn Clock,
    held: Option<&Bundle>,
) -> Bundle {
    let api: Api<Secret> = Api::namespaced(client, &service.namespace);
    loop {
        match read_or_fill(&api, service, clock, held).await {
            Ok(Some(bundle)) => return bundle,
            // Another replica was faster: read what it wrote.
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "no serving certificate yet; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// One round; `None` if another replica wrote in between.
async fn read_or_fill(
    api: &Api<Secret>,
    service: &ServiceName,
    clock: &dyn Clock,
    held: Option<&Bundle>,
) -> Result<Option<Bundle>, SecretError> {
    let mut secret = api
        .get_opt(SECRET)
        .await?
        .ok_or_else(|| SecretError::Absent(service.namespace.clone()))?;
    let names = names(&service.name, &service.namespace);
    let serves = |bundle: &Bundle| names.first().is_some_and(|name| bundle.serves(name, clock.now()));
    if let Some(found) = secret.data.as_ref().and_then(bundle).filter(&serves) {
        return Ok(Some(found));
    }
    let bundle = match held.filter(|held| serves(held)) {
        Some(held) => held.clone(),
        None => issue(&names, clock.now())?,
    };
    let bytes = |text: &String| ByteString(text.clone().into_bytes());
    let data = secret.data.get_or_insert_default();
    data.insert(CA.to_owned(), bytes(&bundle.ca));
    data.insert(CERTIFICATE.to_owned(), bytes(&bundle.certificate));
    data.insert(KEY.to_owned(), bytes(&bundle.key));
    // The version read stands in the object: only one of several replicas succeeds.
    match api.replace(SECRET, &PostParams::default(), &secret).await {
        Ok(_) => {
            if held == Some(&bundle) {
                tracing::warn!(secret = SECRET, "had lost the certificate; put it back");
            } else {
                tracing::info!(secret = SECRET, "issued a CA and a serving certificate");
            }
            Ok(Some(bundle))
        }
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn bundle(data: &BTreeMap<String, ByteString>) -> Option<Bundle> {
    let text = |key: &str| String::from_utf8(data.get(key)?.0.clone()).ok();
    Some(Bundle {
        ca: text(CA)?,
        certificate: text(CERTIFICATE)?,
        key: text(KEY)?,
    })
}
