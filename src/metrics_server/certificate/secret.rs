//! The Secret in which the replicas share their certificate, and the one that a rotation has prepared.
//!
//! The install manifests ship the Secret empty, so that the server needs only the rights to get and update
//! this one name.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, Client, api::PostParams};

use super::rotation::{Pair, Shared};

/// Name of the shared Secret.
pub(crate) const SECRET: &str = "vas-metrics-server-tls";
/// Keys of the Secret's data: the CAs to trust, and the two keys of type `kubernetes.io/tls`.
const TRUSTED: &str = "ca.crt";
const SERVING: (&str, &str) = ("tls.crt", "tls.key");
/// Keys of the pair that will be served next; they exist during a rotation only.
const NEXT: (&str, &str) = ("next.crt", "next.key");

/// Why the Secret could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The Secret does not exist, and this server may not create it.
    #[error("Secret {0}/{SECRET} does not exist; apply manifests/install, which ships it empty")]
    Absent(String),
    /// The API server refused the request or failed.
    #[error("Secret {SECRET}: {0}")]
    Api(#[from] kube::Error),
}

/// The Service that clients call, and whose namespace holds the Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName {
    /// Name of the Service.
    pub name: String,
    /// Namespace of the Service.
    pub namespace: String,
}

/// The Secret as it was read.
#[derive(Debug)]
pub(crate) struct Read {
    secret: Secret,
    /// The content of the Secret; `None` if CAs, certificate or key are missing.
    pub shared: Option<Shared>,
}

/// Reads and writes the Secret.
pub(crate) struct SharedSecret {
    api: Api<Secret>,
    namespace: String,
}

impl SharedSecret {
    /// The Secret in the namespace of `service`.
    pub(crate) fn new(client: Client, service: &ServiceName) -> Self {
        Self {
            api: Api::namespaced(client, &service.namespace),
            namespace: service.namespace.clone(),
        }
    }

    /// Reads the latest version from the API server, not one from a cache.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub(crate) async fn read(&self) -> Result<Read, SecretError> {
        let secret = self.api.get_opt(SECRET).await?;
        let secret = secret.ok_or_else(|| SecretError::Absent(self.namespace.clone()))?;
        let shared = secret.data.as_ref().and_then(parse);
        Ok(Read { secret, shared })
    }

    /// Writes the Secret unless it has changed since it was read. Returns whether it was written.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub(crate) async fn write(&self, read: Read, shared: &Shared) -> Result<bool, SecretError> {
        let mut secret = read.secret;
        fill(secret.data.get_or_insert_default(), shared);
        // The object holds the resourceVersion that was read: of several replicas only one succeeds.
        match self.api.replace(SECRET, &PostParams::default(), &secret).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn parse(data: &BTreeMap<String, ByteString>) -> Option<Shared> {
    let text = |key: &str| String::from_utf8(data.get(key)?.0.clone()).ok();
    let pair = |(certificate, key): (&str, &str)| {
        Some(Pair {
            certificate: text(certificate)?,
            key: text(key)?,
        })
    };
    Some(Shared {
        trusted: text(TRUSTED)?,
        serving: pair(SERVING)?,
        next: pair(NEXT),
    })
}

/// Other keys of the data belong to others and stay.
fn fill(data: &mut BTreeMap<String, ByteString>, shared: &Shared) {
    let mut put = |key: &str, text: Option<&String>| {
        match text {
            Some(text) => data.insert(key.to_owned(), ByteString(text.clone().into_bytes())),
            None => data.remove(key),
        };
    };
    put(TRUSTED, Some(&shared.trusted));
    put(SERVING.0, Some(&shared.serving.certificate));
    put(SERVING.1, Some(&shared.serving.key));
    put(NEXT.0, shared.next.as_ref().map(|next| &next.certificate));
    put(NEXT.1, shared.next.as_ref().map(|next| &next.key));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str) -> Pair {
        Pair {
            certificate: format!("{name} certificate"),
            key: format!("{name} key"),
        }
    }

    fn shared(next: Option<Pair>) -> Shared {
        Shared {
            trusted: "cas".to_owned(),
            serving: pair("serving"),
            next,
        }
    }

    #[test]
    fn what_is_written_reads_back_and_other_keys_stay() {
        let mut data = BTreeMap::from([("theirs".to_owned(), ByteString(b"x".to_vec()))]);
        for state in [shared(Some(pair("next"))), shared(None)] {
            fill(&mut data, &state);
            assert_eq!(parse(&data), Some(state));
            assert!(data.contains_key("theirs"));
        }
        assert_eq!(data.len(), 4);
    }

    #[test]
    fn a_secret_that_lacks_a_part_holds_nothing_but_one_without_a_rotation_is_whole() {
        let mut data = BTreeMap::new();
        fill(&mut data, &shared(None));
        assert_eq!(parse(&data).map(|shared| shared.next), Some(None));
        data.remove("tls.key");
        assert_eq!(parse(&data), None);
    }
}
