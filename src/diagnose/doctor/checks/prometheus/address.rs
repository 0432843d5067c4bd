//! The address of the metrics server's Prometheus, from its Deployment.

use std::fmt;

/// A Service of the cluster, as the API server's service proxy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress {
    /// Whether the Service uses TLS.
    pub https: bool,
    /// Name of the Service.
    pub name: String,
    /// Namespace of the Service.
    pub namespace: String,
    /// Port of the Service.
    pub port: u16,
    /// The path before `/api/v1`, without a slash at the end.
    pub prefix: String,
}

/// How to reach a Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Directly, at this URL.
    Url(String),
    /// Through the API server.
    Service(ServiceAddress),
}

/// Why a URL does not lead to a Service of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The scheme is neither http nor https.
    #[error("its scheme is neither http nor https")]
    Scheme,
    /// The URL contains a user and a password, which cannot be passed through the API server.
    #[error("it carries credentials")]
    Credentials,
    /// The host is not `NAME.NAMESPACE`, optionally followed by `.svc` and the domain of the cluster.
    #[error("{0} does not name a Service as NAME.NAMESPACE or NAME.NAMESPACE.svc")]
    Host(String),
    /// The port is no number.
    #[error("its port {0} is not a port")]
    Port(String),
}

impl ServiceAddress {
    /// Parses `http://NAME.NAMESPACE[.svc[.DOMAIN]]:PORT[/PREFIX]`. A NAME alone is a Service in
    /// `own_namespace`, as DNS resolves it for a pod there.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(url: &str, own_namespace: &str) -> Result<Self, AddressError> {
        let (https, rest) = url
            .strip_prefix("http://")
            .map(|rest| (false, rest))
            .or_else(|| url.strip_prefix("https://").map(|rest| (true, rest)))
            .ok_or(AddressError::Scheme)?;
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(AddressError::Credentials);
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (
                host,
                port.parse().map_err(|_| AddressError::Port(port.to_owned()))?,
            ),
            None => (authority, if https { 443 } else { 80 }),
        };
        let bad_host = || AddressError::Host(host.to_owned());
        let labels: Vec<&str> = host.split('.').collect();
        let (name, namespace) = match labels.as_slice() {
            ["localhost"] => return Err(bad_host()),
            [name] => (*name, own_namespace),
            [name, namespace] | [name, namespace, "svc", ..] => (*name, *namespace),
            _ => return Err(bad_host()),
        };
        if !is_label(name) || !is_label(namespace) {
            return Err(bad_host());
        }
        Ok(Self {
            https,
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            port,
            prefix: match prefix.trim_end_matches('/') {
                "" => String::new(),
                prefix => format!("/{prefix}"),
            },
        })
    }

    /// The path of the API server that leads to `path` of the Service.
    #[must_use]
    pub fn proxy_path(&self, path: &str) -> String {
        format!(
            "/api/v1/namespaces/{}/services/{}:{}:{}/proxy{}{path}",
            self.namespace,
            if self.https { "https" } else { "http" },
            self.name,
            self.port,
            self.prefix
        )
    }
}

/// Whether the text is a DNS label and not a number. An IP address does not name a Service.
fn is_label(text: &str) -> bool {
    text.chars()
        .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-')
        && text.chars().any(|char| char.is_ascii_lowercase())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_) => f.write_str("at --prometheus-url"),
            Self::Service(service) => write!(
                f,
                "through the API server's proxy to Service {}/{} port {}",
                service.namespace, service.name, service.port
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied(url: &str) -> Result<String, AddressError> {
        ServiceAddress::parse(url, "vas-system").map(|service| service.proxy_path("/api/v1/query"))
    }

    #[test]
    fn names_of_services_lead_through_the_api_server() {
        for (url, path) in [
            (
                "http://prometheus.monitoring:9090",
                "monitoring/services/http:prometheus:9090/proxy/api/v1/query",
            ),
            ("http://p.m.svc", "m/services/http:p:80/proxy/api/v1/query"),
            (
                "https://p.m.svc.cluster.local:9/",
                "m/services/https:p:9/proxy/api/v1/query",
            ),
            (
                "http://p.m.svc:9090/select/0/prometheus",
                "m/services/http:p:9090/proxy/select/0/prometheus/api/v1/query",
            ),
            (
                "http://p:9090",
                "vas-system/services/http:p:9090/proxy/api/v1/query",
            ),
        ] {
            assert_eq!(proxied(url), Ok(format!("/api/v1/namespaces/{path}")), "{url}");
        }
    }

    #[test]
    fn other_addresses_are_not_services() {
        assert_eq!(proxied("ftp://a.b"), Err(AddressError::Scheme));
        assert_eq!(proxied("http://u:p@a.b"), Err(AddressError::Credentials));
        assert_eq!(proxied("http://a.b:x"), Err(AddressError::Port("x".to_owned())));
        for host in [
            "prometheus.example.com",
            "10.0.0.1",
            "localhost",
            "127.0.0.1",
            "a..svc",
        ] {
            assert_eq!(
                proxied(&format!("http://{host}")),
                Err(AddressError::Host(host.to_owned())),
                "{host}"
            );
        }
    }
}
