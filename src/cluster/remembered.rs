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
        let _reading = self.reading.lock().await;
        // The caller that held the lock before may have read the answer.
        if let Some(known) = self.known(now(), &enough) {
            return known;
        }
        let read = read().await;
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
                let doublings = last.failures.min(16);
                let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
                last.failures = last.failures.saturating_add(1);
                last.failure = Some(error.clone());
                last.next = Some(now().saturating_add(wait));
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
