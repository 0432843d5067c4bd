//! Flags for how clients reach the metrics server.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::duration;
use vas_metrics_server::{Certificate, CertificateFiles, FilesError, RotationTimes, RotationTimesError};

/// How clients reach the metrics server.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
pub(super) struct ServingArgs {
    /// Address of the secure port
    #[arg(long, value_name = "IP", default_value = "::", env = "VAS_BIND_ADDRESS")]
    pub(super) bind_address: IpAddr,
    /// Port of custom.metrics.k8s.io and external.metrics.k8s.io
    #[arg(long, value_name = "PORT", default_value_t = 6443, env = "VAS_SECURE_PORT")]
    pub(super) secure_port: u16,
    /// Serve metrics with `external: true` through external.metrics.k8s.io. Without it the group is not
    /// served, and the condition MetricsAvailable of a resource with such a metric says so
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set,
        env = "VAS_EXTERNAL_METRICS"
    )]
    pub(super) external_metrics: bool,
    /// Address and port of /metrics, /healthz and /readyz, over plain HTTP
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "[::]:8080",
        env = "VAS_METRICS_BIND_ADDRESS"
    )]
    pub(super) metrics_bind_address: SocketAddr,
    /// Serving certificate in PEM; its issuer sets the caBundle of the APIServices. Default: one that the
    /// replicas issue, share in the Secret vas-metrics-server-tls and rotate. Read again when its content
    /// changes
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
    /// How long a certificate that the replicas issue is valid
    #[arg(long, value_name = "DURATION", default_value = "8760h", value_parser = duration::parse, env = "VAS_SELF_SIGNED_VALIDITY")]
    pub(super) self_signed_validity: Duration,
    /// Time before its end at which the replicas rotate that certificate
    #[arg(long, value_name = "DURATION", default_value = "720h", value_parser = duration::parse, env = "VAS_SELF_SIGNED_RENEW_BEFORE")]
    pub(super) self_signed_renew_before: Duration,
    /// How long both CAs are trusted before the new certificate is served, and again after that
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration::parse, env = "VAS_SELF_SIGNED_OVERLAP")]
    pub(super) self_signed_overlap: Duration,
    /// How long the result of a token review is cached
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse, env = "VAS_AUTHENTICATION_TOKEN_WEBHOOK_CACHE_TTL")]
    pub(super) authentication_token_webhook_cache_ttl: Duration,
    /// How long an access review that allowed a request is cached
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse, env = "VAS_AUTHORIZATION_WEBHOOK_CACHE_AUTHORIZED_TTL")]
    pub(super) authorization_webhook_cache_authorized_ttl: Duration,
    /// How long an access review that did not allow a request is cached
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse, env = "VAS_AUTHORIZATION_WEBHOOK_CACHE_UNAUTHORIZED_TTL")]
    pub(super) authorization_webhook_cache_unauthorized_ttl: Duration,
    /// Name of the Service that leads to the metrics server
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

/// Reasons why there is no certificate to start with.
#[derive(Debug, thiserror::Error)]
pub(super) enum CertificateError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Times(#[from] RotationTimesError),
}

impl ServingArgs {
    pub(super) fn certificate(&self) -> Result<Certificate, CertificateError> {
        match (&self.tls_cert_file, &self.tls_private_key_file) {
            (Some(chain), Some(key)) => Ok(Certificate::Files(CertificateFiles::open(chain, key)?)),
            _ => Ok(Certificate::Shared(RotationTimes::new(
                self.self_signed_validity,
                self.self_signed_renew_before,
                self.self_signed_overlap,
            )?)),
        }
    }
}
