//! Requests at fixed moments, whatever the server does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::mpsc};

use super::{Outcome, PATIENCE, Samples};

/// Sends `rate` requests per second for `duration`, and waits for all of them. `send` gets the number of the
/// request, from zero.
///
/// A thread of its own keeps the moments, because timers of the runtime are exact only to a millisecond,
/// which is more than the answers take.
pub(crate) async fn open<F, Fut>(rate: u32, duration: Duration, send: F) -> Samples
where
    F: Fn(u64) -> Fut + Send + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let (reports, mut reported) = mpsc::unbounded_channel();
    let wanted = Arc::new(AtomicBool::new(true));
    let _stop = StopWhenDropped(wanted.clone());
    let runtime = Handle::current();
    std::thread::spawn(move || {
        let start = Instant::now();
        for number in 0..count(rate, duration) {
            let due = start + moment(rate, number);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if !wanted.load(Ordering::Relaxed) {
                return;
            }
            let (request, reports) = (send(number), reports.clone());
            runtime.spawn(async move {
                let outcome = tokio::time::timeout(PATIENCE, request).await;
                // The channel is closed when the load was stopped.
                let _ = reports.send((due.elapsed(), outcome.unwrap_or(Outcome::Late)));
            });
        }
    });
    let mut samples = Samples::default();
    samples.elapsed = duration;
    while let Some((latency, outcome)) = reported.recv().await {
        samples.record(latency, outcome);
    }
    samples
}

/// Stops the thread of a load that is dropped.
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// How many requests are due.
pub(super) fn count(rate: u32, duration: Duration) -> u64 {
    u64::try_from(u128::from(rate) * duration.as_millis() / 1000).unwrap_or(u64::MAX)
}

/// Time from the start until a request is due. It is computed from the start each time, so that errors do not
/// add up.
pub(super) fn moment(rate: u32, number: u64) -> Duration {
    let nanos = u128::from(number) * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
