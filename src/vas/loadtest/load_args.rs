//! Flags of every test that sends load: the target, how requests are sent, and limits.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use hyper::header::{HeaderName, HeaderValue};

use super::{
    masked_url::MaskedUrl,
    named_url::NamedUrl,
    parcel::{PackError, pack},
    route_args::{IdentityError, ProxyError, RouteArgs},
};
use crate::{
    duration,
    exit::{Code, CommandError},
};
use vas_loadtest::{
    distributed::parcel::Parcel,
    engine::{Settings, Sharing},
    exposition::{
        Exposition,
        endpoint::{self, ListenError},
    },
    files,
    http::{Protocol, Target, TargetError, TlsOptions},
    limits::Limits,
    scenario::hosts::{HostUrlError, Hosts},
};

/// Where requests are sent, and how.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArgs {
    /// URL of the service; the path of each step is put behind it. User and password in it are sent as
    /// Authorization, and shown nowhere
    #[arg(long, value_name = "URL")]
    target: MaskedUrl,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// How the target is reached.
#[derive(Clone, Debug, clap::Args, serde::Serialize, serde::Deserialize)]
#[command(next_help_heading = "Target")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct ConnectionArgs {
    /// Header of every request; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// File with headers of every request, one "Name: value" in each line, for those that the list of
    /// processes must not show, such as a token. -H comes before it
    #[arg(long, value_name = "FILE")]
    header_file: Option<PathBuf>,
    /// Speak HTTP/2, with prior knowledge where the URL is http
    #[arg(long)]
    http2: bool,
    /// PEM file with the certificates to trust instead of this machine's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure_skip_tls_verify")]
    cacert: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long)]
    insecure_skip_tls_verify: bool,
    /// Open a new connection for each request
    #[arg(long)]
    no_keepalive: bool,
    /// Follow redirects, ten at most, to the answer that counts; a step's own "follow" comes first.
    /// Authorization and cookies are not sent to another host
    #[arg(long)]
    follow: bool,
    /// URL of one of the scenario's other hosts, instead of that in its file; may be given several times
    #[arg(long = "host", value_name = "NAME=URL")]
    hosts: Vec<NamedUrl>,
    #[command(flatten)]
    route: RouteArgs,
}

/// How requests are sent, and limits on them.
#[derive(Clone, Debug, clap::Args, serde::Serialize, serde::Deserialize)]
#[command(next_help_heading = "Load generator")]
pub(crate) struct EngineArgs {
    /// Threads that send. Default: as many as the load needs
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,
    /// Most connections at once. Default: as many files as this process may open
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    max_connections: Option<u64>,
    /// Let all requests share connections, also over HTTP/1.1, where otherwise each user has one of its own
    #[arg(long, conflicts_with = "connection_per_user")]
    share_connections: bool,
    /// Give each user (each journey, at a rate) a connection of its own, also over HTTP/2, where otherwise
    /// all share few
    #[arg(long)]
    connection_per_user: bool,
    /// Busy-wait before each request, to send it within microseconds of the moment it is due; uses whole
    /// processors
    #[arg(long)]
    precise: bool,
    /// Refuse a test whose peak is higher, in requests (journeys) per second
    #[arg(long, value_name = "RATE", default_value_t = 20_000.0)]
    max_rate: f64,
    /// Refuse a test that has more users at once
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000.0)]
    max_users: f64,
    /// Refuse a test that sends for longer
    #[arg(long, value_name = "DURATION", default_value = "4h", value_parser = duration::parse)]
    max_duration: Duration,
}

/// Reasons why a load is not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The target cannot be used.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The client certificate cannot be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The URL of a host is none. The message never has its text, which may hold a secret.
    #[error("--host {name}: {error}")]
    Host {
        /// Name of the host, as given.
        name: String,
        /// What is wrong with its URL.
        error: HostUrlError,
    },
    /// A header of a flag is no header. The message never has its text, which may hold a secret.
    #[error("--header number {number}: {problem}")]
    Header {
        /// Number of the flag, from one.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The file with headers cannot be read.
    #[error("--header-file {}: {source}", .file.display())]
    HeaderFile {
        /// Name of the file, as given.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line of the file with headers is no header. The message never has its text, which may hold a secret.
    #[error("--header-file {}, line {line}: {problem}", .file.display())]
    HeaderLine {
        /// Name of the file, as given.
        file: PathBuf,
        /// Number of the line, from one.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The file with certificates cannot be read.
    #[error("--cacert {}: {source}", .file.display())]
    Certificates {
        /// Name of the file, as given.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl CommandError for LoadError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

/// The address at which a run serves its metrics.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MetricsListenArgs {
    /// Serve /metrics for Prometheus while it runs, such as 127.0.0.1:9095
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
}

impl MetricsListenArgs {
    /// Serves the metrics if an address was given; must be called on the runtime.
    ///
    /// # Errors
    /// When the address is in use, or not one of this machine.
    pub(crate) fn serve(&self) -> Result<Option<Exposition>, ListenError> {
        self.metrics_listen.map(endpoint::serve).transpose()
    }
}

impl TargetArgs {
    /// The target, with its headers and connection settings.
    ///
    /// # Errors
    /// When the URL cannot be used, or TLS cannot be set up.
    pub(crate) fn target(&self) -> Result<Target, LoadError> {
        self.connection.target(&self.target)
    }

    /// The URLs of a scenario's other hosts that are given.
    ///
    /// # Errors
    /// When one is no URL of a host.
    pub(crate) fn hosts(&self) -> Result<Hosts, LoadError> {
        self.connection.hosts()
    }

    /// The URL as it was given and the proxy, with credentials masked.
    pub(crate) fn url(&self) -> String {
        self.connection.shown(&self.target)
    }
}

impl ConnectionArgs {
    /// The same connections for the pods of a Job: the files that they need go into the parcel.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn packed(&self, parcel: &mut Parcel) -> Result<Self, PackError> {
        let mut packed = self.clone();
        packed.header_file = pack(
            parcel,
            "--header-file",
            "flags/headers",
            self.header_file.as_deref(),
        )?;
        packed.cacert = pack(parcel, "--cacert", "flags/cacert.pem", self.cacert.as_deref())?;
        packed.route = self.route.packed(parcel)?;
        Ok(packed)
    }

    /// The target at this URL, with its headers and connection settings.
    ///
    /// # Errors
    /// When the URL cannot be used, or TLS cannot be set up.
    pub(crate) fn target(&self, url: &MaskedUrl) -> Result<Target, LoadError> {
        let ca = self.cacert.as_ref().map(|file| {
            files::read(file).map_err(|source| LoadError::Certificates {
                file: file.clone(),
                source,
            })
        });
        let tls = TlsOptions {
            ca: ca.transpose()?,
            insecure: self.insecure_skip_tls_verify,
            identity: self.route.identity()?,
        };
        let protocol = if self.http2 {
            Protocol::Http2
        } else {
            Protocol::Http1
        };
        let ca_name = self.cacert.as_deref().unwrap_or(Path::new("--cacert"));
        let mut target = Target::parse(url.given(), protocol, &tls, ca_name)?;
        // A header given by a flag replaces the one from the file, and that the one from the URL, such as
        // Authorization.
        for headers in [self.headers_of_file()?, self.headers_of_flags()?] {
            for (name, _) in &headers {
                target.headers.remove(name);
            }
            for (name, value) in headers {
                target.headers.append(name, value);
            }
        }
        target.fresh_connections = self.no_keepalive;
        target.follow = self.follow;
        self.route.lead(&mut target)?;
        Ok(target)
    }

    /// The URLs of a scenario's other hosts that are given.
    ///
    /// # Errors
    /// When one is no URL of a host.
    pub(crate) fn hosts(&self) -> Result<Hosts, LoadError> {
        self.hosts.iter().map(NamedUrl::read).collect()
    }

    /// The URL as it was given and the proxy, with credentials masked.
    pub(crate) fn shown(&self, url: &MaskedUrl) -> String {
        match self.route.proxy() {
            Some(proxy) => format!("{} through the proxy {proxy}", url.shown()),
            None => url.shown().to_owned(),
        }
    }
}

impl ConnectionArgs {
    /// The headers of `--header`. They are parsed here, because an error of clap would show them.
    fn headers_of_flags(&self) -> Result<Vec<(HeaderName, HeaderValue)>, LoadError> {
        let headers = self.headers.iter().enumerate();
        headers
            .map(|(index, header)| {
                parse_header(header).map_err(|problem| LoadError::Header {
                    number: index + 1,
                    problem,
                })
            })
            .collect()
    }

    /// The headers of `--header-file`. Blank lines, and those that begin with `#`, are left out.
    fn headers_of_file(&self) -> Result<Vec<(HeaderName, HeaderValue)>, LoadError> {
        let Some(file) = &self.header_file else {
            return Ok(Vec::new());
        };
        let text = files::read_text(file).map_err(|source| LoadError::HeaderFile {
            file: file.clone(),
            source,
        })?;
        // Editors of Windows begin a file with this mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let lines = text.lines().map(str::trim).enumerate();
        lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(index, line)| {
                parse_header(line).map_err(|problem| LoadError::HeaderLine {
                    file: file.clone(),
                    line: index + 1,
                    problem,
                })
            })
            .collect()
    }
}

impl EngineArgs {
    /// Settings of the engine.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            threads: self.threads,
            max_connections: self.max_connections,
            sharing: match (self.share_connections, self.connection_per_user) {
                (true, _) => Sharing::Shared,
                (_, true) => Sharing::PerUser,
                (false, false) => Sharing::Usual,
            },
            precise: self.precise,
        }
    }

    /// The largest load that is sent.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            rate: self.max_rate,
            users: self.max_users,
            duration: self.max_duration,
        }
    }
}

/// Parses a rate, a number above zero.
pub(super) fn parse_rate(text: &str) -> Result<f64, &'static str> {
    let rate = text
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or("must be a number more than 0")
}

/// Parses a header. The error never has its text, which may hold a secret.
fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| "write it as \"Name: value\"".to_owned())?;
    let name = name
        .trim()
        .parse()
        .map_err(|_| "what is before the colon cannot be the name of a header".to_owned())?;
    let value = value
        .trim()
        .parse()
        .map_err(|_| format!("the value of {name} has characters that a header must not have"))?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn a_header_is_a_name_a_colon_and_a_value() {
        let (name, value) = parse_header("X-Tenant:  a:b ").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-tenant", "a:b"));
        for (text, word) in [
            ("X-Tenant", "Name: value"),
            ("a b: c", "name"),
            ("a: b\u{7f}", "value"),
        ] {
            let error = parse_header(text);
            assert!(
                error.as_ref().is_err_and(|error| error.contains(word)),
                "{text:?}: {error:?}"
            );
        }
    }

    /// The target with these flags, or the error in words.
    fn target(flags: &[&str]) -> Result<Target, String> {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            connection: ConnectionArgs,
        }
        let flags = Flags::try_parse_from(std::iter::once(&"run").chain(flags));
        let Flags { connection } = flags.map_err(|error| error.to_string())?;
        let url = MaskedUrl::from("http://127.0.0.1:9".to_owned());
        connection.target(&url).map_err(|error| error.to_string())
    }

    /// The target with a file of headers.
    fn with_header_file(name: &str, text: &str) -> Result<Target, String> {
        let file = std::env::temp_dir().join(format!("vas-headers-{name}-{}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let target = target(&["--header-file", file.to_str().unwrap()]);
        std::fs::remove_file(&file).unwrap();
        target
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_named_without_what_may_be_a_secret() {
        for (name, text) in [
            ("no-colon", "Authorization Bearer s3cret"),
            ("spaces", "Authorization Bearer s3cret: x"),
            ("control", "Authorization: Bearer s3\u{1}s3cret"),
        ] {
            let of_flag = target(&["-H", text]).unwrap_err();
            let of_file = with_header_file(name, text).unwrap_err();
            for (error, place) in [(of_flag, "--header"), (of_file, "line 1")] {
                assert!(error.contains(place) && !error.contains("s3cret"), "{error}");
            }
        }
    }

    #[test]
    fn a_header_file_of_another_system_is_read() {
        let text = "\u{feff}X-A: 1\r\nX-A: 2\r\n\r\n# note\r\nX-B:3";
        let headers = with_header_file("windows", text).unwrap().headers;
        assert_eq!(headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(headers["x-b"], "3");
    }
}
