//! An answer of the API server that many callers need: one request serves all of them.
//!
//! Invariant: whatever the number of callers, the answer is read at most once in [`REREAD`]. After failures
//! the time between two reads grows: 1 s, 2 s, 4 s ... 60 s. A failure never replaces an older answer.

use std::{sync::Arc, time::Duration};

use crate::read::ReadError;

/// Shortest time before an answer that was not enough for a caller is read again. A kind that was missing may
/// have been installed meanwhile.
pub(crate) const REREAD: Duration = Duration::from_secs(10);
/// Wait after the first failure. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The last answer, and when the next one may be read.
#[derive(Debug)]
pub(crate) struct Remembered<T> {
    /// Locked during a request, so that all callers that wait for it share its answer.
    reading: tokio::sync::Mutex<()>,
    last: parking_lot::Mutex<Last<T>>,
}

#[derive(Debug)]
struct Last<T> {
    answer: Option<Arc<T>>,
    /// The failure of the last read, if it failed.
    failure: Option<ReadError>,
    failures: u32,
    /// When the next read is allowed, on the monotonic clock; `None` before the first one.
    next: Option<Duration>,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self {
            reading: tokio::sync::Mutex::default(),
            last: parking_lot::Mutex::new(Last {
                answer: None,
                failure: None,
                failures: 0,
                next: None,
            }),
        }
    }
}

impl<T> Remembered<T> {
    /// The last answer if it is `enough`, whatever its age. Otherwise an answer that is at most [`REREAD`]
    /// old; `read` is called if there is none. `now` is the monotonic clock.
    ///
    /// # Errors
    /// The error of the last read, if the last answer is not enough and the next read has to wait.
    pub(crate) async fn get(
        &self,
        now: impl Fn() -> Duration,
        enough: impl Fn(&T) -> bool,
        read: impl AsyncFnOnce() -> Result<T, ReadError>,
    ) -> Result<Arc<T>, ReadError> {
        if let Some(known) = self.known(now(), &enough) {
            return known;
        }
        let _reading = if let Ok(reading) = self.reading.try_lock() {
            reading
        } else {
            // After a failure one caller waits for the next read, and the others do not: a server that hangs
            // would hold all of them up again and again.
            let failure = self.last.lock().failure.clone();
            if let Some(error) = failure {
                return Err(error);
            }
            self.reading.lock().await
        };
        // The caller that held the lock before may have read the answer.
        if let Some(known) = self.known(now(), &enough) {
            return known;
        }
        let mut attempt = Attempt {
            last: &self.last,
            now: &now,
            began: now(),
            is_over: false,
        };
        let read = read().await;
        attempt.is_over = true;
        let mut last = self.last.lock();
        match read {
            Ok(answer) => {
                let answer = Arc::new(answer);
                *last = Last {
                    answer: Some(answer.clone()),
                    failure: None,
                    failures: 0,
                    next: Some(now().saturating_add(REREAD)),
                };
                Ok(answer)
            }
            Err(error) => {
                last.failed(error.clone(), now());
                Err(error)
            }
        }
    }

    /// When the answer may be read again; zero before the first read.
    pub(crate) fn next(&self) -> Duration {
        self.last.lock().next.unwrap_or_default()
    }

    fn known(&self, now: Duration, enough: impl Fn(&T) -> bool) -> Option<Result<Arc<T>, ReadError>> {
        let last = self.last.lock();
        if let Some(answer) = &last.answer
            && enough(answer)
        {
            return Some(Ok(answer.clone()));
        }
        if last.next.is_none_or(|next| now >= next) {
            return None;
        }
        match &last.failure {
            Some(error) => Some(Err(error.clone())),
            None => last.answer.clone().map(Ok),
        }
    }
}

impl<T> Last<T> {
    fn failed(&mut self, error: ReadError, now: Duration) {
        let doublings = self.failures.min(16);
        let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        self.failure = Some(error);
        self.next = Some(now.saturating_add(wait));
    }
}

/// A read under way. One that its caller gives up counts as failed: otherwise each caller of a server that hangs would
/// wait for as long as its own patience lasts.
struct Attempt<'a, T, N: Fn() -> Duration> {
    last: &'a parking_lot::Mutex<Last<T>>,
    now: &'a N,
    began: Duration,
    is_over: bool,
}

impl<T, N: Fn() -> Duration> Drop for Attempt<'_, T, N> {
    fn drop(&mut self) {
        if !self.is_over {
            let now = (self.now)();
            let late = ReadError::Late(now.saturating_sub(self.began));
            self.last.lock().failed(late, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    fn at(second: u64) -> impl Fn() -> Duration {
        move || Duration::from_secs(second)
    }

    #[tokio::test]
    async fn a_read_that_its_caller_gives_up_counts_as_failed() {
        let remembered = Remembered::<u32>::default();
        let given_up = remembered.get(at(0), |_| true, async || pending().await);
        assert!(tokio::time::timeout(AT_ONCE, given_up).await.is_err());
        let next = remembered.get(at(0), |_| true, async || Ok(1)).await;
        assert!(matches!(next, Err(ReadError::Late(_))), "{next:?}");
        assert_eq!(*remembered.get(at(1), |_| true, async || Ok(1)).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn after_a_failure_one_waits_for_the_next_read_and_the_others_do_not() {
        let remembered = Remembered::<u32>::default();
        let read = remembered.get(at(0), |_| true, async || Err(ReadError::Late(AT_ONCE)));
        assert!(read.await.is_err());
        let (started, mut is_started) = tokio::sync::watch::channel(false);
        let waits = remembered.get(
            at(1),
            |_| true,
            async || {
                started.send_replace(true);
                pending().await
            },
        );
        let others = async {
            is_started.wait_for(|is_started| *is_started).await.unwrap();
            remembered.get(at(1), |_| true, async || Ok(1)).await
        };
        tokio::select! {
            biased;
            _ = waits => panic!("a server that hangs answered"),
            other = others => assert!(other.is_err()),
        }
    }
}
