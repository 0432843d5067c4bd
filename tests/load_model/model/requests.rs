//! HTTP requests: an offered rate, shared equally by the gateway pods that are Ready, and single ones that they take
//! in turn.
//!
//! A pod gets a counter when it first becomes Ready and keeps it until it is deleted, as a real process
//! would. Requests that no pod can take are lost, and counted.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    time::Duration,
};

use super::{Pods, to_f64};

/// The traffic, and the counters of the pods.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    offered: f64,
    served: BTreeMap<String, f64>,
    lost: f64,
    /// The pod that took the last single request.
    last: String,
}

impl Requests {
    /// Sets the offered rate, in requests per second.
    pub(crate) fn offer(&mut self, requests_per_second: f64) {
        self.offered = requests_per_second;
    }

    /// The offered rate, in requests per second.
    pub(crate) fn offered(&self) -> f64 {
        self.offered
    }

    /// Requests that found no Ready pod.
    pub(crate) fn lost(&self) -> f64 {
        self.lost
    }

    /// The counter of every pod that has one.
    pub(crate) fn served(&self) -> impl Iterator<Item = (&str, f64)> {
        self.served.iter().map(|(pod, count)| (pod.as_str(), *count))
    }

    /// The counter of one pod.
    #[cfg(test)]
    pub(crate) fn served_by(&self, pod: &str) -> Option<f64> {
        self.served.get(pod).copied()
    }

    /// Requests per second of each Ready pod.
    pub(crate) fn per_pod(&self, pods: &Pods) -> Option<f64> {
        let ready = u64::try_from(pods.ready.len()).ok()?;
        (ready > 0).then(|| self.offered / to_f64(ready))
    }

    /// Counts one request for the Ready pod whose turn it is.
    pub(super) fn receive(&mut self, pods: &Pods) {
        let after = pods
            .ready
            .range::<str, _>((Excluded(self.last.as_str()), Unbounded))
            .next();
        let Some(pod) = after.or_else(|| pods.ready.first()) else {
            self.lost += 1.0;
            return;
        };
        self.last.clone_from(pod);
        *self.served.entry(pod.clone()).or_default() += 1.0;
    }

    pub(super) fn advance(&mut self, elapsed: Duration, pods: &Pods) {
        self.served.retain(|pod, _| pods.live.contains(pod));
        let Some(each) = self.per_pod(pods).map(|rate| rate * elapsed.as_secs_f64()) else {
            self.lost += self.offered * elapsed.as_secs_f64();
            return;
        };
        for pod in &pods.ready {
            *self.served.entry(pod.clone()).or_default() += each;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_is_not_ready_takes_nothing_and_has_no_series() {
        let mut requests = Requests::default();
        requests.offer(100.0);
        let mut pods = Pods::all_ready(&["a"]);
        pods.live.insert("starting".to_owned());
        requests.advance(Duration::from_secs(2), &pods);
        assert_eq!(requests.served_by("a"), Some(200.0));
        assert_eq!(requests.served_by("starting"), None);
    }

    #[test]
    fn a_counter_ends_with_its_pod_and_survives_lost_readiness() {
        let mut requests = Requests::default();
        requests.offer(100.0);
        requests.advance(Duration::from_secs(1), &Pods::all_ready(&["a", "b"]));
        let mut pods = Pods::all_ready(&["a"]);
        pods.live.insert("b".to_owned());
        requests.advance(Duration::from_secs(1), &pods);
        assert_eq!(requests.served_by("b"), Some(50.0));
        assert_eq!(requests.served_by("a"), Some(150.0));
        requests.advance(Duration::from_secs(1), &Pods::all_ready(&["a"]));
        assert_eq!(requests.served_by("b"), None);
    }

    #[test]
    fn single_requests_go_to_the_ready_pods_in_turn() {
        let mut requests = Requests::default();
        for _ in 0..7 {
            requests.receive(&Pods::all_ready(&["a", "b", "c"]));
        }
        let served: Vec<_> = requests.served().collect();
        assert_eq!(served, [("a", 3.0), ("b", 2.0), ("c", 2.0)]);
        requests.receive(&Pods::all_ready(&["b", "c"]));
        assert_eq!(requests.served_by("b"), Some(3.0), "its turn after a");
        requests.receive(&Pods::default());
        assert!((requests.lost() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn requests_without_a_ready_pod_are_lost() {
        let mut requests = Requests::default();
        requests.offer(50.0);
        requests.advance(Duration::from_secs(2), &Pods::default());
        assert!((requests.lost() - 100.0).abs() < 1e-9);
        assert_eq!(requests.per_pod(&Pods::default()), None);
    }
}
