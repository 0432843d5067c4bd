//! The fence: no write starts unless this process leads, and no answer is awaited beyond the end of the
//! tenure.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use tokio::sync::watch;

use super::tenure::Tenure;
use crate::clock::Clock;

/// Why a write was not sent, or was abandoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FenceError {
    /// The write did not start: this process does not hold the lease, or its renew deadline has passed.
    #[error("not written: this process is not the leader")]
    NotLeading,
    /// The write started in time, but no answer came before another process could take the lease. Whether the
    /// server has done the write is unknown.
    #[error("abandoned: the lease ran out before the API server answered")]
    RanOut,
}

/// The guard of every write to the cluster. Cheap to clone.
#[derive(Clone)]
pub struct Fence(Kind);

#[derive(Clone)]
enum Kind {
    Open,
    Leased {
        tenure: watch::Receiver<Option<Tenure>>,
        clock: Arc<dyn Clock>,
    },
}

impl Fence {
    /// A fence that lets every write pass: for a process that runs without leader election.
    pub fn open() -> Self {
        Self(Kind::Open)
    }

    /// A fence that follows a tenure as the election publishes it.
    pub fn of(tenure: watch::Receiver<Option<Tenure>>, clock: Arc<dyn Clock>) -> Self {
        Self(Kind::Leased { tenure, clock })
    }

    /// Runs one write request.
    ///
    /// Reads the clock before the request starts and again each time this future is polled. So once the
    /// tenure is over no connection is opened, no retry is made and no answer is awaited. The HTTP client's
    /// own connection task does the sending: a request that it received in time may still leave a moment
    /// later, and cannot be recalled.
    ///
    /// # Errors
    /// See [`FenceError`].
    pub async fn write<T>(&self, request: impl Future<Output = T>) -> Result<T, FenceError> {
        let (tenure, clock) = match &self.0 {
            Kind::Open => return Ok(request.await),
            Kind::Leased { tenure, clock } => (*tenure.borrow(), clock),
        };
        let now = clock.monotonic();
        let Some(tenure) = tenure.filter(|tenure| tenure.may_start(now)) else {
            return Err(FenceError::NotLeading);
        };
        let mut end = pin!(tokio::time::sleep(tenure.end_by().saturating_sub(now)));
        let mut request = pin!(request);
        poll_fn(|context| {
            if clock.monotonic() >= tenure.end_by() || end.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(FenceError::RanOut));
            }
            // The clock comes first: after a stop of the process the timer may not have fired yet.
            request.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

impl std::fmt::Debug for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Open => f.write_str("Fence(open)"),
            Kind::Leased { tenure, .. } => f.debug_tuple("Fence").field(&*tenure.borrow()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, AtomicUsize, Ordering},
        time::Duration,
    };

    use jiff::Timestamp;

    use super::*;
    use crate::leader::tenure::Timing;

    #[derive(Default)]
    struct ManualClock(AtomicU64);

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::SeqCst))
        }
    }

    fn leased() -> (Arc<ManualClock>, Fence) {
        let second = Duration::from_secs(1);
        let timing = Timing::new(15 * second, 10 * second, 2 * second).unwrap();
        let (_, tenure) = watch::channel(Some(Tenure::new(Duration::ZERO, &timing)));
        let clock = Arc::new(ManualClock::default());
        (clock.clone(), Fence::of(tenure, clock))
    }

    #[tokio::test]
    async fn nothing_starts_after_the_renew_deadline() {
        let (clock, fence) = leased();
        assert_eq!(fence.write(async { 1 }).await, Ok(1));
        clock.0.store(10, Ordering::SeqCst);
        assert_eq!(fence.write(async { 1 }).await, Err(FenceError::NotLeading));
    }

    #[tokio::test]
    async fn nothing_starts_on_standby() {
        let (_, tenure) = watch::channel(None);
        let fence = Fence::of(tenure, Arc::new(ManualClock::default()));
        assert_eq!(fence.write(async { 1 }).await, Err(FenceError::NotLeading));
    }

    #[tokio::test]
    async fn a_write_that_was_stopped_past_the_lease_makes_no_further_step() {
        let (clock, fence) = leased();
        let steps = AtomicUsize::new(0);
        let request = poll_fn(|context| {
            if steps.fetch_add(1, Ordering::SeqCst) == 0 {
                // The process is stopped here for longer than the lease, and then goes on.
                clock.0.store(20, Ordering::SeqCst);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        });
        assert_eq!(fence.write(request).await, Err(FenceError::RanOut));
        assert_eq!(steps.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_write_ends_before_the_lease_does() {
        let (_clock, fence) = leased();
        let before = tokio::time::Instant::now();
        assert_eq!(
            fence.write(std::future::pending::<()>()).await,
            Err(FenceError::RanOut)
        );
        assert!(before.elapsed() < Duration::from_secs(15));
    }

    #[tokio::test]
    async fn without_election_every_write_passes() {
        assert_eq!(Fence::open().write(async { 1 }).await, Ok(1));
    }
}
