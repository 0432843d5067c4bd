//! Signals to cancellation: SIGTERM or SIGINT asks for a graceful stop, a second one ends the process.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal, as a shell reports SIGINT.
const ABORTED: u8 = 130;

/// Installs the handlers and returns the token that the first signal cancels.
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
