//! What the logs of all workers said so far: who is ready, which seconds are over for all, who has reported, who is lost.
//!
//! Pure: it is told lines and ends of logs. A log may be read again from its beginning, and then nothing counts twice.

use super::{
    outcome::{Left, NoReport, merged},
    worker::{State, Worker},
};
use crate::{merge::beside, model::measured::Second, report::Report};

/// All workers of a load.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    /// The next second that is told of all together.
    next: u32,
}

impl Workers {
    /// Workers of which nothing is known.
    pub(super) fn new(count: u32) -> Self {
        Self {
            workers: (0..count).map(|_| Worker::new()).collect(),
            next: 0,
        }
    }

    fn get(&mut self, worker: u32) -> Option<&mut Worker> {
        self.workers.get_mut(usize::try_from(worker).ok()?)
    }

    /// All are told to end now: who reports from now on that it was interrupted did as it was told.
    pub(super) fn told_to_end(&mut self) {
        self.workers.iter_mut().for_each(Worker::told_to_end);
    }

    /// The log of a worker is read again from its beginning.
    pub(super) fn restarted(&mut self, worker: u32) {
        if let Some(worker) = self.get(worker) {
            worker.restarted();
        }
    }

    /// The next line of a log. Words for people are returned.
    pub(super) fn line(&mut self, worker: u32, line: &str) -> Option<String> {
        let words = self.get(worker)?.line(line)?;
        Some(format!("worker {worker}: {words}"))
    }

    /// Nothing more comes from a worker. Returns whether it is lost: it had not reported all of its part.
    pub(super) fn ended(&mut self, worker: u32, why: &str) -> bool {
        self.get(worker).is_some_and(|worker| worker.ended(why))
    }

    /// The seconds that are over for all workers that still send, together.
    pub(super) fn seconds(&mut self) -> Vec<Second> {
        let mut together = Vec::new();
        while let Some(second) = self.second() {
            together.push(second);
        }
        together
    }

    fn second(&mut self) -> Option<Second> {
        let next = self.next;
        let known = |worker: &Worker| worker.has_second(next) || worker.is_over();
        if !self.workers.iter().all(known) {
            return None;
        }
        let mut all: Option<Second> = None;
        for second in self
            .workers
            .iter_mut()
            .filter_map(|worker| worker.take_second(next))
        {
            match &mut all {
                Some(all) => beside(all, &second),
                None => all = Some(second),
            }
        }
        self.next += 1;
        all
    }

    /// How many are ready, or further.
    pub(super) fn ready(&self) -> usize {
        let starting = |worker: &&Worker| matches!(worker.state(), State::Starting);
        self.workers.len() - self.workers.iter().filter(starting).count()
    }

    /// Whether the worker is not ready yet.
    pub(super) fn is_starting(&self, worker: u32) -> bool {
        let worker = usize::try_from(worker)
            .ok()
            .and_then(|worker| self.workers.get(worker));
        worker.is_some_and(|worker| matches!(worker.state(), State::Starting))
    }

    /// Whether any of them has begun to send.
    pub(super) fn has_begun(&self) -> bool {
        let begun = |worker: &Worker| {
            matches!(
                worker.state(),
                State::Sending | State::Reported(_) | State::Cut(..)
            )
        };
        self.workers.iter().any(begun)
    }

    /// Whether nothing more comes from any of them.
    pub(super) fn is_over(&self) -> bool {
        self.workers.iter().all(Worker::is_over)
    }

    /// Each worker that is lost, with the reason.
    #[cfg(test)]
    fn lost(&self) -> impl Iterator<Item = (usize, &str)> {
        let workers = self.workers.iter().enumerate();
        workers.filter_map(|(number, worker)| match worker.state() {
            State::Lost(why) => Some((number, why.as_str())),
            _ => None,
        })
    }

    /// The reports of all as one, in which each lost worker is named.
    ///
    /// # Errors
    /// When there is no report, or the reports do not belong together.
    pub fn merged(self) -> Result<Report, NoReport> {
        let workers = self.workers.into_iter();
        merged(workers.map(|worker| match worker.into_state() {
            State::Reported(stored) => Left::Report(stored),
            State::Cut(stored, why) => Left::Part(stored, why),
            State::Lost(why) => Left::Nothing(why),
            _ => Left::Nothing("it was not waited for".to_owned()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        distributed::lines,
        model::measured::End,
        report::{json::render, testing::passing},
    };

    fn second(at: u32, answered: u64) -> String {
        lines::second(&Second {
            at,
            answered,
            concurrency: 1,
            ..Second::default()
        })
    }

    fn report() -> Vec<String> {
        lines::report(&render(&passing()).unwrap()).unwrap()
    }

    #[test]
    fn a_second_is_told_when_it_is_over_for_all_and_once() {
        let mut workers = Workers::new(2);
        assert_eq!(workers.line(0, lines::ready()), None);
        assert_eq!((workers.ready(), workers.has_begun()), (1, false));
        assert_eq!(
            workers.line(1, "teardown: late").unwrap(),
            "worker 1: teardown: late"
        );
        workers.line(0, &second(0, 5));
        workers.line(0, &second(1, 6));
        assert!(workers.seconds().is_empty() && workers.has_begun());
        workers.line(1, &second(0, 7));
        let told = workers.seconds();
        assert_eq!((told.len(), told[0].answered, told[0].concurrency), (1, 12, 2));
        // The log is read again.
        workers.restarted(1);
        workers.line(1, &second(0, 7));
        workers.line(1, &second(1, 8));
        let told = workers.seconds();
        assert_eq!((told.len(), told[0].at, told[0].answered), (1, 1, 14));
    }

    #[test]
    fn a_worker_that_is_lost_is_waited_for_no_longer_and_one_that_reported_is_not_lost() {
        let mut workers = Workers::new(2);
        workers.line(0, &second(0, 5));
        assert!(workers.ended(1, "it was killed") && !workers.is_over());
        assert_eq!(workers.seconds().len(), 1);
        for line in report() {
            workers.line(0, &line);
        }
        assert!(workers.is_over() && !workers.ended(0, "its container ended with exit code 0"));
        let lost: Vec<(usize, &str)> = workers.lost().collect();
        assert_eq!(lost, [(1, "it was killed")]);
    }

    #[test]
    fn a_worker_that_reports_too_early_is_lost_unless_all_were_told_to_end() {
        let mut early = passing();
        early.measured.end = End::Interrupted;
        let lines = lines::report(&render(&early).unwrap()).unwrap();
        for told in [false, true] {
            let mut workers = Workers::new(1);
            if told {
                workers.told_to_end();
            }
            for line in &lines {
                workers.line(0, line);
            }
            let why = "its container ended with exit code 3";
            assert!(workers.is_over() && workers.has_begun());
            assert_eq!(workers.ended(0, why), !told);
            let report = workers.merged().unwrap();
            assert_eq!(report.measured.total.due, early.measured.total.due);
            let named = report
                .doubts
                .first()
                .is_some_and(|doubt| doubt.starts_with("worker 0 was lost") && doubt.ends_with(why));
            assert_eq!(named, !told, "{:?}", report.doubts);
        }
    }
}
