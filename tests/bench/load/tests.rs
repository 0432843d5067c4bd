use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Outcome, Samples, closed,
    open::{count, moment, open},
};

const MILLI: Duration = Duration::from_millis(1);

/// A server that answers at once, except in one stretch: requests in it are answered at its end.
struct Stalling {
    from: Instant,
    until: Instant,
}

impl Stalling {
    fn after(lead: Duration, stall: Duration) -> Arc<Self> {
        let from = Instant::now() + lead;
        Arc::new(Self {
            from,
            until: from + stall,
        })
    }

    async fn answer(self: Arc<Self>) -> Outcome {
        let now = Instant::now();
        if now >= self.from && now < self.until {
            tokio::time::sleep_until(self.until.into()).await;
        }
        Outcome::Answered
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_loop_counts_the_delay_of_each_request_that_was_due_in_a_stall() {
    let server = Stalling::after(200 * MILLI, 400 * MILLI);
    let samples = open(200, Duration::from_secs(1), move |_| server.clone().answer()).await;
    assert_eq!((samples.sent(), samples.answered()), (200, 200));
    // 80 of 200 requests were due in the stall, evenly: the slowest waited for all of it, and a fifth for at
    // least half.
    assert!(samples.percentile(99.0).unwrap() >= 360.0, "{samples:?}");
    assert!(samples.percentile(82.0).unwrap() >= 180.0, "{samples:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_loop_hides_the_same_stall_which_is_why_there_is_an_open_one() {
    let server = Stalling::after(200 * MILLI, 400 * MILLI);
    let samples = closed(2, Duration::from_secs(1), move |_| {
        let server = server.clone();
        async move {
            tokio::time::sleep(MILLI).await;
            server.answer().await
        }
    })
    .await;
    // Two of hundreds of requests.
    assert!(samples.percentile(90.0).unwrap() < 360.0, "{samples:?}");
    assert!(samples.percentile(100.0).unwrap() >= 360.0, "{samples:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_never_answered_is_counted_as_late() {
    let samples = closed(1, 100 * MILLI, |_| std::future::pending()).await;
    assert_eq!(samples.answered(), 0);
    assert!(samples.failures()["no answer in time"] >= 1, "{samples:?}");
}

#[test]
fn requests_are_due_at_even_moments_that_do_not_drift() {
    assert_eq!(count(667, Duration::from_secs(10)), 6670);
    assert_eq!(moment(50, 0), Duration::ZERO);
    assert_eq!(moment(50, 50), Duration::from_secs(1));
    assert_eq!(moment(667, 667 * 3600), Duration::from_secs(3600));
}

#[test]
fn refusals_count_as_failures_and_have_no_latency_but_what_was_given_up_has() {
    let mut samples = Samples::default();
    samples.record(5 * MILLI, Outcome::Answered);
    samples.record(MILLI, Outcome::Failed("status 429".to_owned()));
    samples.record(5000 * MILLI, Outcome::Late);
    assert_eq!((samples.sent(), samples.answered()), (3, 1));
    assert!((samples.failed_share() - 2.0 / 3.0).abs() < 1e-9);
    assert!(samples.percentile(1.0).unwrap() > 4.9);
    assert!(samples.percentile(100.0).unwrap() > 4900.0);
    assert_eq!(Samples::default().percentile(99.0), None);
}

#[test]
fn stretches_of_one_load_add_up() {
    let mut all = Samples::default();
    for latency in [1, 3] {
        let mut part = Samples::default();
        part.record(latency * MILLI, Outcome::Answered);
        part.elapsed = Duration::from_secs(1);
        all.merge(&part);
    }
    assert_eq!(all.answered(), 2);
    assert!((all.rate() - 1.0).abs() < 1e-9);
}
