//! Which part of the window of a rate has samples, and what the rate is over that part.
//!
//! Prometheus divides the increase it has seen by the whole window, whatever part of it has samples. `rate` takes the
//! samples of the window, extends their increase to the ends of the window where these are closer than 1.1 times the
//! average distance of samples, else by half that distance, and divides by the window. Samples missing in the middle
//! cost nothing; missing at an end they make the rate low: after a gap as soon as the window begins in the gap, while
//! a target is away, and for a pod that is younger than the window.
//!
//! So a rate is corrected: `rate x window / covered`, where `covered` is the part that Prometheus extended the increase
//! to. Where that is less than half of the window, or is not known well enough, the number is missing.
//!
//! An example, a window of 60 s over a pod that is scraped every 5 s and serves 100 requests a second. Scrapes fail
//! from 12:00:00 on, the next sample is of 12:00:45. The window at 12:01:25 begins at 12:00:25, within the gap. Its
//! samples cover 40 s and Prometheus adds half of 5 s: it says 100 x 42.5 / 60 = 70.8. The gap is known, so the
//! number is 70.8 x 60 / 42.5 = 100. At 12:01:05, only 22.5 s are covered: missing.
//!
//! What is known, for each pod of a namespace: the newest sample at each poll. Two polls tell of a gap when the
//! newest sample was older than samples are apart ([`Trail`]). What was before the first poll, or while polls
//! failed, is asked for once ([`History`]), and so it is when samples come at another beat: that is another Prometheus,
//! with gaps of its own. Where that cannot be had, nothing is known of the time before, and the number is missing for
//! one window.
//!
//! What is not seen: a gap shorter than the time between two polls where samples are closer together than polls; the
//! change to another Prometheus whose samples are that close; several gaps in one window that leave no two samples at
//! their usual distance; a gap of one server of a pair where each query goes to any of the two; one of several targets
//! of a pod that is away while the others are there. What is kept is a few hundred bytes for each pod that was in an answer within two windows.

mod covered;
mod trail;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use self::{
    covered::Window,
    trail::{Sight, Trail, recurring},
};
use crate::core::metrics::promql::{Answer, ByName, History, Point, SampleTime, Uncovered, history_step};

/// Milliseconds on Prometheus' clock, or between two of its moments.
type Millis = i64;

/// How long a history tells how close together samples are that polls cannot tell apart.
const DISTANCES_HOLD: Duration = Duration::from_mins(10);
/// Shortest time between two histories of a namespace whose samples come at changing beats.
const HISTORIES_APART: Duration = Duration::from_secs(15);

/// What is known of the samples behind a rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    namespaces: BTreeMap<String, Watched>,
    /// Our monotonic time of the latest clean answer.
    asked: Option<Duration>,
}

/// What is known of a namespace.
#[derive(Clone, Debug, Default, PartialEq)]
struct Watched {
    pods: BTreeMap<Box<str>, Trail>,
    /// How old the newest sample is at least, because samples take time to arrive.
    lag: Option<Millis>,
    /// Distance of samples that polls cannot tell apart.
    distance: Option<Millis>,
    /// Our monotonic time when the history was last asked for.
    history: Option<Duration>,
    /// It was answered then.
    is_told: bool,
    /// When it was last in an answer.
    seen: Duration,
    /// The latest answer said nothing of the namespace, or owes its history.
    broken: bool,
    /// Samples came at another beat, and the history has not been asked for since.
    is_other: bool,
}

impl Coverage {
    /// Of the namespaces in a new answer those whose history must be asked for, out of the needed ones. `broken`: the
    /// poll before failed.
    pub fn in_doubt(
        &self,
        window: Duration,
        broken: bool,
        answer: &Answer,
        needed: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let in_doubt = |namespace: &String| {
            let points = answer.points.get(namespace)?;
            // Without times there is nothing to correct, and nothing would be remembered of having asked.
            points.values().find_map(|point| point.sampled)?;
            let Some(watched) = self.namespaces.get(namespace) else {
                return Some(());
            };
            let since = watched
                .history
                .map(|history| answer.asked.saturating_sub(history));
            let in_doubt = broken
                || watched.broken
                || (since.is_none_or(|since| since >= HISTORIES_APART) && watched.is_out_of_beat(points))
                || (since.is_none_or(|since| since >= watched.distances_hold()) && watched.is_coarse(window));
            in_doubt.then_some(())
        };
        let namespaces = needed.iter();
        namespaces
            .filter(|namespace| in_doubt(namespace).is_some())
            .cloned()
            .collect()
    }

    /// Takes in a clean answer to a shape that rates over `window`, corrects its values and marks those that cannot
    /// be.
    pub fn observe(&mut self, window: Duration, broken: bool, answer: &mut Answer) {
        let histories = std::mem::take(&mut answer.histories);
        let (asked, later) = (answer.asked, answer.values_later);
        let since_poll = self.asked.map(|before| millis(asked.saturating_sub(before)));
        for (namespace, points) in &mut answer.points {
            let Some(now) = points.values().find_map(|point| point.sampled).map(evaluated) else {
                continue;
            };
            let is_new = !self.namespaces.contains_key(namespace);
            let watched = self.namespaces.entry(namespace.clone()).or_default();
            let mut before = since_poll.filter(|_| !is_new).map(|since| now - since);
            let mut broken = broken || watched.broken;
            match histories.get(namespace) {
                None => watched.is_other = watched.is_out_of_beat(points),
                Some(history) => {
                    watched.history = Some(asked);
                    watched.is_other = false;
                    watched.is_told = history.is_some();
                    if let Some(history) = history {
                        let (length, step) = (millis(window), millis(history_step(window)));
                        watched.replay(history, now - length, length, step);
                        // The last of its moments.
                        before = Some(now - now.rem_euclid(step));
                        broken = false;
                    }
                }
            }
            watched.observe(points, before, now, broken);
            watched.seen = asked;
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
        let forgotten = |watched: &Watched| watched.seen.saturating_add(window * 2) < asked;
        self.namespaces.retain(|_, watched| !forgotten(watched));
        self.asked = Some(asked);
    }
}

impl Watched {
    /// Begins anew with what polls would have seen.
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
            // Seen at a moment one window ago: what was before does not matter.
            let absent_at = (at - step > start).then_some(at - step);
            let mut trail = match absent_at {
                None => Trail::old(newest),
                Some(absent_at) => Trail::young(Some(absent_at), newest),
            };
            let before = before.get(pod);
            let told = own.get(&**pod).copied().or(self.distance);
            trail.distance = told.or_else(|| before.and_then(Trail::apart));
            trail.told = before.and_then(|before| before.told);
            for (at, newest) in points {
                trail.observe(&Sight {
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

    fn observe(&mut self, points: &ByName<Point>, before: Option<Millis>, now: Millis, broken: bool) {
        let ages = points.values().filter_map(|point| point.sampled);
        let youngest = ages.map(|sampled| millis(sampled.age)).min();
        // Rises slowly, so that it is that of the last minutes.
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
                trail.observe(&Sight {
                    before,
                    at: now,
                    newest,
                    lag,
                    broken,
                });
                continue;
            }
            let absent_at = before.filter(|_| !broken).map(|before| before - lag);
            let mut trail = Trail::young(absent_at, newest);
            trail.distance = self.distance;
            self.pods.insert(pod.into(), trail);
        }
    }

    /// Corrects the values and marks those that cannot be. Forgets what the window has left behind.
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
            let told = window.factor(trail);
            if told.is_none() {
                trail.told = None;
            }
            let told = told.and_then(|factor| window.told(trail, value * factor));
            match told {
                Some(number) => point.value = Some(number),
                None => point.uncovered = Some(why(trail, window)),
            }
        }
    }

    /// Whether a sample lies where none is due, or the newest is older than before: then Prometheus is another than
    /// it was.
    fn is_out_of_beat(&self, points: &ByName<Point>) -> bool {
        self.is_other
            || points
                .entries()
                .any(|(pod, point)| match (self.pods.get(pod), point.sampled) {
                    (Some(trail), Some(sampled)) => trail.is_out_of_beat(sampled.at.as_millisecond()),
                    _ => false,
                })
    }

    /// How long the latest history tells how close together samples are. One that held too few to tell is followed by
    /// another soon.
    fn distances_hold(&self) -> Duration {
        if self.is_told && self.distance.is_none() {
            HISTORIES_APART
        } else {
            DISTANCES_HOLD
        }
    }

    /// Whether polls cannot tell how close together samples are, and the window is so short that it matters.
    fn is_coarse(&self, window: Duration) -> bool {
        self.pods
            .values()
            .any(|trail| trail.is_coarse(millis(window) / 15))
    }
}

/// Why there is no number.
fn why(trail: &Trail, window: Window) -> Uncovered {
    let start = window.start();
    match trail.hole_at(start) {
        None => Uncovered::Empties,
        Some(hole) if window.now - trail.newest > hole.to - start => Uncovered::Empties,
        Some(hole) if hole.is_unknown() => Uncovered::Unknown,
        Some(hole) if hole.is_birth() => Uncovered::Young,
        Some(_) => Uncovered::Gap,
    }
}

/// How far apart the samples of a pod are, from its history. One distance alone may be a gap, and one of more than
/// half of a window gives no rate.
fn distance(points: &[(Millis, Millis)], window: Millis) -> Option<Millis> {
    let pairs = points
        .windows(2)
        .filter_map(|pair| Some(pair.last()?.1 - pair.first()?.1));
    let distances = pairs.filter(|distance| *distance > 0 && *distance * 2 <= window);
    recurring(distances.collect())
}

/// When Prometheus evaluated.
fn evaluated(sampled: SampleTime) -> Millis {
    sampled.at.as_millisecond() + millis(sampled.age)
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}
