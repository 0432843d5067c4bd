//! Time of each step, from the rise of the load until the metric is back at its target.

use crate::{
    oracle::{Moment, Sync, Track},
    record::{Record, Scale, Values},
    workload::Workload,
};

/// Moments of the steps, in seconds after the load rose; `None` did not happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    /// Prometheus holds a value above the target.
    pub in_prometheus: Option<Moment>,
    /// custom.metrics.k8s.io answers with a value above the target.
    pub served: Option<Moment>,
    /// The HPA controller wrote a larger count.
    pub rescaled: Option<Moment>,
    /// A further pod exists.
    pub created: Option<Moment>,
    /// A further pod is Ready.
    pub ready: Option<Moment>,
    /// The value is no longer above the target.
    pub relieved: Option<Moment>,
}

/// The change of load that starts a chain.
#[derive(Clone, Copy)]
pub(crate) struct Cause {
    /// The workload whose replicas follow.
    pub workload: Workload,
    /// Moment at which the load changed.
    pub at: Moment,
    /// The metric as a multiple of its target, for the current replicas. The HPA acts above 1.1.
    pub ratio: fn(&Values, Scale) -> Option<f64>,
}

/// Ratio above which the HPA acts: 1 plus its tolerance of 0.1.
const ACTS: f64 = 1.1;

impl Chain {
    /// The steps that follow a cause.
    pub(crate) fn of(record: &Record, syncs: &[Sync], cause: Cause) -> Self {
        let Some(seen) = record.workloads.get(&cause.workload) else {
            return Self::default();
        };
        let scale_at = |at| seen.scale.at(at).copied().unwrap_or_default();
        let first = |track: &Track<Values>, from: Moment, above: bool| {
            track
                .points()
                .filter(|(at, _)| *at >= from)
                .find(|(at, values)| {
                    (cause.ratio)(values, scale_at(*at)).is_some_and(|ratio| (ratio > ACTS) == above)
                })
                .map(|(at, _)| at)
        };
        let in_prometheus = first(&record.prometheus, cause.at, true);
        let from = in_prometheus.unwrap_or(cause.at);
        let served = first(&record.served, cause.at, true);
        let before = scale_at(from);
        let rescaled = syncs
            .iter()
            .find(|sync| sync.at >= from && sync.wrote.is_some_and(|count| count > before.spec))
            .map(|sync| sync.at);
        let grown = |count: fn(Scale) -> i32| {
            let from = rescaled?;
            let before = count(scale_at(from));
            let mut points = seen.scale.points();
            points
                .find(|(at, scale)| *at >= from && count(**scale) > before)
                .map(|(at, _)| at)
        };
        let ready = grown(|scale| scale.ready);
        let relieved = ready.and_then(|ready| first(&record.prometheus, ready, false));
        let after = |moment: Option<Moment>| moment.map(|moment| moment - cause.at);
        Self {
            in_prometheus: after(in_prometheus),
            served: after(served),
            rescaled: after(rescaled),
            created: after(grown(|scale| scale.status)),
            ready: after(ready),
            relieved: after(relieved),
        }
    }

    /// Names of the steps, in order.
    pub(crate) const STEPS: [&str; 6] = [
        "above its target in Prometheus",
        "served by custom.metrics.k8s.io",
        "HPA controller rescales",
        "first new pod exists",
        "first new pod is Ready",
        "metric back at its target",
    ];

    /// Moments of the steps, in the order of [`Self::STEPS`].
    pub(crate) fn moments(&self) -> [Option<Moment>; 6] {
        [
            self.in_prometheus,
            self.served,
            self.rescaled,
            self.created,
            self.ready,
            self.relieved,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(depth: f64) -> Values {
        Values {
            depth: Some(depth),
            ..Values::default()
        }
    }

    #[test]
    fn each_step_is_found_after_the_one_before() {
        let mut record = Record::default();
        let scale = |spec, status, ready| Scale { spec, status, ready };
        for (at, value) in [(0.0, 0.0), (11.0, 300.0), (40.0, 20.0)] {
            record.prometheus.push(at, values(value));
            record.served.push(at + 3.0, values(value));
        }
        let seen = record.of(Workload::Worker);
        for (at, now) in [
            (0.0, scale(1, 1, 1)),
            (17.0, scale(2, 1, 1)),
            (17.5, scale(2, 2, 1)),
            (33.0, scale(2, 2, 2)),
        ] {
            seen.scale.push(at, now);
        }
        let syncs = [12.0, 17.0].map(|at| Sync {
            at,
            wrote: (at > 15.0).then_some(2),
            judged: true,
        });
        let cause = Cause {
            workload: Workload::Worker,
            at: 10.0,
            ratio: |values, _| Some(values.depth? / 50.0),
        };
        let chain = Chain::of(&record, &syncs, cause);
        assert_eq!(
            chain.moments(),
            [Some(1.0), Some(4.0), Some(7.0), Some(7.5), Some(23.0), Some(30.0)]
        );
    }

    #[test]
    fn what_did_not_happen_has_no_time() {
        let cause = Cause {
            workload: Workload::Gateway,
            at: 0.0,
            ratio: |values, _| values.rate,
        };
        assert_eq!(Chain::of(&Record::default(), &[], cause), Chain::default());
    }
}
