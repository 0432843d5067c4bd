//! The load model: offered load in, per-pod series and usage out. Pure: time and pods are arguments.
//!
//! It closes the loop that a fixed metric would leave open: requests are shared by the gateway pods that
//! are Ready, and a queue drains as fast as the Ready worker pods allow, so scaling changes the metrics
//! it was decided on. Requests that really arrive on the service port are counted on top of the offered rate.

mod capacity;
mod line;
mod meter;
mod pods;
mod queue;
mod requests;
mod usage;

use std::time::Duration;

use self::meter::Meter;
pub(crate) use self::{
    capacity::{Capacity, Shape},
    line::{Counts, Line, Refusal},
    pods::Pods,
    queue::{Arrivals, Queue},
    requests::Requests,
    usage::{Usage, of_gateway, of_worker},
};

/// The state of the model.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// The gateway's traffic.
    pub requests: Requests,
    /// The workers' queue.
    pub queue: Queue,
    /// Gateway pods as they were last seen.
    pub gateways: Pods,
    /// Worker pods as they were last seen.
    pub workers: Pods,
    arriving: Meter,
    working: Meter,
    now: Duration,
}

impl Model {
    /// Lets the time since the last call pass with these pods.
    pub(crate) fn advance(&mut self, now: Duration, gateways: Pods, workers: Pods) {
        let elapsed = now.saturating_sub(self.now);
        self.now = self.now.max(now);
        self.requests.advance(elapsed, &gateways);
        self.queue.advance(self.now, elapsed, workers.ready.len());
        self.gateways = gateways;
        self.workers = workers;
    }

    /// Takes the counts of the service port at the moment of the last [`Self::advance`], `elapsed` after the
    /// one before.
    pub(crate) fn observe(&mut self, elapsed: Duration, counts: Counts) {
        self.arriving.advance(elapsed, counts.arrived);
        self.working.advance(elapsed, counts.begun);
    }

    /// Counts a request that really arrived, for the next Ready gateway pod in turn.
    pub(crate) fn receive(&mut self) {
        self.requests.receive(&self.gateways);
    }

    /// Recent rate of real requests, per second.
    pub(crate) fn arriving(&self) -> f64 {
        self.arriving.rate()
    }

    /// Requests per second that keep each Ready gateway pod busy: its share of the offered requests, and of
    /// the real ones that are served. Zero without a Ready pod.
    pub(crate) fn work_per_pod(&self) -> f64 {
        let Some(offered) = self.requests_per_pod() else {
            return 0.0;
        };
        let pods = u64::try_from(self.gateways.ready.len()).unwrap_or(u64::MAX);
        offered + self.working.rate() / to_f64(pods)
    }

    /// Adds jobs that each take `service` of one worker and are enqueued now.
    pub(crate) fn enqueue(&mut self, jobs: u64, service: Duration) {
        self.queue.enqueue(jobs, service, self.now);
    }

    /// Requests per second that each Ready gateway pod gets; `None` while no pod takes any.
    pub(crate) fn requests_per_pod(&self) -> Option<f64> {
        self.requests.per_pod(&self.gateways)
    }

    /// Age of the oldest job in the queue; zero for an empty queue.
    pub(crate) fn oldest_job_age(&self) -> Duration {
        self.queue.oldest_age(self.now)
    }

    /// Share of the Ready workers that have a job.
    pub(crate) fn busy_workers(&self) -> f64 {
        share(self.queue.depth(), self.workers.ready.len())
    }
}

fn share(jobs: u64, workers: usize) -> f64 {
    let workers = u64::try_from(workers).unwrap_or(u64::MAX);
    if workers == 0 {
        return 0.0;
    }
    to_f64(jobs.min(workers)) / to_f64(workers)
}

/// Counts of jobs and pods stay far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(ready: &[&str]) -> Pods {
        Pods::all_ready(ready)
    }

    #[test]
    fn scaling_up_lowers_the_rate_per_pod() {
        let mut model = Model::default();
        model.requests.offer(600.0);
        model.advance(Duration::from_secs(1), pods(&["a", "b"]), Pods::default());
        assert_eq!(model.requests_per_pod(), Some(300.0));
        model.advance(
            Duration::from_secs(2),
            pods(&["a", "b", "c", "d"]),
            Pods::default(),
        );
        assert_eq!(model.requests_per_pod(), Some(150.0));
    }

    #[test]
    fn time_never_runs_backwards() {
        let mut model = Model::default();
        model.requests.offer(10.0);
        model.advance(Duration::from_secs(5), pods(&["a"]), Pods::default());
        model.advance(Duration::from_secs(3), pods(&["a"]), Pods::default());
        model.advance(Duration::from_secs(6), pods(&["a"]), Pods::default());
        assert_eq!(model.requests.served_by("a"), Some(60.0));
    }

    #[test]
    fn what_is_really_served_costs_cpu_on_top_of_what_is_offered() {
        let mut model = Model::default();
        model.requests.offer(100.0);
        model.advance(Duration::from_secs(1), pods(&["a", "b"]), Pods::default());
        for second in 1..=30 {
            let counts = Counts {
                arrived: 90 * second,
                begun: 60 * second,
                ..Counts::default()
            };
            model.observe(Duration::from_secs(1), counts);
        }
        assert!((model.work_per_pod() - (50.0 + 30.0)).abs() < 0.1);
        assert!((model.arriving() - 90.0).abs() < 0.1);
    }

    #[test]
    fn workers_without_a_job_are_idle() {
        let mut model = Model::default();
        model.queue.enqueue(1, Duration::from_secs(60), Duration::ZERO);
        model.advance(Duration::ZERO, Pods::default(), pods(&["a", "b"]));
        assert!((model.busy_workers() - 0.5).abs() < f64::EPSILON);
    }
}
