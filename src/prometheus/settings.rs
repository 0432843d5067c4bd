//! Everything that a client for one Prometheus server is built from, secrets included.

use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Identity, Url, header::HeaderMap, redirect::Policy};

use vas_core::wording::innermost;

/// Limits of one query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time from the request to the last byte of the answer.
    pub timeout: Duration,
    /// Largest answer in bytes, after decompression.
    pub response_size: usize,
}

/// Why no client could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The URL is not usable.
    #[error(
        "the Prometheus URL {url:?} is not usable: {problem}; use for example http://prometheus.monitoring:9090"
    )]
    Url {
        /// The URL as it was given, without credentials.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The CA certificates are not usable.
    #[error("the CA certificates are not usable: {0}")]
    Ca(String),
    /// The client certificate or its key is not usable.
    #[error("the client certificate and its key are not usable: {0}")]
    Identity(String),
    /// The HTTP client could not be set up, for example without CA certificates for https.
    #[error("the HTTP client for Prometheus could not be set up: {0}")]
    Http(String),
}

/// How one Prometheus server is reached. Equal settings build equal clients. There is no `Debug`, because a
/// private key is among the fields.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Base URL of the HTTP API, without credentials.
    pub url: String,
    /// Limits of each query.
    pub limits: Limits,
    /// CA certificates in PEM; only these are trusted. Without them the system's CAs are.
    pub ca: Option<Vec<u8>>,
    /// Client certificate and private key, as two concatenated PEM blocks.
    pub identity: Option<Vec<u8>>,
    /// Headers of each query; their values are marked sensitive.
    pub headers: HeaderMap,
}

impl ClientSettings {
    /// Settings of a server that needs nothing but its URL.
    pub fn plain(url: &str, limits: Limits) -> Self {
        Self {
            url: url.to_owned(),
            limits,
            ca: None,
            identity: None,
            headers: HeaderMap::new(),
        }
    }

    /// The HTTP client, and the base URL of the API.
    pub(super) fn http(&self) -> Result<(reqwest::Client, &str), BuildError> {
        let url = parse_url(&self.url)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vas/", env!("CARGO_PKG_VERSION")))
            .timeout(self.limits.timeout)
            .redirect(Policy::none())
            .default_headers(self.headers.clone());
        if url.scheme() == "http" {
            // No CA certificates are loaded for plain HTTP: a minimal image has none, and loading them would
            // fail.
            builder = builder.tls_certs_only([]);
        } else {
            builder = self.tls(builder)?;
        }
        let http = builder
            .build()
            .map_err(|error| BuildError::Http(innermost(&error)))?;
        Ok((http, self.url.trim_end_matches('/')))
    }

    fn tls(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, BuildError> {
        if let Some(pem) = &self.ca {
            builder = builder.tls_certs_only(ca_certificates(pem).map_err(BuildError::Ca)?);
        }
        if let Some(pem) = &self.identity {
            let identity =
                Identity::from_pem(pem).map_err(|error| BuildError::Identity(innermost(&error)))?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }
}

/// The CA certificates in a file, of which there is at least one.
///
/// # Errors
/// What is wrong with the file.
pub fn ca_certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let certificates = Certificate::from_pem_bundle(pem).map_err(|error| innermost(&error))?;
    if certificates.is_empty() {
        return Err("no CERTIFICATE block".to_owned());
    }
    Ok(certificates)
}

fn parse_url(text: &str) -> Result<Url, BuildError> {
    let bad = |problem: String| BuildError::Url {
        url: without_credentials(text),
        problem,
    };
    let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(
            "it holds credentials; take them out and give basicAuth in a configuration file (--config)"
                .to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it holds a query or a fragment; take it out".to_owned()));
    }
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(bad(format!("the scheme is {scheme}, not http or https"))),
    }
}

/// The URL for messages, which end up in logs. This does not use the URL parser, because a URL that does not
/// parse may hold a password too.
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("//").unwrap_or(("", url));
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => format!("...@{host}"),
        Some((_, host)) => format!("{scheme}//...@{host}"),
        None => url.to_owned(),
    }
}
