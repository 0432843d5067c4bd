//! The level of a load over time, made of straight pieces. The level is requests per second (open model) or
//! users (closed model). The integral of the level says when each request is due, so ramps are as exact as
//! constant rates.
//!
//! Example: a ramp from 0/s to 100/s in 10 s has the integral 5 t². Request number 5 (counted from 0) is due
//! where the integral reaches 5, after 1 s. In all, 500 requests are due.

use std::time::Duration;

/// A level over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    pieces: Vec<Piece>,
}

/// A straight line from one level to another.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Seconds from the beginning of the profile.
    start: f64,
    /// Length in seconds; positive.
    length: f64,
    from: f64,
    to: f64,
    /// The integral of all pieces before this one.
    before: f64,
}

impl Piece {
    fn end(self) -> f64 {
        self.start + self.length
    }

    fn slope(self) -> f64 {
        (self.to - self.from) / self.length
    }

    fn level(self, at: f64) -> f64 {
        self.from + self.slope() * (at - self.start)
    }

    fn area(self) -> f64 {
        f64::midpoint(self.from, self.to) * self.length
    }

    /// Seconds from the start of this piece until its own integral reaches `area`.
    ///
    /// Solves `from * t + slope * t² / 2 = area` as `t = 2 * area / (from + sqrt(from² + 2 * slope * area))`.
    /// This form of the quadratic formula does not divide by the slope, so it is exact for flat pieces too.
    fn reach(self, area: f64) -> f64 {
        let root = (self.from * self.from + 2.0 * self.slope() * area)
            .max(0.0)
            .sqrt();
        // Zero only where the piece begins at level 0 and `area` is 0: that request is due at once.
        let sum = self.from + root;
        if sum > 0.0 {
            (2.0 * area / sum).min(self.length)
        } else {
            0.0
        }
    }
}

/// The number of users at a level. It is rounded up, so that a ramp from zero has its first user at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "levels are small and not negative"
)]
pub(crate) fn users(level: f64) -> u64 {
    level.ceil() as u64
}

impl Profile {
    /// A profile of no length.
    pub const EMPTY: Self = Self { pieces: Vec::new() };

    /// A constant level.
    pub fn constant(level: f64, duration: Duration) -> Self {
        let mut profile = Self::default();
        profile.line(level, level, duration);
        profile
    }

    /// Appends a straight line. A line of no length is left out. Negative levels count as zero.
    pub fn line(&mut self, from: f64, to: f64, duration: Duration) {
        if duration.is_zero() {
            return;
        }
        self.pieces.push(Piece {
            start: self.seconds(),
            length: duration.as_secs_f64(),
            from: from.max(0.0),
            to: to.max(0.0),
            before: self.total(),
        });
    }

    /// The level at the end of the profile; zero for an empty one.
    pub fn last_level(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.to)
    }

    /// The straight lines in their order: the first level, the last level, and the length.
    pub fn lines(&self) -> impl Iterator<Item = (f64, f64, Duration)> {
        self.pieces
            .iter()
            .map(|piece| (piece.from, piece.to, Duration::from_secs_f64(piece.length)))
    }

    /// Length of the profile in seconds.
    pub fn seconds(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.end())
    }

    /// Length of the profile.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds())
    }

    /// The integral over the whole profile: the number of requests that are due.
    pub fn total(&self) -> f64 {
        self.pieces
            .last()
            .map_or(0.0, |piece| piece.before + piece.area())
    }

    /// The highest level.
    pub fn peak(&self) -> f64 {
        self.pieces
            .iter()
            .map(|piece| piece.from.max(piece.to))
            .fold(0.0, f64::max)
    }

    /// The level after this many seconds; zero outside the profile. Where two pieces meet, the later one
    /// counts.
    pub fn level(&self, at: f64) -> f64 {
        let index = self.pieces.partition_point(|piece| piece.end() <= at);
        self.pieces
            .get(index)
            .filter(|_| at >= 0.0)
            .map_or(0.0, |piece| piece.level(at))
    }

    /// Number of requests that are due before a moment.
    pub fn due_before(&self, at: Duration) -> u64 {
        let at = at.as_secs_f64();
        let index = self.pieces.partition_point(|piece| piece.end() <= at);
        let area = self.pieces.get(index).map_or(self.total(), |piece| {
            let into = at - piece.start;
            piece.before + f64::midpoint(piece.from, piece.level(at)) * into
        });
        // An integral of 500 may be summed up as 500.0000000001, which must not give request 501.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts are small and not negative"
        )]
        let due = (area - 1e-9).ceil().max(0.0) as u64;
        due
    }

    /// The sum of two profiles, where each begins the given number of seconds later.
    #[must_use]
    pub fn beside(&self, after: f64, other: &Self, other_after: f64) -> Self {
        let mut bounds: Vec<f64> = Vec::new();
        for (profile, after) in [(self, after), (other, other_after)] {
            bounds.push(after);
            bounds.extend(profile.pieces.iter().map(|piece| piece.end() + after));
        }
        bounds.push(0.0);
        bounds.sort_by(f64::total_cmp);
        bounds.dedup_by(|later, earlier| *later - *earlier < 1e-9);
        let mut sum = Self::default();
        for (from, to) in bounds.iter().zip(bounds.iter().skip(1)) {
            let level = |at: f64| self.level(at - after) + other.level(at - other_after);
            // Levels jump at bounds, so no level is read there. The line is drawn through the points at 1/4
            // and 3/4 between two bounds and extended to both ends.
            let (one, two) = (from + 0.25 * (to - from), from + 0.75 * (to - from));
            let (one, two) = (level(one), level(two));
            sum.line(
                1.5 * one - 0.5 * two,
                1.5 * two - 0.5 * one,
                Duration::from_secs_f64(to - from),
            );
        }
        sum
    }

    /// The same profile, cut off at a moment.
    #[must_use]
    pub fn until(&self, end: Duration) -> Self {
        let mut cut = Self::default();
        for piece in &self.pieces {
            let left = end.saturating_sub(cut.duration()).as_secs_f64();
            let length = piece.length.min(left);
            cut.line(
                piece.from,
                piece.level(piece.start + length),
                Duration::from_secs_f64(length),
            );
        }
        cut
    }

    /// The same profile with every level multiplied by `levels`, and every length by `times`.
    #[must_use]
    pub fn scaled(&self, levels: f64, times: f64) -> Self {
        let mut scaled = Self::default();
        for piece in &self.pieces {
            let length = Duration::from_secs_f64(piece.length * times);
            scaled.line(piece.from * levels, piece.to * levels, length);
        }
        scaled
    }

    /// The moments at which the requests `first`, `first + step`, `first + 2 * step` ... are due, in order.
    /// Request 0 is due when the level first rises above zero. Of four threads, each takes one `first` from 0
    /// to 3, and `step` 4.
    pub fn moments(&self, first: u64, step: u64) -> Moments<'_> {
        Moments {
            profile: self,
            piece: 0,
            next: first,
            step: step.max(1),
        }
    }
}

/// The moments at which requests are due.
#[derive(Clone, Debug)]
pub struct Moments<'a> {
    profile: &'a Profile,
    piece: usize,
    next: u64,
    step: u64,
}

impl Iterator for Moments<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        // Requests of a run stay far below 2^52.
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let number = self.next as f64;
        loop {
            let piece = self.profile.pieces.get(self.piece)?;
            let area = number - piece.before;
            if area < piece.area() {
                self.next += self.step;
                return Some(Duration::from_secs_f64(piece.start + piece.reach(area.max(0.0))));
            }
            // Requests come in order, so pieces that are used up are never looked at again.
            self.piece += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn count(number: usize) -> f64 {
        f64::from(u32::try_from(number).unwrap())
    }

    fn ramp(pieces: &[(f64, f64, u64)]) -> Profile {
        let mut profile = Profile::default();
        for (from, to, length) in pieces {
            profile.line(*from, *to, seconds(*length));
        }
        profile
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced_from_the_start() {
        let profile = Profile::constant(10.0, seconds(1));
        let moments: Vec<u128> = profile.moments(0, 1).map(|moment| moment.as_millis()).collect();
        assert_eq!(moments, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    }

    #[test]
    fn a_course_that_is_cut_is_the_same_until_there() {
        let profile = ramp(&[(10.0, 10.0, 5), (10.0, 30.0, 10), (30.0, 0.0, 5)]);
        let cut = profile.until(seconds(10));
        assert_eq!(cut.duration(), seconds(10));
        assert!((cut.last_level() - 20.0).abs() < 1e-9);
        assert_eq!(cut.due_before(seconds(10)), profile.due_before(seconds(10)));
        assert_eq!(profile.until(seconds(99)), profile);
        assert_eq!(profile.until(seconds(0)), Profile::default());
    }

    #[test]
    fn a_ramp_from_zero_sends_the_half_and_a_quarter_of_it_by_half_time() {
        let profile = ramp(&[(0.0, 100.0, 10)]);
        let moments: Vec<Duration> = profile.moments(0, 1).collect();
        assert_eq!(moments.len(), 500);
        assert_eq!(moments.iter().filter(|moment| **moment < seconds(5)).count(), 125);
    }

    #[test]
    fn a_pause_sends_nothing_and_goes_on_where_it_stopped() {
        let profile = ramp(&[(2.0, 2.0, 1), (0.0, 0.0, 10), (2.0, 2.0, 1)]);
        let moments: Vec<u128> = profile.moments(0, 1).map(|moment| moment.as_millis()).collect();
        assert_eq!(moments, [0, 500, 11_000, 11_500]);
    }

    #[test]
    fn a_falling_ramp_ends_at_zero_without_a_rest() {
        let profile = ramp(&[(100.0, 0.0, 10)]);
        let moments: Vec<Duration> = profile.moments(0, 1).collect();
        assert_eq!(moments.len(), 500);
        assert!(moments[499] < seconds(10) && moments[499] > Duration::from_millis(8500));
    }

    #[test]
    fn levels_are_read_off_the_line_and_the_later_piece_counts_where_two_meet() {
        let profile = ramp(&[(0.0, 10.0, 10), (50.0, 50.0, 5)]);
        for (at, level) in [(-1.0, 0.0), (0.0, 0.0), (5.0, 5.0), (10.0, 50.0), (15.0, 0.0)] {
            assert!((profile.level(at) - level).abs() < 1e-9, "at {at}");
        }
        assert!((profile.peak() - 50.0).abs() < f64::EPSILON);
    }

    #[test]
    fn courses_beside_each_other_are_added_where_they_meet() {
        let (one, other) = (ramp(&[(0.0, 10.0, 10)]), ramp(&[(5.0, 5.0, 4), (20.0, 20.0, 4)]));
        let sum = one.beside(0.0, &other, 4.0);
        for (at, level) in [
            (0.0, 0.0),
            (3.0, 3.0),
            (4.0, 9.0),
            (7.0, 12.0),
            (8.0, 28.0),
            (11.0, 20.0),
            (12.0, 0.0),
        ] {
            assert!((sum.level(at) - level).abs() < 1e-6, "at {at}: {}", sum.level(at));
        }
        assert!((sum.total() - one.total() - other.total()).abs() < 1e-6);
        assert_eq!(
            Profile::default().beside(0.0, &Profile::default(), 0.0),
            Profile::default()
        );
    }

    #[test]
    fn scaled_means_thinner_and_shorter() {
        let profile = ramp(&[(0.0, 100.0, 10)]).scaled(0.5, 0.1);
        assert!((profile.seconds() - 1.0).abs() < 1e-9);
        assert!((profile.peak() - 50.0).abs() < 1e-9);
    }

    prop_compose! {
        fn any_profile()(pieces in prop::collection::vec((0.0..200.0_f64, 0.0..200.0_f64, 0_u64..8), 1..6)) -> Profile {
            ramp(&pieces)
        }
    }

    proptest! {
        #[test]
        fn moments_are_where_the_integral_of_the_rate_is_whole(profile in any_profile()) {
            let moments: Vec<f64> = profile.moments(0, 1).map(|moment| moment.as_secs_f64()).collect();
            prop_assert!((count(moments.len()) - profile.total()).abs() <= 1.0 + 1e-6);
            let some = 1 + moments.len() / 8;
            for (number, moment) in moments.iter().enumerate().step_by(some) {
                let steps = 2000;
                let width = moment / f64::from(steps);
                let sum: f64 = (0..steps).map(|step| profile.level((f64::from(step) + 0.5) * width) * width).sum();
                // The sum of rectangles errs where the level jumps within one.
                prop_assert!((sum - count(number)).abs() < 200.0 * width * 6.0 + 1e-3, "{sum} {number}");
            }
            prop_assert!(moments.is_sorted());
        }

        #[test]
        fn as_many_are_due_before_a_moment_as_have_an_earlier_one(profile in any_profile(), tenths in 0_u64..500) {
            let at = Duration::from_millis(100 * tenths);
            let earlier = profile.moments(0, 1).filter(|moment| *moment < at).count() as u64;
            // The two sides round differently where a moment falls on the bound.
            prop_assert!(profile.due_before(at).abs_diff(earlier) <= 1);
        }

        #[test]
        fn threads_that_share_the_work_send_what_one_would(profile in any_profile(), threads in 1_u64..5) {
            let alone: Vec<Duration> = profile.moments(0, 1).collect();
            let mut shared: Vec<Duration> =
                (0..threads).flat_map(|thread| profile.moments(thread, threads)).collect();
            shared.sort();
            prop_assert_eq!(alone, shared);
        }
    }
}
