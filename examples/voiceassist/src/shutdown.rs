//! An orderly stop: SIGTERM and SIGINT end the token that all parts of a process watch.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that ends with the first SIGTERM or SIGINT.
///
/// # Errors
/// If the process cannot listen to signals.
pub fn on_signal() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let ended = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop");
        ended.cancel();
    });
    Ok(stop)
}
