//! The guardian: a process of its own that gives back what a test changed when the test is gone, however it ended.
//!
//! It reads a pipe that only the test holds open. The kernel closes it when the test ends, also by SIGKILL. Only the
//! end of the whole machine or container takes both; then nobody renews the hold, scaling goes on by itself, and
//! `vas test restore` removes the annotation that is left.

use std::{
    ffi::OsString,
    io,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::loadtest::{
    capacity::hold::Given,
    cluster::{error::ClusterError, resource::Resource},
};

/// Longest time to try to give back: an API server may be away.
const PATIENCE: Duration = Duration::from_mins(10);
/// Pause after a failed attempt.
const PAUSE: Duration = Duration::from_secs(2);

/// A running guardian. Dropped, it does its work.
#[derive(Debug)]
pub struct Guardian {
    child: Child,
}

impl Guardian {
    /// Starts this program again as a guardian, with these arguments. It has a process group of its own: Ctrl-C on the
    /// terminal is for the test.
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

    /// Ends it: with nothing to give back, it does nothing.
    pub fn dismiss(mut self) {
        drop(self.child.stdin.take());
        // It ends by itself; how does not matter.
        let _ = self.child.wait();
    }
}

/// The guardian's work: waits until the test is gone, then gives back what it has not.
///
/// # Errors
/// When it cannot be given back for a long time.
pub async fn guard(resource: &Resource, holder: &str) -> Result<Option<Given>, ClusterError> {
    // Who stops a whole service or container stops the test too; what it changed has to be put back all the same.
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
    // A pipe that cannot be read is one that nobody holds.
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
