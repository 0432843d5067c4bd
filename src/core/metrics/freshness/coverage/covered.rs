//! The part of a window that Prometheus extends an increase to, as its `extrapolatedRate` reckons it, and what a rate
//! is over that part.

use super::{Millis, trail::Trail};

/// The number is at most so much too high where the edge of a gap is not known exactly; beyond it is missing.
const UNCERTAIN: (Millis, Millis) = (5, 4);
/// A number whose newest sample is late rises by at most so much from one poll to the next: a sample may have come
/// after the times were asked for and before the rate was taken.
const RISE: f64 = 1.5;

/// A window when it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub length: Millis,
    /// When the times of samples were evaluated.
    pub now: Millis,
    /// How much later the values were: the window ends then.
    pub later: Millis,
}

impl Window {
    /// Where it begins.
    pub fn start(self) -> Millis {
        self.now + self.later - self.length
    }

    /// The part that is covered where its first sample is at `first`, or is due from `first` on, and samples are
    /// `average` apart.
    fn covered(self, trail: &Trail, first: Millis, average: Millis, is_birth: bool) -> Millis {
        let in_reach = |distance: Millis| distance * 10 < average * 11;
        let sampled = (trail.newest - first).max(0);
        let to_start = match first - self.start() {
            // A counter that begins at zero is extended to there and no further, somewhere in the step before.
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

    /// What to multiply a rate with; `None` where too little is covered, or it is not known how much.
    pub fn factor(self, trail: &Trail) -> Option<f64> {
        let start = self.start();
        let apart = trail.apart().unwrap_or_default();
        let (least, most) = match trail.hole_at(start) {
            None => (
                self.covered(trail, start, apart, false),
                self.covered(trail, start, average(trail, start).max(apart), false),
            ),
            Some(hole) => {
                let earliest = if start < hole.from_latest {
                    start
                } else {
                    hole.earliest.max(start)
                };
                (
                    self.covered(trail, hole.to.max(start), apart, hole.is_birth()),
                    self.covered(trail, earliest, average(trail, earliest).max(apart), false),
                )
            }
        };
        let is_known = least * 2 >= self.length && most * UNCERTAIN.1 <= least * UNCERTAIN.0;
        // Windows are an hour at most.
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of an hour")]
        is_known.then(|| self.length as f64 / least as f64)
    }

    /// The number that is told. Where the newest sample is late, a newer one may have come before the rate was taken,
    /// and the correction is then too large: so the number does not rise without a new sample, and little with one.
    pub fn told(self, trail: &mut Trail, number: f64) -> Option<f64> {
        let apart = trail.apart().unwrap_or_default();
        let is_late = (self.now - trail.newest) * 10 >= apart * 11;
        let told = match trail.told {
            _ if !is_late || number.is_nan() => Some(number),
            Some((newest, before)) if newest == trail.newest => Some(number.min(before)),
            Some((_, before)) => Some(number.min(before * RISE)),
            None => None,
        };
        trail.told = Some((trail.newest, told.unwrap_or(number)));
        told
    }
}

/// The average distance of the samples from the first one on, holes included.
fn average(trail: &Trail, first: Millis) -> Millis {
    let sampled = (trail.newest - first).max(0);
    let (holes, length) = trail.holes_from(first);
    let Some(apart) = trail.apart() else {
        return 0;
    };
    // So many steps, times the distance.
    let steps = (sampled - length).max(0) + holes * apart;
    sampled * apart / steps.max(apart).max(1)
}
