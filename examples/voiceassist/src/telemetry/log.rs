//! The log: JSON lines on standard output.

use tracing_subscriber::EnvFilter;

/// Sends events of level `info` and above to standard output, or what `RUST_LOG` says.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .try_init();
}
