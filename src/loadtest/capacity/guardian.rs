//! The guardian: a separate process that gives back what a test changed, however the test ended.
//!
//! It reads a pipe whose other end only the test holds open. The kernel closes the pipe when the test ends,
//! even by SIGKILL. If the whole machine or container ends, the guardian ends too. Then nobody renews the
//! hold, scaling goes on by itself, and `vas test restore` removes the annotation that is left.

use std::{
    ffi::OsString,
    io,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::hold::Given;
use crate::cluster::{error::ClusterError, resource::Resource};

/// How long the guardian tries to give back while the API server does not answer.
const PATIENCE: Duration = Duration::from_mins(10);
/// Pause after a failed attempt.
const PAUSE: Duration = Duration::from_secs(2);

/// A running guardian. When this is dropped, the guardian gives back.
#[derive(Debug)]
pub struct Guardian {
    child: Child,
}

impl Guardian {
    /// Starts this program again as a guardian, with these arguments. The guardian has a process group of its
    /// own, so that Ctrl-C on the terminal reaches only the test.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(arguments: &[OsString]) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(Self {
            child: command.spawn()?,
        })
    }

    /// Ends the guardian after the test has given back by itself. The guardian finds nothing left to do.
    pub fn dismiss(mut self) {
        drop(self.child.stdin.take());
        // It ends by itself; its exit status does not matter.
        let _ = self.child.wait();
    }
}

/// The work of the guardian process: waits until the test has ended, then gives back what the test has not.
///
/// # Errors
/// When giving back fails for ten minutes.
pub async fn guard(resource: &Resource, holder: &str) -> Result<Option<Given>, ClusterError> {
    // A supervisor that stops a whole service or container signals the guardian too. It must outlive these
    // signals to give back.
    #[cfg(unix)]
    let _heard_and_ignored = {
        use tokio::signal::unix::{SignalKind, signal};
        [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
        ]
        .map(|kind| signal(kind).ok())
    };
    let ended = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin().lock(), &mut io::sink()));
    // If the pipe cannot be read, the test is gone as well.
    let _ = ended.await;
    let mut left = PATIENCE;
    loop {
        match resource.give_back(Some(holder)).await {
            Ok(given) => return Ok(given),
            Err(error) if left.is_zero() => return Err(error),
            Err(_) => {
                tokio::time::sleep(PAUSE).await;
                left = left.saturating_sub(PAUSE);
            }
        }
    }
}
