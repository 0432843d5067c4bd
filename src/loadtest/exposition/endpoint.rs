//! Serves the metrics of runs over plain HTTP.

use std::{io, net::SocketAddr, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::Exposition;
use vas_cluster::{
    listening,
    telemetry::{
        exposed::Exposed,
        http::{self, Endpoints},
        scrapes::Scrapes,
    },
};

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (--metrics-listen): {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

/// Starts to serve `/metrics` at the address, until the runtime ends; it must be called on the runtime. Each
/// run has to update the exposition that is returned.
///
/// # Errors
/// When the address is in use, or not one of this machine.
pub fn serve(address: SocketAddr) -> Result<Exposition, ListenError> {
    let listener = listening::bind(address).map_err(|source| ListenError { address, source })?;
    let exposition = Exposition::new();
    let endpoints = Endpoints {
        live: http::always(),
        ready: http::always(),
        metrics: Arc::new(Scrapes::new(Exposed::process(exposition.registry()))),
    };
    tokio::spawn(http::serve(listener, endpoints, CancellationToken::new()));
    Ok(exposition)
}
