//! Flags that say how connections to the target are made, in the words of curl.

use std::{
    io,
    net::Ipv6Addr,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use super::{
    masked_url::MaskedUrl,
    parcel::{PackError, pack},
};
use vas_loadtest::{
    distributed::parcel::Parcel,
    files,
    http::{Identity, Protocol, Target, TlsOptions},
};

/// How connections are made.
#[derive(Clone, Debug, clap::Args, serde::Serialize, serde::Deserialize)]
#[command(next_help_heading = "Target")]
pub(super) struct RouteArgs {
    /// PEM file with the client certificate to show, and those that lead from it to a root
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// PEM file with the key of --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Connect to this host and port; Host, SNI and the name in the certificate stay those of the URL
    #[arg(long, value_name = "HOST:PORT")]
    connect_to: Option<HostPort>,
    /// Connect to this Unix socket; Host, SNI and the name in the certificate stay those of the URL
    #[arg(long, value_name = "FILE", conflicts_with = "connect_to")]
    unix_socket: Option<PathBuf>,
    /// HTTP proxy, such as http://user:password@proxy.example:3128: every connection is a tunnel through it
    /// (CONNECT), also for http. The variables of curl (HTTP_PROXY, ...) are not read
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "unix_socket",
        env = "VAS_TEST_PROXY",
        hide_env_values = true
    )]
    proxy: Option<MaskedUrl>,
}

/// A file of a client certificate that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{flag} {}: {source}", .file.display())]
pub(crate) struct IdentityError {
    flag: &'static str,
    file: PathBuf,
    source: io::Error,
}

impl RouteArgs {
    /// The same route for the pods of a Job: the files that it needs go into the parcel.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn packed(&self, parcel: &mut Parcel) -> Result<Self, PackError> {
        let mut packed = self.clone();
        packed.cert = pack(parcel, "--cert", "flags/cert.pem", self.cert.as_deref())?;
        packed.key = pack(parcel, "--key", "flags/key.pem", self.key.as_deref())?;
        Ok(packed)
    }

    /// The client certificate.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn identity(&self) -> Result<Option<Identity>, IdentityError> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else {
            return Ok(None);
        };
        Ok(Some(Identity {
            certificates: read("--cert", cert)?,
            key: read("--key", key)?,
        }))
    }

    /// The proxy, with credentials masked.
    pub(super) fn proxy(&self) -> Option<&str> {
        self.proxy.as_ref().map(MaskedUrl::shown)
    }

    /// Leads the connections of a target where the flags say. The proxy's certificate is verified with the
    /// certificates that are trusted for the target.
    ///
    /// # Errors
    /// When the URL of the proxy cannot be used.
    pub(super) fn lead(&self, target: &mut Target) -> Result<(), ProxyError> {
        if let Some(there) = &self.connect_to {
            target.host.clone_from(&there.host);
            target.port = there.port;
        }
        target.unix_socket.clone_from(&self.unix_socket);
        let proxy = self.proxy.as_ref().map(|url| proxy(url, &target.trust));
        target.proxy = proxy.transpose()?.map(Arc::new);
        Ok(())
    }
}

/// The URL of a proxy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// It is no URL of a host.
    #[error("--proxy: {0:?} is not the URL of a proxy such as http://proxy.example:3128")]
    Url(String),
    /// It has a path, which no proxy has.
    #[error("--proxy: {0:?} has a path; a proxy is a host and a port")]
    Path(String),
}

/// The proxy as a host that is connected to.
fn proxy(url: &MaskedUrl, trust: &TlsOptions) -> Result<Target, ProxyError> {
    let trust = TlsOptions {
        identity: None,
        ..trust.clone()
    };
    let shown = || url.shown().to_owned();
    let target = Target::parse(url.given(), Protocol::Http1, &trust, Path::new("--cacert"))
        .map_err(|_| ProxyError::Url(shown()))?;
    if target.has_path() {
        return Err(ProxyError::Path(shown()));
    }
    Ok(target)
}

fn read(flag: &'static str, file: &Path) -> Result<Vec<u8>, IdentityError> {
    files::read(file).map_err(|source| IdentityError {
        flag,
        file: file.to_owned(),
        source,
    })
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct HostPort {
    /// A name or an address, without brackets.
    host: String,
    port: u16,
}

impl FromStr for HostPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = "must be HOST:PORT such as 127.0.0.1:8443 or [::1]:8443";
        let (host, port) = text.rsplit_once(':').ok_or(refused)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let address = rest.strip_suffix(']').ok_or(refused)?;
                address.parse::<Ipv6Addr>().map_err(|_| refused)?;
                address
            }
            None => host,
        };
        let named = !host.is_empty() && (text.starts_with('[') || !host.contains(':'));
        let port = port.parse().ok().filter(|port| *port > 0);
        match port {
            Some(port) if named => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            _ => Err(refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_read_and_nothing_else() {
        for (text, host, port) in [
            ("127.0.0.1:8443", "127.0.0.1", 8443),
            ("[::1]:80", "::1", 80),
            ("pod.example:1", "pod.example", 1),
        ] {
            let read: HostPort = text.parse().unwrap();
            assert_eq!((read.host.as_str(), read.port), (host, port));
        }
        for text in [
            "host", "host:", ":80", "h:0", "::1:80", "[x]:80", "[::1:80", "::h:80", "h:99999",
        ] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }
}
