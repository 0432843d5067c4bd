//! The time to Ready that a report of `vas test` has measured, as quantiles.

use vas_core::replay::TimeToReady;
use vas_loadtest::report::{
    Workload,
    json::{self, ReadError},
};

/// Fewest pods whose times say something about the next one.
const FEWEST: usize = 3;
/// Shares of the pods whose times are kept.
const SHARES: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0];

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// How long pods take.
    pub time: TimeToReady,
    /// Pods that became Ready during the run.
    pub pods: usize,
    /// Pods that were created and did not become Ready before the run ended. Their times are not known, and longer than
    /// most.
    pub unready: usize,
}

/// Why a report has no time to Ready.
#[derive(Debug, thiserror::Error)]
pub enum ReadyError {
    /// It is no report.
    #[error(transparent)]
    Report(#[from] ReadError),
    /// Too few pods became Ready.
    #[error(
        "at least {FEWEST} pods must have been created and become Ready during the run, and there are {0}: take the report of a vas test autoscaling in which the workload scaled up"
    )]
    Few(usize),
    /// A pod took longer than a replay allows.
    #[error("a pod took more than a day to become Ready")]
    Long,
}

/// Reads the times of all pods that a JSON report of `vas test autoscaling` has seen.
///
/// # Errors
/// When the text is no such report, or too few pods became Ready.
pub fn read(text: &str) -> Result<Measured, ReadyError> {
    measured(&json::read(text)?.workloads)
}

fn measured(workloads: &[Workload]) -> Result<Measured, ReadyError> {
    let all: Vec<Option<f64>> = workloads
        .iter()
        .flat_map(|workload| workload.scaling.times_to_ready())
        .collect();
    let mut times: Vec<f64> = all.iter().flatten().copied().collect();
    if times.len() < FEWEST {
        return Err(ReadyError::Few(times.len()));
    }
    times.sort_by(f64::total_cmp);
    let quantiles = SHARES
        .iter()
        .filter_map(|share| Some((*share, *times.get(rank(*share, times.len()))?)));
    Ok(Measured {
        time: TimeToReady::quantiles(quantiles.collect()).ok_or(ReadyError::Long)?,
        pods: times.len(),
        unready: all.len() - times.len(),
    })
}

/// Position of the nearest rank: of three values, the median is the second one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a number of pods"
)]
fn rank(share: f64, length: usize) -> usize {
    ((share * length as f64).ceil() as usize).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use vas_loadtest::model::scaling::{Event, EventKind, Scaling};

    use super::*;

    fn workload(pods: &[(f64, Option<f64>)]) -> Workload {
        let event = |at, kind, pod: usize| Event {
            at,
            kind,
            object: format!("web-{pod}"),
            words: String::new(),
        };
        let events = pods.iter().enumerate().flat_map(|(pod, (created, ready))| {
            let ready = ready.map(|at| event(at, EventKind::PodReady, pod));
            [Some(event(*created, EventKind::PodCreated, pod)), ready]
        });
        Workload {
            scaling: Scaling {
                events: events.flatten().collect(),
                ..Scaling::default()
            },
            ..Workload::default()
        }
    }

    #[test]
    fn the_times_of_pods_are_quantiles_and_who_never_was_ready_is_counted() {
        let one = workload(&[(0.0, Some(20.0)), (10.0, Some(22.0)), (10.0, None)]);
        let other = workload(&[(100.0, Some(190.0)), (100.0, Some(130.0))]);
        let found = measured(&[one, other]).unwrap();
        assert_eq!((found.pods, found.unready), (4, 1));
        let quantiles = [
            12.0, 12.0, 20.0, 20.0, 20.0, 30.0, 30.0, 90.0, 90.0, 90.0, 90.0, 90.0,
        ];
        let expected = TimeToReady::quantiles(SHARES.into_iter().zip(quantiles).collect());
        assert_eq!(Some(found.time), expected);
    }

    #[test]
    fn two_pods_and_what_is_no_report_are_refused() {
        let few = workload(&[(0.0, Some(20.0)), (0.0, Some(20.0)), (0.0, None)]);
        let words = measured(&[few]).unwrap_err().to_string();
        assert!(words.contains("and there are 2"), "{words}");
        let late = workload(&[(0.0, Some(90_000.0)); 3]);
        assert!(matches!(measured(&[late]), Err(ReadyError::Long)));
        assert!(matches!(read("{}"), Err(ReadyError::Report(_))));
    }
}
