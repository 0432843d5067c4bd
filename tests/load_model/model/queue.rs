//! A queue of jobs: first in, first out, drained as fast as the Ready workers allow.
//!
//! A worker does one job at a time, and a job takes a known time of one worker. Jobs of one kind that arrive
//! together form a batch. The age of the oldest job is the age of the first batch, so ages are exact.

use std::{collections::VecDeque, time::Duration};

use super::to_f64;

/// Jobs waiting or being worked on.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    batches: VecDeque<Batch>,
    arrivals: Arrivals,
    /// Fraction of the next job that has arrived, between 0 and 1.
    arriving: f64,
}

/// A steady stream of arriving jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Arrivals {
    /// Jobs per second.
    pub jobs_per_second: f64,
    /// Worker time that each job takes.
    pub service: Duration,
}

#[derive(Debug)]
struct Batch {
    jobs: u64,
    service: Duration,
    enqueued: Duration,
    /// Worker time already spent on the batch's first job.
    done: Duration,
}

impl Queue {
    /// Adds jobs that each take `service` of one worker.
    pub(crate) fn enqueue(&mut self, jobs: u64, service: Duration, now: Duration) {
        if jobs > 0 {
            self.batches.push_back(Batch {
                jobs,
                service,
                enqueued: now,
                done: Duration::ZERO,
            });
        }
    }

    /// Sets the stream of new jobs.
    pub(crate) fn set_arrivals(&mut self, arrivals: Arrivals) {
        self.arrivals = arrivals;
    }

    /// Removes all jobs.
    pub(crate) fn clear(&mut self) {
        self.batches.clear();
    }

    /// Jobs not yet finished.
    pub(crate) fn depth(&self) -> u64 {
        self.batches.iter().map(|batch| batch.jobs).sum()
    }

    /// Age of the oldest job; zero for an empty queue.
    pub(crate) fn oldest_age(&self, now: Duration) -> Duration {
        self.batches
            .front()
            .map_or(Duration::ZERO, |batch| now.saturating_sub(batch.enqueued))
    }

    pub(super) fn advance(&mut self, now: Duration, elapsed: Duration, workers: usize) {
        let workers = u64::try_from(workers).unwrap_or(u64::MAX);
        // A job is not split, so workers beyond the number of jobs are idle.
        let busy = to_f64(workers.min(self.depth()));
        self.drain(elapsed.mul_f64(busy));
        self.arrive(now, elapsed);
    }

    fn drain(&mut self, mut worker_time: Duration) {
        while let Some(batch) = self.batches.front_mut() {
            let left = batch.service.saturating_sub(batch.done);
            if worker_time < left {
                batch.done += worker_time;
                return;
            }
            worker_time = worker_time.saturating_sub(left);
            batch.done = Duration::ZERO;
            batch.jobs -= 1;
            if batch.jobs == 0 {
                self.batches.pop_front();
            }
        }
    }

    fn arrive(&mut self, now: Duration, elapsed: Duration) {
        self.arriving += self.arrivals.jobs_per_second * elapsed.as_secs_f64();
        let mut whole = 0;
        while self.arriving >= 1.0 {
            self.arriving -= 1.0;
            whole += 1;
        }
        self.enqueue(whole, self.arrivals.service, now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn twice_the_workers_drain_twice_as_fast() {
        let mut queue = Queue::default();
        queue.enqueue(100, Duration::from_millis(500), Duration::ZERO);
        queue.advance(SECOND, SECOND, 1);
        assert_eq!(queue.depth(), 98);
        queue.advance(2 * SECOND, SECOND, 2);
        assert_eq!(queue.depth(), 94);
    }

    #[test]
    fn without_workers_the_queue_only_gets_older() {
        let mut queue = Queue::default();
        queue.enqueue(3, SECOND, SECOND);
        queue.advance(10 * SECOND, 9 * SECOND, 0);
        assert_eq!(queue.depth(), 3);
        assert_eq!(queue.oldest_age(10 * SECOND), 9 * SECOND);
    }

    #[test]
    fn the_age_is_that_of_the_first_job_still_there() {
        let mut queue = Queue::default();
        queue.enqueue(2, SECOND, Duration::ZERO);
        queue.enqueue(1, SECOND, 2 * SECOND);
        queue.advance(3 * SECOND, SECOND, 1);
        assert_eq!(queue.oldest_age(3 * SECOND), 3 * SECOND);
        queue.advance(4 * SECOND, SECOND, 1);
        assert_eq!((queue.depth(), queue.oldest_age(4 * SECOND)), (1, 2 * SECOND));
        queue.advance(5 * SECOND, SECOND, 1);
        assert_eq!((queue.depth(), queue.oldest_age(5 * SECOND)), (0, Duration::ZERO));
    }

    #[test]
    fn one_slow_job_is_not_split_between_workers() {
        let mut queue = Queue::default();
        queue.enqueue(1, 10 * SECOND, Duration::ZERO);
        queue.advance(9 * SECOND, 9 * SECOND, 8);
        assert_eq!(queue.depth(), 1);
        queue.advance(10 * SECOND, SECOND, 8);
        assert_eq!(queue.depth(), 0);
    }

    #[test]
    fn a_few_slow_jobs_make_the_queue_old_but_not_deep() {
        let mut queue = Queue::default();
        queue.enqueue(20, 30 * SECOND, Duration::ZERO);
        queue.advance(90 * SECOND, 90 * SECOND, 1);
        assert_eq!((queue.depth(), queue.oldest_age(90 * SECOND)), (17, 90 * SECOND));
    }

    #[test]
    fn arrivals_below_the_capacity_do_not_pile_up() {
        let mut queue = Queue::default();
        queue.set_arrivals(Arrivals {
            jobs_per_second: 2.0,
            service: Duration::from_millis(250),
        });
        for second in 1..=60 {
            queue.advance(second * SECOND, SECOND, 1);
        }
        assert_eq!(queue.depth(), 2);
    }

    proptest! {
        #[test]
        fn steps_of_any_length_drain_the_same(jobs in 1_u64..200, workers in 1_usize..4, steps in 1_u32..50) {
            // Enough jobs remain for every worker, so no step leaves a worker idle.
            let mut coarse = Queue::default();
            let mut fine = Queue::default();
            let jobs = jobs + 1000;
            coarse.enqueue(jobs, SECOND, Duration::ZERO);
            fine.enqueue(jobs, SECOND, Duration::ZERO);
            coarse.advance(steps * SECOND, steps * SECOND, workers);
            for step in 1..=steps {
                fine.advance(step * SECOND, SECOND, workers);
            }
            prop_assert_eq!(coarse.depth(), fine.depth());
        }
    }
}
