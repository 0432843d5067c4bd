use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::*;
use crate::auth::review::testing::ManualClock;

const TTL: Duration = Duration::from_secs(10);

type Cache = ReviewCache<usize, &'static str>;

fn cache(capacity: usize) -> (Cache, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (ReviewCache::new(capacity, clock.clone()), clock)
}

/// Asks a question that is answered at once, and counts how often a review was needed.
async fn ask(cache: &Cache, question: usize, asked: &AtomicUsize) -> Result<&'static str, StatusError> {
    let answer = |_: &usize| {
        asked.fetch_add(1, Ordering::Relaxed);
        Ok(async { Ok(("yes", TTL)) })
    };
    cache.get(question, answer).await
}

#[tokio::test]
async fn an_answer_counts_for_its_time() {
    let (cache, clock) = cache(10);
    let asked = AtomicUsize::new(0);
    for (now, times) in [(0, 1), (9, 1), (10, 2), (19, 2)] {
        clock.set(now);
        assert_eq!(ask(&cache, 1, &asked).await, Ok("yes"));
        assert_eq!(asked.load(Ordering::Relaxed), times, "at {now}s");
    }
}

#[tokio::test]
async fn a_full_cache_forgets_the_oldest_answers() {
    let (cache, clock) = cache(3);
    let asked = AtomicUsize::new(0);
    for question in [0, 1, 2] {
        ask(&cache, question, &asked).await.unwrap();
    }
    // The first question is reviewed again, so that the second one is the oldest in the end.
    clock.set(10);
    for question in [0, 3] {
        ask(&cache, question, &asked).await.unwrap();
    }
    clock.set(0);
    let kept = |question: usize| cache.answers.lock().kept(&question, Duration::ZERO).is_some();
    assert_eq!([0, 1, 2, 3].map(kept), [true, false, true, true]);
    assert!(cache.answers.lock().order.len() <= 3);
}

#[tokio::test]
async fn a_failure_reaches_all_that_wait_and_is_not_kept() {
    let (cache, _clock) = cache(10);
    let (fail, failed) = oneshot::channel::<()>();
    let failing = |_: &usize| {
        Ok(async {
            let _ = failed.await;
            Err(StatusError::unavailable("down"))
        })
    };
    let asked = AtomicUsize::new(0);
    let first = cache.get(1, failing);
    let second = ask(&cache, 1, &asked);
    let end = async { fail.send(()) };
    let (first, second, _) = tokio::join!(first, second, end);
    assert_eq!(first.map_err(|error| error.code()), Err(503));
    assert_eq!(second.map_err(|error| error.code()), Err(503));
    assert_eq!(
        asked.load(Ordering::Relaxed),
        0,
        "the second waited for the first"
    );
    assert_eq!(ask(&cache, 1, &asked).await, Ok("yes"));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn who_gives_up_does_not_take_the_answer_from_those_that_still_wait() {
    let (cache, _clock) = cache(10);
    let (answer, answered) = oneshot::channel::<()>();
    let waiting = |_: &usize| {
        Ok(async {
            let _ = answered.await;
            Ok(("late", TTL))
        })
    };
    let mut first = Box::pin(cache.get(1, waiting));
    assert!(futures::poll!(first.as_mut()).is_pending());
    let asked = AtomicUsize::new(0);
    let mut second = Box::pin(ask(&cache, 1, &asked));
    assert!(futures::poll!(second.as_mut()).is_pending());
    drop(first);
    answer.send(()).unwrap();
    assert_eq!(second.await, Ok("late"));
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_is_given_up() {
    let (cache, _clock) = cache(10);
    let (answer, answered) = oneshot::channel::<()>();
    let waiting = |_: &usize| {
        Ok(async {
            let _ = answered.await;
            Ok(("never", TTL))
        })
    };
    let mut first = Box::pin(cache.get(1, waiting));
    assert!(futures::poll!(first.as_mut()).is_pending());
    assert_eq!(cache.answers.lock().in_flight.len(), 1);
    drop(first);
    assert!(answer.is_closed(), "what asked is gone");
    assert_eq!(cache.answers.lock().in_flight.len(), 0);
    assert_eq!(ask(&cache, 1, &AtomicUsize::new(0)).await, Ok("yes"));
}

#[tokio::test]
async fn a_question_that_is_refused_leaves_nothing_behind() {
    type Never = std::future::Ready<Result<(&'static str, Duration), StatusError>>;
    let (cache, _clock) = cache(10);
    let refused = cache
        .get(1, |_| -> Result<Never, _> {
            Err(StatusError::too_many_requests("enough"))
        })
        .await;
    assert_eq!(refused.map_err(|error| error.code()), Err(429));
    assert_eq!(cache.answers.lock().in_flight.len(), 0);
}
