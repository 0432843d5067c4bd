//! Which part of a rate's window has samples, and what the rate is over that part.
//!
//! Prometheus divides the increase it has seen by the whole window, whatever part of the window has samples.
//! `rate` takes the samples in the window and extends their increase towards each end of the window: up to
//! the end where the end is closer than 1.1 times the average distance between samples, else by half that
//! distance. Then it divides by the length of the window. Samples that are missing in the middle of the
//! window do no harm. Samples that are missing at one end make the rate too low. That happens in three cases:
//! the window begins in a gap, the target is away now, or the pod is younger than the window.
//!
//! So the rate is corrected to `rate x window / covered`, where `covered` is the stretch that Prometheus
//! extended the increase to. Where `covered` is less than half of the window, or is not known well enough,
//! the number is missing.
//!
//! An example: a pod is scraped every 5 s, it serves 100 requests per second, and the window is 60 s. Scrapes
//! fail from 12:00:00 on, and the next sample is of 12:00:45. Below, `=` is covered by samples, `<--` is what
//! Prometheus adds, and `.` is not covered.
//!
//! ```text
//!                     12:00:00                 12:00:25            12:00:45                         12:01:25
//!   scrapes |    |                                                 |    |    |    |    |    |    |    |    |
//!   window                                     [................<--========================================]
//! ```
//!
//! - The window at 12:01:25 begins at 12:00:25, within the gap. Its samples cover 40 s. Its start is further
//!   from the first sample than 5.5 s, so Prometheus adds half of 5 s and says 100 x 42.5 / 60 = 70.8. The
//!   gap is known, so the number is corrected to 70.8 x 60 / 42.5 = 100.
//! - The window at 12:01:05 has only 22.5 s covered. That is less than half of 60 s, so the number is
//!   missing.
//!
//! The source of this knowledge is, for each pod, the time of its newest sample at each poll. Two polls show
//! a gap when the newest sample became older than samples are apart ([`Trail`]). The time before the first
//! poll, and the time while polls failed, is requested once from Prometheus ([`History`]). It is requested
//! again when samples stop arriving at their usual times: then another Prometheus answers, which has gaps of
//! its own. Where Prometheus does not answer that question, the time before is unknown, and the number is
//! missing for one window.
//!
//! Five things are not seen:
//!
//! - a gap that is shorter than the time between two polls, where samples are closer together than polls;
//! - the change to another Prometheus, where samples are closer together than polls;
//! - several gaps in one window that leave no two samples at their usual distance;
//! - a gap of one server of a pair, where each query may go to either of the two;
//! - one of several targets of a pod that is away while the others are there.
//!
//! The memory for each pod is a few hundred bytes, kept for two windows after the pod was last in an answer.

mod covered;
mod trail;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use self::{
    covered::Window,
    trail::{Observation, Trail, recurring},
};
use crate::metrics::promql::{Answer, ByName, History, Point, SampleTime, Uncovered, history_step};

/// Milliseconds: a moment on Prometheus' clock, or the time between two such moments.
type Millis = i64;

/// How long the sample distance from a history is believed, where samples are closer together than polls.
const DISTANCES_HOLD: Duration = Duration::from_mins(10);
/// Shortest time between two requests for the history of a namespace whose samples come at changing times.
const HISTORIES_APART: Duration = Duration::from_secs(15);

/// What is known of the samples behind the rates of one shape, by namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    namespaces: BTreeMap<String, Watched>,
    /// Our monotonic time of the latest clean answer.
    requested: Option<Duration>,
}

/// What is known of the pods of one namespace.
#[derive(Clone, Debug, Default, PartialEq)]
struct Watched {
    pods: BTreeMap<Box<str>, Trail>,
    /// How long samples take to arrive: the age that the newest sample of all pods has at least.
    lag: Option<Millis>,
    /// Smallest distance between samples in the latest history. Polls cannot see it where it is shorter than
    /// the time between polls.
    distance: Option<Millis>,
    /// Our monotonic time when the history was last requested.
    history: Option<Duration>,
    /// Whether Prometheus answered that request.
    has_history: bool,
    /// Our monotonic time of the latest answer that had points of this namespace.
    seen: Duration,
    /// Whether the latest answer said nothing of the namespace, or left its history to a later poll. Then the
    /// next poll does not continue from this one.
    broken: bool,
    /// Whether samples came at unexpected times, so that another Prometheus may be answering, and the history
    /// has not been requested since.
    is_other: bool,
}

impl Coverage {
    /// The needed namespaces whose history must be requested before `answer` is recorded. `broken` says that
    /// the poll before failed.
    pub fn in_doubt(
        &self,
        window: Duration,
        broken: bool,
        answer: &Answer,
        needed: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let in_doubt = |namespace: &String| {
            let points = answer.points.get(namespace)?;
            // A namespace without sample times has nothing to correct. It would not be remembered either, so
            // its history would be requested in every poll.
            points.values().find_map(|point| point.sampled)?;
            let Some(watched) = self.namespaces.get(namespace) else {
                return Some(());
            };
            // A break always asks. The other two reasons can last, so each has a shortest time between
            // requests.
            let since = watched
                .history
                .map(|history| answer.requested.saturating_sub(history));
            let in_doubt = broken
                || watched.broken
                || (since.is_none_or(|since| since >= HISTORIES_APART) && watched.is_unscheduled(points))
                || (since.is_none_or(|since| since >= watched.distances_hold()) && watched.is_coarse(window));
            in_doubt.then_some(())
        };
        let namespaces = needed.iter();
        namespaces
            .filter(|namespace| in_doubt(namespace).is_some())
            .cloned()
            .collect()
    }

    /// Records a clean answer to a shape whose rates have this `window`. Corrects the values of the answer,
    /// and marks those that cannot be corrected as uncovered. `broken` says that the poll before failed.
    pub fn observe(&mut self, window: Duration, broken: bool, answer: &mut Answer) {
        let histories = std::mem::take(&mut answer.histories);
        let (requested, later) = (answer.requested, answer.values_later);
        let since_poll = self
            .requested
            .map(|before| millis(requested.saturating_sub(before)));
        for (namespace, points) in &mut answer.points {
            let Some(now) = points.values().find_map(|point| point.sampled).map(evaluated) else {
                continue;
            };
            let is_new = !self.namespaces.contains_key(namespace);
            let watched = self.namespaces.entry(namespace.clone()).or_default();
            // The moment of the look before this one. A namespace that is new was not looked at then.
            let mut before = since_poll.filter(|_| !is_new).map(|since| now - since);
            let mut broken = broken || watched.broken;
            match histories.get(namespace) {
                None => watched.is_other = watched.is_unscheduled(points),
                Some(history) => {
                    watched.history = Some(requested);
                    watched.is_other = false;
                    watched.has_history = history.is_some();
                    if let Some(history) = history {
                        let (length, step) = (millis(window), millis(history_step(window)));
                        watched.replay(history, now - length, length, step);
                        // The history takes the place of the polls before this one. Prometheus evaluates a
                        // subquery at multiples of its step, so this is the last moment that the history
                        // looked at.
                        before = Some(now - now.rem_euclid(step));
                        broken = false;
                    }
                }
            }
            watched.observe(points, before, now, broken);
            watched.seen = requested;
            watched.judge(
                points,
                Window {
                    length: millis(window),
                    now,
                    later: millis(later),
                },
            );
        }
        for (namespace, watched) in &mut self.namespaces {
            watched.broken = answer.unanswered.contains_key(namespace)
                || answer.owed.contains(namespace)
                || !answer.covers(namespace);
        }
        // After one window without samples no window can reach back to them; the second is a margin.
        let forgotten = |watched: &Watched| watched.seen.saturating_add(window * 2) < requested;
        self.namespaces.retain(|_, watched| !forgotten(watched));
        self.requested = Some(requested);
    }
}

impl Watched {
    /// Replaces the trails of all pods by those that polls at the moments of the history would have seen. The
    /// window begins at `start`.
    fn replay(&mut self, history: &History, start: Millis, window: Millis, step: Millis) {
        let own: BTreeMap<&str, Millis> = history
            .0
            .iter()
            .filter_map(|(pod, points)| Some((&**pod, distance(points, window)?)))
            .collect();
        self.distance = own.values().copied().min();
        let before = std::mem::take(&mut self.pods);
        for (pod, points) in &history.0 {
            let mut points = points.iter().copied();
            let Some((at, newest)) = points.next() else {
                continue;
            };
            // A pod that had a sample at the beginning of the window counts as old: the time before does not
            // matter. Any other pod had none one step before its first moment.
            let absent_at = (at - step > start).then_some(at - step);
            let mut trail = match absent_at {
                None => Trail::old(newest),
                Some(absent_at) => Trail::young(Some(absent_at), newest),
            };
            let before = before.get(pod);
            let distance = own.get(&**pod).copied().or(self.distance);
            trail.distance = distance.or_else(|| before.and_then(Trail::sample_distance));
            trail.served = before.and_then(|before| before.served);
            for (at, newest) in points {
                trail.observe(&Observation {
                    before: Some(at - step),
                    at,
                    newest,
                    lag: 0,
                    broken: false,
                });
            }
            self.pods.insert(pod.clone(), trail);
        }
    }

    /// Records the newest sample of each pod. `now` is the moment of this look, `before` that of the look
    /// before.
    fn observe(&mut self, points: &ByName<Point>, before: Option<Millis>, now: Millis, broken: bool) {
        let ages = points.values().filter_map(|point| point.sampled);
        let youngest = ages.map(|sampled| millis(sampled.age)).min();
        // The lag falls at once but rises by 5 % (at least 50 ms) a poll only, so that it is the minimum of
        // the last minutes: a poll that finds all samples old shows a gap, not a slower arrival.
        self.lag = match (self.lag, youngest) {
            (Some(lag), Some(youngest)) => Some(youngest.min(lag + (lag / 20).max(50))),
            (lag, youngest) => youngest.or(lag),
        };
        let lag = self.lag.unwrap_or_default();
        for (pod, point) in points.entries() {
            let Some(newest) = point.sampled.map(|sampled| sampled.at.as_millisecond()) else {
                continue;
            };
            if let Some(trail) = self.pods.get_mut(pod) {
                trail.observe(&Observation {
                    before,
                    at: now,
                    newest,
                    lag,
                    broken,
                });
                continue;
            }
            // The look before did not see the pod. A sample of its last moments, up to `lag`, may have been
            // on its way.
            let absent_at = before.filter(|_| !broken).map(|before| before - lag);
            let mut trail = Trail::young(absent_at, newest);
            trail.distance = self.distance;
            self.pods.insert(pod.into(), trail);
        }
    }

    /// Corrects the values of the points, and marks those that cannot be corrected. Forgets what lies before
    /// the window.
    fn judge(&mut self, points: &mut ByName<Point>, window: Window) {
        let start = window.now - window.length;
        self.pods.retain(|_, trail| trail.newest > start);
        for trail in self.pods.values_mut() {
            trail.forget(start);
        }
        for (pod, point) in points.entries_mut() {
            let Some(value) = point.value.filter(|_| point.sampled.is_some()) else {
                continue;
            };
            let Some(trail) = self.pods.get_mut(pod) else {
                point.uncovered = Some(Uncovered::Empties);
                continue;
            };
            let factor = window.factor(trail);
            // After a break without a number, the next number has nothing to be compared with.
            if factor.is_none() {
                trail.served = None;
            }
            let number = factor.and_then(|factor| window.limit_rise(trail, value * factor));
            match number {
                Some(number) => point.value = Some(number),
                None => point.uncovered = Some(why(trail, window)),
            }
        }
    }

    /// Whether a sample has a time at which none is due, or the newest sample is older than before. Then
    /// another Prometheus answers than the one before.
    fn is_unscheduled(&self, points: &ByName<Point>) -> bool {
        self.is_other
            || points
                .entries()
                .any(|(pod, point)| match (self.pods.get(pod), point.sampled) {
                    (Some(trail), Some(sampled)) => trail.is_unscheduled(sampled.at.as_millisecond()),
                    _ => false,
                })
    }

    /// How long the sample distance of the latest history is believed. A history with too few samples to show
    /// a distance is followed by another one soon.
    fn distances_hold(&self) -> Duration {
        if self.has_history && self.distance.is_none() {
            HISTORIES_APART
        } else {
            DISTANCES_HOLD
        }
    }

    /// Whether samples may be closer together than polls can see, and the window is so short that this
    /// matters: the distance that polls see is longer than a fifteenth of the window (4 s of 60 s).
    fn is_coarse(&self, window: Duration) -> bool {
        self.pods
            .values()
            .any(|trail| trail.is_coarse(millis(window) / 15))
    }
}

/// The reason why a pod has no number. Of two reasons it is the one that leaves more of the window uncovered.
fn why(trail: &Trail, window: Window) -> Uncovered {
    let start = window.start();
    match trail.hole_at(start) {
        None => Uncovered::Empties,
        // The time since the newest sample is longer than the part of the hole that lies in the window.
        Some(hole) if window.now - trail.newest > hole.to - start => Uncovered::Empties,
        Some(hole) if hole.is_unknown() => Uncovered::Unknown,
        Some(hole) if hole.is_birth() => Uncovered::Young,
        Some(_) => Uncovered::Gap,
    }
}

/// The distance between the samples of a pod, from its history: pairs of a moment and the time of the newest
/// sample then. A single distance does not count, because it may be a gap. A distance of more than half of
/// the window does not count either, because it gives no rate.
fn distance(points: &[(Millis, Millis)], window: Millis) -> Option<Millis> {
    let pairs = points
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.1 - pair.first()?.1));
    let distances = pairs.filter(|distance| *distance > 0 && *distance * 2 <= window);
    recurring(distances.collect())
}

/// The moment at which Prometheus evaluated the query: sample time plus age.
fn evaluated(sampled: SampleTime) -> Millis {
    sampled.at.as_millisecond() + millis(sampled.age)
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}
