//! How one Prometheus server is reached: everything that a client is built from, secrets included.

use reqwest::{Certificate, ClientBuilder, Identity, Url, header::HeaderMap, redirect::Policy};

use super::client::{BuildError, Limits, innermost};

/// How one Prometheus server is reached. Equal settings make equal clients. No `Debug`: a private key is among it.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base of the HTTP API, without credentials in it.
    pub url: String,
    /// Bounds on each query.
    pub limits: Limits,
    /// CA certificates in PEM; none but these are trusted. Default: those of the system.
    pub ca: Option<Vec<u8>>,
    /// Client certificate and private key in PEM, one after the other.
    pub identity: Option<Vec<u8>>,
    /// Sent with each query; secret values are marked sensitive.
    pub headers: HeaderMap,
}

impl Settings {
    /// A server that asks for nothing but its URL.
    pub fn plain(url: &str, limits: Limits) -> Self {
        Self {
            url: url.to_owned(),
            limits,
            ca: None,
            identity: None,
            headers: HeaderMap::new(),
        }
    }

    /// The HTTP client, and the URL below which the API is.
    pub(super) fn http(&self) -> Result<(reqwest::Client, &str), BuildError> {
        let url = parse_url(&self.url)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("vas/", env!("CARGO_PKG_VERSION")))
            .timeout(self.limits.timeout)
            .redirect(Policy::none())
            .default_headers(self.headers.clone());
        if url.scheme() == "http" {
            // Without https no CA certificates are needed: a minimal image has none.
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
            let certificates =
                Certificate::from_pem_bundle(pem).map_err(|error| BuildError::Ca(innermost(&error)))?;
            if certificates.is_empty() {
                return Err(BuildError::Ca("no CERTIFICATE block".to_owned()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(pem) = &self.identity {
            let identity =
                Identity::from_pem(pem).map_err(|error| BuildError::Identity(innermost(&error)))?;
            builder = builder.identity(identity);
        }
        Ok(builder)
    }
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

/// For messages, which end up in logs. Not by the parser: what does not parse may hold a password too.
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("//").unwrap_or(("", url));
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => format!("...@{host}"),
        Some((_, host)) => format!("{scheme}//...@{host}"),
        None => url.to_owned(),
    }
}
