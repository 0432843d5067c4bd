//! The part of a window that Prometheus extends an increase to, and the rate over that part.
//!
//! Source: `extrapolatedRate` in Prometheus' `promql/functions.go`. The variable names in brackets below are
//! its own.
//!
//! Prometheus knows its samples; here only the edges of holes are known, and only roughly. So the covered
//! part is computed twice: `least` with the latest possible first sample, and `most` with the earliest one.
//! The number is corrected with `least`. Invariant: no number is served that may be more than 25 % too high
//! for that reason.

use super::{Millis, trail::Trail};

/// Greatest ratio of `most` to `least`: 5 to 4. Beyond it the edge of a hole is too uncertain, and the number
/// is missing.
const UNCERTAIN: (Millis, Millis) = (5, 4);
/// Greatest factor by which a number may rise from one poll to the next while its newest sample is late: a
/// sample may have arrived after the query for times and before the query for the rate.
const RISE: f64 = 1.5;

/// The window of a rate at the moment of a poll.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Length of the window.
    pub length: Millis,
    /// The moment for which the times of samples were queried.
    pub now: Millis,
    /// How much later the values were queried. The window of the rate ends at `now + later`.
    pub later: Millis,
}

impl Window {
    /// The moment at which the window begins.
    pub(super) fn start(self) -> Millis {
        self.now + self.later - self.length
    }

    /// The length of the part that is covered, for a first sample at `first` and samples that are `average`
    /// apart. `is_birth` says that the pod had no sample before `first`.
    ///
    /// An example with samples 5 s apart in a window of 60 s: a first sample 20 s after the start and a
    /// newest one at the end give 40 + 2.5 + 0 = 42.5 s. A first sample 4 s after the start gives 56 + 4 + 0
    /// = 60 s.
    fn covered(self, trail: &Trail, first: Millis, average: Millis, is_birth: bool) -> Millis {
        // [extrapolationThreshold]: 1.1 times the average distance.
        let in_reach = |distance: Millis| distance * 10 < average * 11;
        let sampled = (trail.newest - first).max(0);
        let to_start = match first - self.start() {
            // [durationToZero]: Prometheus extends a new counter back to where it was zero, and no further. That
            // is between zero and half a step before the first sample, so take the middle.
            distance if is_birth => distance.min(average / 4),
            distance if in_reach(distance) => distance,
            _ => average / 2,
        };
        let to_end = match self.now + self.later - trail.newest {
            distance if in_reach(distance) => distance,
            _ => average / 2,
        };
        (sampled + to_start.max(0) + to_end).min(self.length)
    }

    /// The factor that corrects a rate: length of the window divided by its covered part. `None` where less
    /// than half is covered, or where the covered part is not known well enough.
    pub(super) fn factor(self, trail: &Trail) -> Option<f64> {
        let start = self.start();
        let distance = trail.sample_distance().unwrap_or_default();
        let (least, most) = match trail.hole_at(start) {
            // Samples are due at the start of the window. Holes inside the window raise the average distance,
            // and with it the stretch that Prometheus adds at the end.
            None => (
                self.covered(trail, start, distance, false),
                self.covered(trail, start, average(trail, start).max(distance), false),
            ),
            // The window begins in a hole. The first sample in the window came between `earliest` and
            // `hole.to`.
            Some(hole) => {
                let earliest = if start < hole.from_latest {
                    start
                } else {
                    hole.earliest.max(start)
                };
                (
                    self.covered(trail, hole.to.max(start), distance, hole.is_birth()),
                    self.covered(trail, earliest, average(trail, earliest).max(distance), false),
                )
            }
        };
        let is_known = least * 2 >= self.length && most * UNCERTAIN.1 <= least * UNCERTAIN.0;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of an hour")]
        is_known.then(|| self.length as f64 / least as f64)
    }

    /// The number that is served. While the newest sample is late, a newer one may have arrived between the
    /// query for times and the query for the rate. Then the rate covers more than is known, and the
    /// correction is too large. So a late number does not rise without a new sample, and by at most [`RISE`]
    /// with one.
    ///
    /// An example: samples are 15 s apart, and the newest one is 20 s old. The number was 100. It may now
    /// fall, but not rise above 100. If the newest sample is another one than then, but late too, it may rise
    /// to 150.
    pub(super) fn limit_rise(self, trail: &mut Trail, number: f64) -> Option<f64> {
        let distance = trail.sample_distance().unwrap_or_default();
        let is_late = (self.now - trail.newest) * 10 >= distance * 11;
        let served = match trail.served {
            _ if !is_late || number.is_nan() => Some(number),
            Some((newest, before)) if newest == trail.newest => Some(number.min(before)),
            Some((_, before)) => Some(number.min(before * RISE)),
            None => None,
        };
        // A number that is withheld for want of an earlier one is the earlier one of the next poll.
        trail.served = Some((trail.newest, served.unwrap_or(number)));
        served
    }
}

/// The average distance between samples from `first` on, holes included, as Prometheus computes it
/// ([averageDurationBetweenSamples](https://github.com/prometheus/prometheus/blob/main/promql/functions.go)).
/// An example: 60 s of samples that are 5 s apart, with one hole of 20 s, are 40 / 5 + 1 = 9 steps of 6.7 s
/// on average.
fn average(trail: &Trail, first: Millis) -> Millis {
    let sampled = (trail.newest - first).max(0);
    let (holes, length) = trail.holes_from(first);
    let Some(distance) = trail.sample_distance() else {
        return 0;
    };
    // The number of steps, multiplied by the distance, which keeps whole milliseconds. A hole is one step.
    let steps = (sampled - length).max(0) + holes * distance;
    sampled * distance / steps.max(distance).max(1)
}
