//! Flags for the adapters that reads are handed on to.

use std::path::PathBuf;

use vas_metrics_server::{AdapterAddress, CaFile, CaFileError, FallbackSettings};

/// Adapters that were there before: reads that no VoiceAssistScaling describes are handed on to them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Fallback")]
pub(super) struct FallbackArgs {
    /// Service of the adapter that answers reads of custom.metrics.k8s.io which no VoiceAssistScaling of their
    /// namespace describes by name, for example prometheus-adapter.monitoring.svc. The reader is authorized
    /// first; the adapter sees the ServiceAccount of --fallback-service-account
    #[arg(
        id = "fallback_custom",
        long = "fallback-custom",
        value_name = "SERVICE",
        requires = "fallback_ca_file",
        env = "VAS_FALLBACK_CUSTOM"
    )]
    custom: Option<AdapterAddress>,
    /// The same for external.metrics.k8s.io, for example keda-operator-metrics-apiserver.keda.svc
    #[arg(
        id = "fallback_external",
        long = "fallback-external",
        value_name = "SERVICE",
        requires = "fallback_ca_file",
        env = "VAS_FALLBACK_EXTERNAL"
    )]
    external: Option<AdapterAddress>,
    /// CA certificates in PEM, with which the certificates of both adapters are verified; those must be valid
    /// for the name of the Service. Read again when its content changes
    #[arg(
        id = "fallback_ca_file",
        long = "fallback-ca-file",
        value_name = "FILE",
        env = "VAS_FALLBACK_CA_FILE"
    )]
    ca_file: Option<PathBuf>,
    /// ServiceAccount, in the namespace of --service-name, whose tokens the adapters get. It should be allowed
    /// nothing but to read metrics
    #[arg(
        id = "fallback_service_account",
        long = "fallback-service-account",
        value_name = "NAME",
        default_value = "vas-fallback",
        env = "VAS_FALLBACK_SERVICE_ACCOUNT"
    )]
    service_account: String,
}

/// Reasons why no adapter can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FallbackArgsError {
    #[error(transparent)]
    Ca(#[from] CaFileError),
    #[error("--fallback-ca-file is of no use without --fallback-custom or --fallback-external")]
    NoAdapter,
    #[error("--fallback-external needs --external-metrics=true: the group is not served here")]
    ExternalOff,
}

impl FallbackArgs {
    /// The adapters, if there are any.
    pub(super) fn settings(
        &self,
        external_metrics: bool,
    ) -> Result<Option<FallbackSettings>, FallbackArgsError> {
        let Some(ca) = &self.ca_file else {
            return Ok(None);
        };
        if self.custom.is_none() && self.external.is_none() {
            return Err(FallbackArgsError::NoAdapter);
        }
        if self.external.is_some() && !external_metrics {
            return Err(FallbackArgsError::ExternalOff);
        }
        Ok(Some(FallbackSettings {
            custom: self.custom.clone(),
            external: self.external.clone(),
            ca: CaFile::open(ca)?,
            service_account: self.service_account.clone(),
        }))
    }
}
