//! Waiting for a condition, with a deadline.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

/// Time between two polls of a condition. The conditions are reads on this machine, so polling is cheap.
const POLL: Duration = Duration::from_millis(200);

/// Polls until `condition` gives `Ok` and returns it; panics at the deadline with what was waited for and
/// the last `Err`, which says what was seen instead.
#[track_caller]
pub fn eventually<T, E, F, Fut>(deadline: Duration, what: &str, condition: F) -> impl Future<Output = T>
where
    E: Display,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let caller = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        match within(deadline, condition).await {
            Ok(value) => value,
            Err(last) => panic!(
                "{caller}: not within {deadline:?}: {what}; last seen: {}",
                shortened(&last)
            ),
        }
    }
}

/// Like [`eventually`], but returns the last `Err` at the deadline instead of panicking.
pub async fn within<T, E, F, Fut>(deadline: Duration, mut condition: F) -> Result<T, E>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let end = Instant::now() + deadline;
    loop {
        match condition().await {
            Ok(value) => return Ok(value),
            Err(last) if Instant::now() >= end => return Err(last),
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// Polls for the whole of `period`, and panics as soon as `condition` gives `Err`. It is for what must not
/// happen.
#[track_caller]
pub fn throughout<E, F, Fut>(period: Duration, what: &str, mut condition: F) -> impl Future<Output = ()>
where
    E: Display,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    let caller = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        let end = Instant::now() + period;
        while Instant::now() < end {
            if let Err(seen) = condition().await {
                panic!(
                    "{caller}: did not hold for {period:?}: {what}; seen: {}",
                    shortened(&seen)
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// What was seen, of which two thousand characters are enough to understand it.
fn shortened(seen: &impl Display) -> String {
    const MOST: usize = 2000;
    let seen = seen.to_string();
    match seen.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} ... ({} characters)", &seen[..end], seen.chars().count()),
        None => seen,
    }
}
