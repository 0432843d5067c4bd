//! Flags that say how clients reach the metrics server.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{cli::leader_election::parse_duration, metrics_server::Certificate};

/// How clients reach us.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
pub(super) struct ServingArgs {
    /// Address of the secure port
    #[arg(long, value_name = "IP", default_value = "0.0.0.0", env = "VAS_BIND_ADDRESS")]
    pub(super) bind_address: IpAddr,
    /// Port of custom.metrics.k8s.io
    #[arg(long, value_name = "PORT", default_value_t = 6443, env = "VAS_SECURE_PORT")]
    pub(super) secure_port: u16,
    /// Address and port of /metrics, /healthz and /readyz, over plain HTTP
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080",
        env = "VAS_METRICS_BIND_ADDRESS"
    )]
    pub(super) metrics_bind_address: SocketAddr,
    /// Serving certificate in PEM; its issuer sets the caBundle of the APIServices. Default: one that the
    /// replicas issue and share in the Secret vas-metrics-server-tls, valid for ten years
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_private_key_file",
        env = "VAS_TLS_CERT_FILE"
    )]
    pub(super) tls_cert_file: Option<PathBuf>,
    /// Private key of --tls-cert-file
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert_file",
        env = "VAS_TLS_PRIVATE_KEY_FILE"
    )]
    pub(super) tls_private_key_file: Option<PathBuf>,
    /// How long a review of a bearer token counts
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration, env = "VAS_AUTHENTICATION_TOKEN_WEBHOOK_CACHE_TTL")]
    pub(super) authentication_token_webhook_cache_ttl: Duration,
    /// How long an access review that allowed counts
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration, env = "VAS_AUTHORIZATION_WEBHOOK_CACHE_AUTHORIZED_TTL")]
    pub(super) authorization_webhook_cache_authorized_ttl: Duration,
    /// How long an access review that did not allow counts
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration, env = "VAS_AUTHORIZATION_WEBHOOK_CACHE_UNAUTHORIZED_TTL")]
    pub(super) authorization_webhook_cache_unauthorized_ttl: Duration,
    /// Service that leads here
    #[arg(
        long,
        value_name = "NAME",
        default_value = "vas-metrics-server",
        env = "VAS_SERVICE_NAME"
    )]
    pub(super) service_name: String,
    /// Namespace of that Service and of the Secret. Default: POD_NAMESPACE, else the kubeconfig's namespace
    #[arg(long, value_name = "NAMESPACE", env = "VAS_SERVICE_NAMESPACE")]
    pub(super) service_namespace: Option<String>,
}

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub(super) struct ReadError {
    path: PathBuf,
    source: std::io::Error,
}

impl ServingArgs {
    pub(super) fn certificate(&self) -> Result<Certificate, ReadError> {
        match (&self.tls_cert_file, &self.tls_private_key_file) {
            (Some(chain), Some(key)) => Ok(Certificate::Given {
                chain: read(chain)?,
                key: read(key)?,
            }),
            _ => Ok(Certificate::Shared),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    std::fs::read(path).map_err(|source| ReadError {
        path: path.to_owned(),
        source,
    })
}
