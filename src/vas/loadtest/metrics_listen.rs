//! `--metrics-listen`: serves metrics of a run to Prometheus while it goes on.

use std::{io, net::SocketAddr, sync::Arc};

use tokio_util::sync::CancellationToken;

use vas_cluster::{
    listening,
    telemetry::http::{self, Endpoints},
};
use vas_loadtest::exposition::Exposition;

/// The address at which a run serves its metrics.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MetricsListenArgs {
    /// Serve /metrics for Prometheus while it runs, such as 127.0.0.1:9095
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (--metrics-listen): {source}")]
pub(crate) struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

impl MetricsListenArgs {
    /// Starts the server if an address was given. It serves until the runtime ends, so this must be called on
    /// the runtime. Each run has to update the exposition.
    ///
    /// # Errors
    /// When the address is in use, or not one of this machine.
    pub(crate) fn serve(&self) -> Result<Option<Exposition>, ListenError> {
        let Some(address) = self.metrics_listen else {
            return Ok(None);
        };
        let listener = listening::bind(address).map_err(|source| ListenError { address, source })?;
        let exposition = Exposition::new();
        let endpoints = Endpoints {
            live: http::always(),
            ready: http::always(),
            registry: Arc::new(exposition.registry()),
        };
        tokio::spawn(http::serve(listener, endpoints, CancellationToken::new()));
        Ok(Some(exposition))
    }
}
