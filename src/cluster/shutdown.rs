//! Turns signals into cancellation: the first SIGTERM or SIGINT requests a graceful stop, the second one ends
//! the process at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after the second signal: 130 is what a shell reports for SIGINT (128 + 2).
const ABORTED: u8 = 130;

/// Installs the signal handlers and returns the token that the first signal cancels.
///
/// # Errors
/// When the process may not install signal handlers.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        wait(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping; a second signal stops at once");
        cancel.cancel();
        wait(&mut terminate, &mut interrupt).await;
        #[expect(
            clippy::disallowed_methods,
            reason = "the second signal asks for exactly this"
        )]
        std::process::exit(i32::from(ABORTED));
    });
    Ok(token)
}

async fn wait(terminate: &mut tokio::signal::unix::Signal, interrupt: &mut tokio::signal::unix::Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
