//! The reports of all workers as one. A worker without a report is a doubt about the whole.

use crate::{
    merge::{MergeError, merge},
    model::measured::End,
    report::{Report, json::Stored},
};

/// Why there is no report about the whole.
#[derive(Debug, thiserror::Error)]
pub enum NoReport {
    /// No worker reported.
    #[error("INVALID: no worker reported; {0}")]
    None(String),
    /// The reports cannot be added.
    #[error("the reports of the workers cannot be merged: {0}")]
    Merge(#[from] MergeError),
}

/// What a worker left.
pub(super) enum Left {
    /// Its report.
    Report(Box<Stored>),
    /// Its report about a part of its load, and why it did not send the rest.
    Part(Box<Stored>, String),
    /// No report, and why.
    Nothing(String),
}

/// Merges what each worker left.
pub(super) fn merged(workers: impl Iterator<Item = Left>) -> Result<Report, NoReport> {
    let (mut reports, mut words, mut first_lost) = (Vec::new(), Vec::new(), None);
    for (number, left) in workers.enumerate() {
        let (report, lost) = match left {
            Left::Report(report) => (Some(report), None),
            Left::Part(report, why) => (Some(report), Some(("the rest of its part", why))),
            Left::Nothing(why) => (None, Some(("its part", why))),
        };
        if let Some((part, why)) = lost {
            first_lost.get_or_insert(number);
            words.push(format!(
                "worker {number} was lost, and {part} of the load with it: {why}"
            ));
        }
        reports.extend(report.map(|report| (number, *report)));
    }
    let Some(began) = reports.first().map(|(_, report)| report.measured.began) else {
        return Err(NoReport::None(words.join("; ")));
    };
    let mut runs = Vec::new();
    for (number, mut report) in reports {
        // All began at the same moment, whatever the clocks of their nodes said.
        report.measured.began = began;
        for doubt in &mut report.doubts {
            *doubt = format!("worker {number}: {doubt}");
        }
        if let Some(lost) = first_lost
            && report.measured.end == End::Interrupted
        {
            // The others are ended when one is lost, and not because somebody asked for it.
            report.measured.end = End::Aborted(format!("worker {lost} was lost"));
        }
        runs.push(report);
    }
    if let Some(first) = runs.first_mut() {
        first.doubts.splice(0..0, words);
    }
    Ok(merge(runs)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        judge::{Outcome, outcome},
        model::measured::RunId,
        report::{
            Verdict,
            json::{read, render},
            testing::passing,
        },
    };

    fn run(number: u64, later: i64) -> Stored {
        let mut report = passing();
        report.measured.runs = BTreeSet::from([RunId(number)]);
        report.measured.began += jiff::SignedDuration::from_secs(later);
        read(&render(&report).unwrap()).unwrap()
    }

    fn whole(report: Stored) -> Left {
        Left::Report(Box::new(report))
    }

    #[test]
    fn nothing_is_lost_whatever_the_clocks_of_the_nodes_say() {
        let one = run(1, 0);
        let due = one.measured.total.due;
        let seconds = one.measured.seconds.clone();
        // An hour apart: by their clocks these runs would not be of the same time.
        let all = merged([whole(one), whole(run(2, 3600)), whole(run(3, -7))].into_iter()).unwrap();
        assert_eq!(all.measured.total.due, 3 * due);
        assert_eq!(all.measured.seconds.len(), seconds.len());
        assert!(
            all.measured
                .seconds
                .iter()
                .zip(&seconds)
                .all(|(all, one)| all.answered == 3 * one.answered)
        );
        assert_eq!(all.verdict, Verdict::Pass);
    }

    #[test]
    fn a_lost_worker_makes_the_whole_invalid_and_is_named() {
        let mut ended = run(1, 0);
        ended.measured.end = End::Interrupted;
        let lost = || Left::Nothing("its container ended with exit code 137".to_owned());
        let all = merged([whole(ended), lost()].into_iter()).unwrap();
        assert_eq!(outcome(&all, None), Outcome::ProvesNothing);
        assert!(
            all.doubts[0].starts_with("worker 1 was lost") && all.doubts[0].ends_with("exit code 137"),
            "{:?}",
            all.doubts
        );
        let none = merged([lost(), lost()].into_iter()).unwrap_err().to_string();
        assert!(
            none.contains("worker 0 was lost") && none.contains("worker 1 was lost"),
            "{none}"
        );
    }

    #[test]
    fn what_a_lost_worker_sent_counts_and_the_rest_of_its_part_makes_the_whole_invalid() {
        let mut ended = run(1, 0);
        ended.measured.end = End::Interrupted;
        let part = Left::Part(Box::new(ended), "its pod is gone".to_owned());
        let one = run(2, 0);
        let due = one.measured.total.due;
        let all = merged([whole(one), part].into_iter()).unwrap();
        assert_eq!(all.measured.total.due, 2 * due);
        assert_eq!(
            all.doubts[0],
            "worker 1 was lost, and the rest of its part of the load with it: its pod is gone"
        );
        assert_eq!(outcome(&all, None), Outcome::ProvesNothing);
        assert_eq!(all.measured.end, End::Aborted("worker 1 was lost".to_owned()));
    }

    #[test]
    fn a_doubt_has_the_name_of_its_worker() {
        let mut busy = run(2, 0);
        busy.doubts = vec!["it stood still".to_owned()];
        let all = merged([whole(run(1, 0)), whole(busy)].into_iter()).unwrap();
        assert_eq!(all.doubts, ["worker 1: it stood still"]);
        assert_eq!(all.verdict, Verdict::Invalid);
    }
}
