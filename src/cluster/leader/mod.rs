//! Leader election by Lease: the I/O around [`crate::leader::tenure`], and the fence that writes
//! pass.
//!
//! [`elect`] runs in the background and publishes whether this process leads. Writes go through
//! [`Fence::write`]. It reads the monotonic clock when the write starts and before every further step of the
//! write. So a process that was stopped past its lease (SIGSTOP, a frozen cgroup) begins nothing when it goes
//! on. The monotonic clock stands still while a whole (virtual) machine is suspended: the fence does not
//! protect against that.
//!
//! Must not: know what is written.

mod fence;
mod lease_api;
pub mod tenure;

use std::{sync::Arc, time::Duration};

use kube::Client;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use self::tenure::{Attempt, Elector, Record, Tenure, Timing};
use super::clock::Clock;

pub use fence::{Fence, FenceError};
use lease_api::{LeaseApi, LeaseError};

/// Longest wait for the API server to accept the release of the lease.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);

/// Which Lease is used, by which candidate, and with which durations.
#[derive(Clone, Debug)]
pub struct LeaderConfig {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Identity of the candidate, unique per process.
    pub identity: String,
    /// Lease duration, renew deadline and retry period.
    pub timing: Timing,
    /// What happens after the lease is lost.
    pub after_loss: AfterLoss,
}

/// What happens after a loss of the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterLoss {
    /// The election ends; the process is expected to exit, so that a restart starts clean.
    Stop,
    /// Back to standby, for a process that has other work.
    StandBy,
}

/// Whether this process leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderState {
    /// Another process leads, or the leader is not known yet.
    Standby,
    /// This process leads.
    Leading,
    /// This process led, and the election has ended.
    Lost,
}

/// A running election.
#[derive(Debug)]
pub struct Election {
    /// The guard of every write.
    pub fence: Fence,
    /// Whether this process leads; published on every change.
    pub state: watch::Receiver<LeaderState>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Election {
    /// Stops the election and releases the lease, so that the next leader need not wait until it expires.
    /// Must be called after the last write has ended.
    pub async fn release(self) {
        self.stop.cancel();
        // If the task panicked there is nothing to release; the lease expires by itself.
        let _ = self.task.await;
    }
}

/// Starts electing in the background.
pub fn elect(client: Client, config: LeaderConfig, clock: Arc<dyn Clock>) -> Election {
    let (tenure, tenure_seen) = watch::channel(None);
    let (state, state_seen) = watch::channel(LeaderState::Standby);
    let fence = Fence::of(tenure_seen, clock.clone());
    let stop = CancellationToken::new();
    let candidate = Candidate {
        lease: LeaseApi::new(client, &config.namespace, &config.name),
        elector: Elector::new(config.identity.clone(), config.timing),
        fence: fence.clone(),
        held: None,
        config,
        clock,
        tenure,
        state,
    };
    Election {
        fence,
        state: state_seen,
        task: tokio::spawn(candidate.run(stop.clone())),
        stop,
    }
}

/// The state of the background task.
struct Candidate {
    lease: LeaseApi,
    elector: Elector,
    fence: Fence,
    /// The record this process last wrote; `None` while it does not hold the lease.
    held: Option<Record>,
    config: LeaderConfig,
    clock: Arc<dyn Clock>,
    tenure: watch::Sender<Option<Tenure>>,
    state: watch::Sender<LeaderState>,
}

impl Candidate {
    async fn run(mut self, stop: CancellationToken) {
        let timing = self.config.timing;
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.release().await,
                result = self.attempt() => match result {
                    Ok(()) => {}
                    Err(error) => tracing::warn!(lease = %self.lease, %error, "leader election attempt failed"),
                },
            }
            if self.lapsed() && self.lose() == AfterLoss::Stop {
                return;
            }
            // Candidates that started together spread out by up to 20 %; the holder keeps to
            // its period.
            let jitter = if self.held.is_some() {
                1.0
            } else {
                1.0 + 0.2 * crate::random::fraction()
            };
            tokio::select! {
                () = stop.cancelled() => return self.release().await,
                () = tokio::time::sleep(timing.retry_period().mul_f64(jitter)) => {}
            }
            if self.lapsed() && self.lose() == AfterLoss::Stop {
                return;
            }
        }
    }

    /// One round of the election: reads the Lease, decides, writes.
    async fn attempt(&mut self) -> Result<(), LeaseError> {
        let limit = self.config.timing.attempt_limit();
        match tokio::time::timeout(limit, self.read_and_write()).await {
            Ok(result) => result,
            Err(_) => Err(LeaseError::Timeout(limit)),
        }
    }

    async fn read_and_write(&mut self) -> Result<(), LeaseError> {
        let found = self.lease.read().await?;
        let record = found.as_ref().map(lease_api::record);
        let attempt = self
            .elector
            .attempt(record, self.clock.monotonic(), self.clock.now());
        // The tenure counts from before the request is sent. The write may reach the server any time after
        // that.
        let sent = self.clock.monotonic();
        let written = match (attempt, found) {
            (Attempt::Wait { holder }, _) => {
                tracing::debug!(lease = %self.lease, holder, "standing by");
                return Ok(());
            }
            (Attempt::Create(record), _) => {
                self.fenced_while_held(self.lease.create(&record)).await?;
                record
            }
            (Attempt::Replace(record), Some(lease)) => {
                self.fenced_while_held(self.lease.replace(lease, &record)).await?;
                record
            }
            (Attempt::Replace(_), None) => return Ok(()),
        };
        self.win(written, sent);
        Ok(())
    }

    /// A renewal passes the fence like any other write of the leader, so that none is sent after the tenure
    /// has ended.
    async fn fenced_while_held(
        &self,
        write: impl Future<Output = Result<(), LeaseError>>,
    ) -> Result<(), LeaseError> {
        if self.held.is_some() {
            self.fence.write(write).await.map_err(LeaseError::Fenced)?
        } else {
            write.await
        }
    }

    fn win(&mut self, record: Record, sent: Duration) {
        self.held = Some(record);
        self.tenure
            .send_replace(Some(Tenure::new(sent, &self.config.timing)));
        if self.state.send_replace(LeaderState::Leading) != LeaderState::Leading {
            tracing::info!(lease = %self.lease, identity = self.config.identity, "leading");
        }
    }

    fn lapsed(&self) -> bool {
        let now = self.clock.monotonic();
        self.tenure.borrow().is_some_and(|tenure| !tenure.may_start(now))
    }

    fn lose(&mut self) -> AfterLoss {
        self.held = None;
        self.tenure.send_replace(None);
        let after = self.config.after_loss;
        self.state.send_replace(match after {
            AfterLoss::Stop => LeaderState::Lost,
            AfterLoss::StandBy => LeaderState::Standby,
        });
        tracing::error!(lease = %self.lease, "lost the lease: not renewed within the renew deadline");
        after
    }

    /// Releases the lease, if it is held. A failure is only logged: the lease then expires by itself.
    async fn release(mut self) {
        let Some(held) = self.held.take() else { return };
        let released = self.elector.released(&held, self.clock.now());
        // Only a lease that still names this process is released: another leader may hold it by now.
        let write = async {
            match self.lease.read().await? {
                Some(lease) if lease_api::record(&lease).holder == held.holder => {
                    self.lease.replace(lease, &released).await
                }
                Some(_) | None => Ok(()),
            }
        };
        match tokio::time::timeout(RELEASE_TIMEOUT, self.fence.write(write)).await {
            Ok(Ok(Ok(()))) => tracing::info!(lease = %self.lease, "released the lease"),
            Ok(Ok(Err(error))) => tracing::warn!(lease = %self.lease, %error, "could not release the lease"),
            Ok(Err(error)) => tracing::warn!(lease = %self.lease, %error, "could not release the lease"),
            Err(_) => tracing::warn!(lease = %self.lease, "could not release the lease in time"),
        }
        self.tenure.send_replace(None);
        self.state.send_replace(LeaderState::Standby);
    }
}
