//! An answer of the API server that many ask for: one request brings it for all of them.
//!
//! Invariant: however many ask, an answer is read at most once in [`LOOK_AGAIN`], and after failures ever more rarely.
//! A failure never turns an older answer into "there is none".

use std::{sync::Arc, time::Duration};

use crate::read::ReadError;

/// Wait before an answer that somebody found insufficient is read again: what was missing may have been installed since.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Wait after the first failure. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The last answer, and when the next one may be read.
#[derive(Debug)]
pub(crate) struct Remembered<T> {
    /// Held during a request, so that all who wait for it share its answer.
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
    /// The last answer if it is `enough`, whatever its age; otherwise one of the last [`LOOK_AGAIN`], for which `read`
    /// is called where there is none. `now` is the monotonic clock.
    ///
    /// # Errors
    /// That of the last read, where the last answer is not enough and the next read has to wait.
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
        // Whoever held the lock may have read it meanwhile.
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
                    next: Some(now().saturating_add(LOOK_AGAIN)),
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
