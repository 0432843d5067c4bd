//! Finds the user of a request by its client certificate: either by the front proxy's headers, or by the
//! names in the certificate itself.
//!
//! Identity headers count only over a connection whose client certificate was issued by the front proxy's CA
//! for an allowed name. The trust is that of kube-apiserver, which publishes it in
//! `kube-system/extension-apiserver-authentication`; it is replaced while this server runs. Certificates are
//! verified for each request (the same valid chain once a second), so that a CA that is removed counts no
//! more at once. Source: `k8s.io/apiserver/pkg/authentication/request/{headerrequest,x509}`.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwapOption;
use axum::http::HeaderMap;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    server::WebPkiClientVerifier,
};

use self::{subject::Subjects, verifier::Verifier};

const ANONYMOUS: &str = "system:anonymous";
const GROUP_UNAUTHENTICATED: &str = "system:unauthenticated";
const GROUP_AUTHENTICATED: &str = "system:authenticated";

/// A user as access reviews describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct User {
    /// Name of the user, such as `system:serviceaccount:kube-system:horizontal-pod-autoscaler`.
    pub name: String,
    /// UID, if the front proxy or the token review gives one.
    pub uid: Option<String>,
    /// Names of the user's groups.
    pub groups: Vec<String>,
    /// Extra attributes, each with its values.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Whether this is the anonymous user.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }
}

/// Why the ConfigMap is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub(crate) struct TrustError {
    key: &'static str,
    problem: String,
}

/// The client sent a certificate that no trusted CA issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client certificate is not trusted: {0}")]
pub(crate) struct Untrusted(String);

/// The trust as kube-apiserver publishes it.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    front_proxy: Option<FrontProxy>,
    clients: Option<Verifier>,
    subjects: Subjects,
}

#[derive(Debug)]
struct FrontProxy {
    verifier: Verifier,
    /// Common names of the front proxy; empty allows any.
    allowed_names: Vec<String>,
    username_headers: Vec<String>,
    uid_headers: Vec<String>,
    group_headers: Vec<String>,
    extra_prefixes: Vec<String>,
}

impl Trust {
    /// Reads the trust from the data of the ConfigMap.
    ///
    /// # Errors
    /// When the value of a key is not valid. A missing key means less trust and is no error.
    pub(crate) fn parse(data: &BTreeMap<String, String>) -> Result<Self, TrustError> {
        let clients = verifier(data, "client-ca-file")?;
        let front_proxy = verifier(data, "requestheader-client-ca-file")?
            .map(|verifier| -> Result<FrontProxy, TrustError> {
                Ok(FrontProxy {
                    verifier,
                    allowed_names: names(data, "requestheader-allowed-names")?,
                    username_headers: names(data, "requestheader-username-headers")?,
                    uid_headers: names(data, "requestheader-uid-headers")?,
                    group_headers: names(data, "requestheader-group-headers")?,
                    extra_prefixes: names(data, "requestheader-extra-headers-prefix")?,
                })
            })
            .transpose()?;
        Ok(Self {
            front_proxy,
            clients,
            subjects: Subjects::default(),
        })
    }

    /// The user who sent a request with these headers over a connection with this certificate chain; `None`
    /// if the client sent no certificate.
    ///
    /// # Errors
    /// When the client sent a certificate that no trusted CA issued.
    pub(crate) fn authenticate(
        &self,
        chain: &[CertificateDer<'_>],
        headers: &HeaderMap,
        now: UnixTime,
    ) -> Result<Option<User>, Untrusted> {
        let Some((certificate, intermediates)) = chain.split_first() else {
            return Ok(None);
        };
        let verify = |verifier: &Verifier| verifier.verify(certificate, intermediates, now);
        let subject = self.subjects.of(certificate)?;
        // The front proxy's CA comes first, as in kube-apiserver. A certificate of the front proxy without
        // identity headers falls through to the client CAs.
        if let Some(proxy) = &self.front_proxy
            && proxy.allows(&subject.common_name)
            && verify(&proxy.verifier).is_ok()
            && let Some(user) = proxy.user(headers)
        {
            return Ok(Some(user));
        }
        match &self.clients {
            Some(clients) => {
                verify(clients).map_err(|error| Untrusted(error.to_string()))?;
                Ok(Some(authenticated(User {
                    name: subject.common_name.clone(),
                    groups: subject.organizations.clone(),
                    ..User::default()
                })))
            }
            None => Err(Untrusted("no client CA is configured".to_owned())),
        }
    }
}

impl FrontProxy {
    fn allows(&self, common_name: &str) -> bool {
        self.allowed_names.is_empty() || self.allowed_names.iter().any(|name| name == common_name)
    }

    /// The user that the headers name; `None` without a user name.
    fn user(&self, headers: &HeaderMap) -> Option<User> {
        let first = |names: &[String]| {
            let mut values = names.iter().filter_map(|name| headers.get(name)?.to_str().ok());
            values.find(|value| !value.is_empty()).map(str::to_owned)
        };
        let groups = self
            .group_headers
            .iter()
            .flat_map(|name| headers.get_all(name))
            .filter_map(|value| value.to_str().ok().map(str::to_owned));
        let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in headers {
            let key = self.extra_prefixes.iter().find_map(|prefix| {
                // Header names in a `HeaderMap` are in lower case.
                let prefix = prefix.to_lowercase();
                name.as_str()
                    .strip_prefix(prefix.as_str())
                    .filter(|key| !key.is_empty())
            });
            if let (Some(key), Ok(value)) = (key, value.to_str()) {
                extra
                    .entry(crate::metrics::path::decode_or_raw(key))
                    .or_default()
                    .push(value.to_owned());
            }
        }
        Some(authenticated(User {
            name: first(&self.username_headers)?,
            uid: first(&self.uid_headers),
            groups: groups.collect(),
            extra,
        }))
    }
}

/// The user of a request without credentials.
pub(crate) fn anonymous() -> User {
    User {
        name: ANONYMOUS.to_owned(),
        groups: vec![GROUP_UNAUTHENTICATED.to_owned()],
        ..User::default()
    }
}

/// Adds `system:authenticated` to the groups of every user that is not anonymous, as kube-apiserver does.
pub(crate) fn authenticated(mut user: User) -> User {
    let known = [GROUP_AUTHENTICATED, GROUP_UNAUTHENTICATED];
    if !user.is_anonymous() && !user.groups.iter().any(|group| known.contains(&group.as_str())) {
        user.groups.push(GROUP_AUTHENTICATED.to_owned());
    }
    user
}

fn verifier(data: &BTreeMap<String, String>, key: &'static str) -> Result<Option<Verifier>, TrustError> {
    let Some(pem) = data.get(key) else { return Ok(None) };
    let error = |problem: String| TrustError { key, problem };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|problem| error(problem.to_string()))?;
        roots
            .add(certificate)
            .map_err(|problem| error(problem.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|problem| error(problem.to_string()))?;
    Ok(Some(Verifier::new(verifier)))
}

/// Parses a JSON array of strings; a missing key is an empty array.
fn names(data: &BTreeMap<String, String>, key: &'static str) -> Result<Vec<String>, TrustError> {
    let Some(text) = data.get(key).filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    serde_json::from_str(text).map_err(|error| TrustError {
        key,
        problem: error.to_string(),
    })
}

/// The trust that applies now; none until the ConfigMap was read.
#[derive(Debug, Default)]
pub(crate) struct CurrentTrust(ArcSwapOption<Trust>);

impl CurrentTrust {
    /// Replaces the trust.
    pub(crate) fn set(&self, trust: Trust) {
        self.0.store(Some(Arc::new(trust)));
    }

    /// The trust that applies now.
    pub(crate) fn get(&self) -> Option<Arc<Trust>> {
        self.0.load_full()
    }
}

mod subject;
mod verifier;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
