//! Who sent a request by its certificate: the front proxy's word for it, or the certificate's own names.
//!
//! Identity headers count only over a connection whose client certificate the front proxy's CA issued, for an
//! allowed name. The trust is the API server's own, published in `kube-system/extension-apiserver-authentication`
//! and replaced while running. Certificates are judged per request (one that held, once a second), so a CA that is gone is gone at once.
//! Source: `k8s.io/apiserver/pkg/authentication/request/{headerrequest,x509}`.

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

/// An identity as access reviews take it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User {
    /// Name.
    pub name: String,
    /// UID, where the front proxy says it.
    pub uid: Option<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Extra attributes.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Whether it is nobody in particular.
    pub fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }
}

/// Why the ConfigMap cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct TrustError {
    key: &'static str,
    problem: String,
}

/// A certificate was shown that nobody we trust issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client certificate is not trusted: {0}")]
pub struct Untrusted(String);

/// What the API server says is to be trusted.
#[derive(Debug, Default)]
pub struct Trust {
    front_proxy: Option<FrontProxy>,
    clients: Option<Verifier>,
    subjects: Subjects,
}

#[derive(Debug)]
struct FrontProxy {
    verifier: Verifier,
    /// Empty means any.
    allowed_names: Vec<String>,
    username_headers: Vec<String>,
    uid_headers: Vec<String>,
    group_headers: Vec<String>,
    extra_prefixes: Vec<String>,
}

impl Trust {
    /// Reads the data of the ConfigMap.
    ///
    /// # Errors
    /// When a key holds what it should not. Absent keys mean less trust, not an error.
    pub fn parse(data: &BTreeMap<String, String>) -> Result<Self, TrustError> {
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

    /// Who sent a request with these headers over a connection with this certificate chain; `None` without one.
    ///
    /// # Errors
    /// When a certificate was shown and nobody we trust issued it.
    pub fn authenticate(
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

    /// The identity the headers claim; `None` without a user name.
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
                let prefix = prefix.to_lowercase();
                name.as_str()
                    .strip_prefix(prefix.as_str())
                    .filter(|key| !key.is_empty())
            });
            if let (Some(key), Ok(value)) = (key, value.to_str()) {
                extra
                    .entry(crate::metrics_server::metrics::path::decode_or_raw(key))
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

/// Whoever shows nothing.
pub(in crate::metrics_server) fn anonymous() -> User {
    User {
        name: ANONYMOUS.to_owned(),
        groups: vec![GROUP_UNAUTHENTICATED.to_owned()],
        ..User::default()
    }
}

/// Somebody known is a member of the group of those, as kube-apiserver adds it.
pub(in crate::metrics_server) fn authenticated(mut user: User) -> User {
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

/// A JSON array of strings; absent means empty.
fn names(data: &BTreeMap<String, String>, key: &'static str) -> Result<Vec<String>, TrustError> {
    let Some(text) = data.get(key).filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    serde_json::from_str(text).map_err(|error| TrustError {
        key,
        problem: error.to_string(),
    })
}

/// The trust in force; none before the ConfigMap was read.
#[derive(Debug, Default)]
pub struct CurrentTrust(ArcSwapOption<Trust>);

impl CurrentTrust {
    /// Puts new trust in force.
    pub fn set(&self, trust: Trust) {
        self.0.store(Some(Arc::new(trust)));
    }

    /// The trust in force.
    pub fn get(&self) -> Option<Arc<Trust>> {
        self.0.load_full()
    }
}

mod subject;
mod verifier;

#[cfg(test)]
pub(in crate::metrics_server) mod testing;
#[cfg(test)]
mod tests;
