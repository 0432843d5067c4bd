//! The target of the load: where requests go, and how.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use hyper::{HeaderMap, header::AUTHORIZATION, http::uri::Scheme};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Url;

use super::{Failure, Outgoing, Resolve, SystemResolver, credentials};

/// The target of the load: where requests go, and how.
#[derive(Clone, Debug)]
pub struct Target {
    /// Scheme, host and port as the user gave them, without credentials.
    pub origin: String,
    /// `host` or `host:port` for the `Host` header, as the user gave it.
    pub authority: String,
    /// Host to connect to, without brackets.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// Prefix of the path of each step. It is empty or ends without a slash.
    pub base_path: String,
    /// Path and query exactly as the user gave them. A run without a scenario requests this.
    pub own_path: String,
    /// TLS configuration and the name in the certificate, for `https`.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// Which certificates to trust, also after redirects.
    pub trust: TlsOptions,
    /// HTTP/1.1 or HTTP/2.
    pub protocol: Protocol,
    /// Headers of every request.
    pub headers: HeaderMap,
    /// Whether each request opens a new connection.
    pub fresh_connections: bool,
    /// Whether steps follow redirects if they do not say.
    pub follow: bool,
    /// Resolves the target's name.
    pub resolver: Arc<dyn Resolve>,
    /// The Unix socket to connect to, instead of host and port.
    pub unix_socket: Option<PathBuf>,
    /// The HTTP proxy through which every connection goes. Its credentials are in its own headers.
    pub proxy: Option<Arc<Target>>,
}

/// The version of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1: one request at a time on a connection.
    #[default]
    Http1,
    /// HTTP/2, with prior knowledge where there is no TLS.
    Http2,
}

/// Which certificates to trust, and which one to show.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// PEM certificates to trust instead of those of this machine.
    pub ca: Option<Vec<u8>>,
    /// Whether to accept any certificate.
    pub insecure: bool,
    /// The certificate to show to a server that asks for one. No other host sees it.
    pub identity: Option<Identity>,
}

/// A client certificate and its key.
#[derive(Clone)]
pub struct Identity {
    /// PEM certificates: the client's, then those that lead from it to a root.
    pub certificates: Vec<u8>,
    /// PEM key of the first certificate.
    pub key: Vec<u8>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

/// Why a URL cannot be that of a target.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// It is not a URL.
    #[error("{0:?} is not a URL such as http://127.0.0.1:8080 or https://voiceassist.example")]
    Url(String),
    /// Its scheme is not supported.
    #[error("the scheme {0:?} is not supported: use http or https")]
    Scheme(String),
    /// Its credentials cannot be sent.
    #[error("the user in {0:?} must not have a colon (%3A)")]
    User(String),
    /// No certificate can be for its name.
    #[error("{0:?} cannot be the name in a certificate")]
    Name(String),
}

/// Why a target was refused.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Its URL cannot be used.
    #[error("--target: {0}")]
    Url(UrlError),
    /// The certificates are not PEM.
    #[error("{0}: no certificate in PEM form")]
    Certificates(String),
    /// The client certificate or its key is not PEM.
    #[error("--cert and --key: no {0} in PEM form")]
    Identity(&'static str),
    /// The client certificate cannot be used.
    #[error("--cert and --key: the certificate cannot be used: {0}")]
    Unusable(#[source] rustls::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Target {
    /// Parses a URL. `ca_name` names the source of the certificates in error texts.
    ///
    /// # Errors
    /// When it is not the URL of a target, or TLS cannot be set up for it.
    pub fn parse(
        url: &str,
        protocol: Protocol,
        tls: &TlsOptions,
        ca_name: &Path,
    ) -> Result<Self, TargetError> {
        // A text that cannot be parsed may still contain credentials.
        let refused = || TargetError::Url(UrlError::Url(credentials::masked(url)));
        let uri = credentials::url_of_host(url).ok_or_else(refused)?;
        let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else {
            return Err(refused());
        };
        let secure = if *scheme == Scheme::HTTPS {
            true
        } else if *scheme == Scheme::HTTP {
            false
        } else {
            return Err(TargetError::Url(UrlError::Scheme(scheme.to_string())));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let configured = if secure {
            let name = ServerName::try_from(host.clone())
                .map_err(|_| TargetError::Url(UrlError::Name(host.clone())))?;
            Some((Arc::new(client_config(tls, protocol, ca_name)?), name))
        } else {
            None
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, authority),
        };
        let mut headers = HeaderMap::new();
        if let Some(user) = user {
            let value = credentials::basic(user)
                .ok_or_else(|| TargetError::Url(UrlError::User(credentials::masked(url))))?;
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            authority: authority.to_owned(),
            host,
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            base_path: uri.path().trim_end_matches('/').to_owned(),
            own_path: match uri.query() {
                Some(query) => format!("{}?{query}", uri.path()),
                None => uri.path().to_owned(),
            },
            tls: configured,
            trust: tls.clone(),
            protocol,
            headers,
            fresh_connections: false,
            follow: false,
            resolver: Arc::new(SystemResolver),
            unix_socket: None,
            proxy: None,
        })
    }

    /// The same target over HTTP/1.1; TLS then offers only HTTP/1.1 (ALPN).
    #[must_use]
    pub fn over_http1(&self) -> Self {
        let mut target = self.clone();
        target.protocol = Protocol::Http1;
        if let Some((config, _)) = &mut target.tls {
            Arc::make_mut(config).alpn_protocols = alpn(Protocol::Http1);
        }
        target
    }

    /// Another host, with the same trusted certificates and proxy. It gets no header of this target and never
    /// sees its client certificate.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn another(&self, url: &str, protocol: Protocol) -> Result<Self, TargetError> {
        let trust = TlsOptions {
            identity: None,
            ..self.trust.clone()
        };
        let mut other = Self::parse(url, protocol, &trust, Path::new("--cacert"))?;
        other.resolver = self.resolver.clone();
        other.proxy.clone_from(&self.proxy);
        other.fresh_connections = self.fresh_connections;
        other.follow = self.follow;
        Ok(other)
    }

    /// The full path of a step. An empty path gives the target's own path and query, exactly as the user gave
    /// them.
    pub fn path(&self, path: &str) -> String {
        if path.is_empty() {
            self.own_path.clone()
        } else {
            format!("{}{path}", self.base_path)
        }
    }

    /// The URL of a path below the target.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}", self.origin, self.path(path))
    }

    /// The URL of a request, to resolve redirects against. It ignores the request's `Host`.
    ///
    /// # Errors
    /// When the path cannot be in a URL.
    pub(super) fn url_of(&self, outgoing: &Outgoing) -> Result<Url, Failure> {
        let path = outgoing.uri.path_and_query().map_or("/", |path| path.as_str());
        Url::parse(&format!("{}{path}", self.origin))
            .map_err(|_| Failure::Request("its path cannot be in a URL".to_owned(), super::Detail::NONE))
    }

    /// Whether the target has a path or query of its own.
    pub fn has_path(&self) -> bool {
        self.own_path != "/"
    }

    /// Whether the target has a query. The path of a step cannot be put behind a query.
    pub fn has_query(&self) -> bool {
        self.own_path.contains('?')
    }
}

fn client_config(
    options: &TlsOptions,
    protocol: Protocol,
    ca_name: &Path,
) -> Result<ClientConfig, TargetError> {
    let trusting = if options.insecure {
        ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(super::insecure::TrustAnybody::new()))
    } else if let Some(pem) = &options.ca {
        let mut roots = RootCertStore::empty();
        let refused = || TargetError::Certificates(ca_name.display().to_string());
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots
                .add(certificate.map_err(|_| refused())?)
                .map_err(|_| refused())?;
        }
        if roots.is_empty() {
            return Err(refused());
        }
        ClientConfig::builder().with_root_certificates(roots)
    } else {
        ClientConfig::builder().with_platform_verifier()?
    };
    let mut config = match &options.identity {
        None => trusting.with_no_client_auth(),
        Some(identity) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&identity.certificates).collect();
            let chain = chain.ok().filter(|chain| !chain.is_empty());
            let chain = chain.ok_or(TargetError::Identity("certificate"))?;
            let key = PrivateKeyDer::from_pem_slice(&identity.key);
            let key = key.map_err(|_| TargetError::Identity("key"))?;
            let shown = trusting.with_client_auth_cert(chain, key);
            shown.map_err(TargetError::Unusable)?
        }
    };
    config.alpn_protocols = alpn(protocol);
    Ok(config)
}

/// The protocol that TLS offers (ALPN) for a version of HTTP.
fn alpn(protocol: Protocol) -> Vec<Vec<u8>> {
    vec![match protocol {
        Protocol::Http1 => b"http/1.1".to_vec(),
        Protocol::Http2 => b"h2".to_vec(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, TargetError> {
        Target::parse(url, Protocol::Http1, &TlsOptions::default(), Path::new("ca.pem"))
    }

    #[test]
    fn a_url_gives_host_port_and_base_path() {
        let target = parse("http://localhost:8080/v1/").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("localhost", 8080));
        assert_eq!(target.authority, "localhost:8080");
        assert_eq!(target.url("/health"), "http://localhost:8080/v1/health");
        let target = parse("http://[::1]").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("::1", 80));
        assert_eq!(target.url("/"), "http://[::1]/");
    }

    #[test]
    fn a_target_without_a_scenario_is_asked_for_exactly_as_it_was_given() {
        for (url, asked, has_path) in [
            ("http://h", "http://h/", false),
            ("http://h/", "http://h/", false),
            ("http://h/app", "http://h/app", true),
            ("http://h/app/", "http://h/app/", true),
            ("http://h/app/?a=b&c", "http://h/app/?a=b&c", true),
            ("http://h?a=b", "http://h/?a=b", true),
        ] {
            let target = parse(url).unwrap();
            assert_eq!(target.url(""), asked);
            assert_eq!(target.has_path(), has_path, "{url}");
            assert_eq!(target.has_query(), url.contains('?'));
        }
    }

    #[test]
    fn credentials_become_a_header_and_are_shown_nowhere() {
        let target = parse("http://user:p%40ss@host:8080/app").unwrap();
        assert_eq!(target.headers[AUTHORIZATION], "Basic dXNlcjpwQHNz");
        assert_eq!(target.url("/x"), "http://host:8080/app/x");
        assert_eq!(target.authority, "host:8080");
        let shown = format!("{target:?}");
        assert!(
            !shown.contains("p%40ss") && !shown.contains("dXNlcjpwQHNz"),
            "{shown}"
        );
        for url in [
            "http://user:secret@ho st/",
            "user:secret@host",
            "ftp://user:secret@host",
            "http://a%3Ab:secret@h",
            "http:/user:secret@host",
            "http:///user:secret@host/",
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn over_http1_tls_offers_http1_and_the_target_itself_stays_as_it_is() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = TlsOptions {
            insecure: true,
            ..TlsOptions::default()
        };
        let target = Target::parse("https://localhost", Protocol::Http2, &options, Path::new("")).unwrap();
        let offers = |target: &Target| target.tls.as_ref().unwrap().0.alpn_protocols.clone();
        assert_eq!(offers(&target.over_http1()), [b"http/1.1"]);
        assert_eq!(target.over_http1().protocol, Protocol::Http1);
        assert_eq!(offers(&target), [b"h2"]);
    }

    #[test]
    fn what_is_no_target_is_refused_in_words() {
        for (url, word) in [
            ("localhost:8080", "not a URL"),
            ("/api", "not a URL"),
            ("http://localhost:808o", "not a URL"),
            ("http://localhost:99999", "not a URL"),
            ("http://user:pa/ss@host/", "not a URL"),
            ("ftp://host/", "scheme"),
            ("http://a%3Ab:c@host/", "colon"),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(word), "{url}: {error}");
        }
    }
}
