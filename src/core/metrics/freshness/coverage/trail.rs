//! The samples of one pod as far as polls saw them: the newest one, their distance, and the holes among them.
//!
//! A poll sees only the newest sample. Two polls in a row show a hole when the newest sample moved further
//! than it can within one distance. An example with samples every 15 s and polls every 5 s: the newest sample
//! is of 12:00:00 in nine polls, then of 12:00:45. That is 45 s instead of 15 s, so 12:00:00 to 12:00:45 is a
//! hole.
//!
//! Where samples are closer together than polls, some are never seen. With samples every second and polls
//! every 5 s the newest sample moves by about 5 s from poll to poll, and that is no hole.
//!
//! Invariant: `holes` are in the order of time and do not overlap. The first may be the time before the pod
//! was born, or before anybody looked.

use super::Millis;

/// Greatest number of holes that are kept of a pod. A further hole is joined with the last one, as if no
/// sample lay between them.
const MAX_HOLES: usize = 8;
/// Number of latest distances that are kept. Where all of them are exact and agree, they count, whatever was
/// known before: five equal distances in a row are a changed scrape interval, not missed scrapes.
const LAST: usize = 5;
/// A moment before all samples.
const BIRTH: Millis = Millis::MIN / 4;

/// A stretch of time without samples. Its edges are known only as well as the looks at it allow:
///
/// ```text
///   from        from_latest              earliest             to
///    | sample    ) perhaps more samples      ( perhaps more     | sample
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    /// Time of the last sample that was seen before the hole.
    pub from: Millis,
    /// Samples up to here may have come and been replaced by newer ones between two looks, unseen.
    pub from_latest: Millis,
    /// The first sample after the hole is not older than this.
    pub earliest: Millis,
    /// Time of the first sample that was seen after the hole. Samples between `earliest` and here may be
    /// unseen.
    pub to: Millis,
}

/// One look at the newest sample of a pod: a poll, or a moment of a history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    /// The moment of the look before, whether or not it saw the pod. `None`: there was none.
    pub before: Option<Millis>,
    /// The moment of this look.
    pub at: Millis,
    /// Time of the newest sample.
    pub newest: Millis,
    /// How long samples take to arrive.
    pub lag: Millis,
    /// Whether looks between `before` and `at` failed.
    pub broken: bool,
}

/// What is known of the samples of a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trail {
    /// Time of the newest sample.
    pub newest: Millis,
    /// The distance between samples, from a history: its moments are closer together than polls.
    pub distance: Option<Millis>,
    /// The latest number that was served, and the time of the sample that was the newest then.
    pub served: Option<(Millis, f64)>,
    /// The latest distances between newest samples, the latest at the end, zero where there is none yet. True
    /// marks an exact distance: no unseen sample can lie in between.
    last: [(u32, bool); LAST],
    holes: Vec<Hole>,
}

impl Hole {
    /// Whether no sample is known from before the hole: the pod may have been born at its end.
    pub(super) fn is_birth(self) -> bool {
        self.from == BIRTH
    }

    /// Whether nobody looked before the end of the hole.
    pub(super) fn is_unknown(self) -> bool {
        self.earliest == BIRTH
    }
}

/// The usual distance among several: the largest one that occurs twice (within a tenth), else the smallest.
/// `None` where there is only one distance, which may be a hole. Two examples: of 15, 15, 45 and 15 s it is
/// 15 s, because 45 s is a hole. Of 1, 14, 1 and 14 s it is 14 s, because two targets of one pod interleave.
pub(super) fn recurring(mut distances: Vec<Millis>) -> Option<Millis> {
    distances.sort_unstable();
    let pairs = || distances.iter().zip(distances.iter().skip(1));
    let twice = pairs().rfind(|(one, next)| **next <= and_a_tenth(**one));
    twice.or_else(|| pairs().next()).map(|(one, _)| *one)
}

/// The distance and a tenth, which is the tolerance of Prometheus' `extrapolatedRate` too.
fn and_a_tenth(distance: Millis) -> Millis {
    distance * 11 / 10
}

impl Trail {
    /// The trail of a pod that had samples before the window.
    pub(super) fn old(newest: Millis) -> Self {
        Self {
            newest,
            distance: None,
            served: None,
            last: [(0, false); LAST],
            holes: Vec::new(),
        }
    }

    /// The trail of a pod that had no sample at the moment `absent_at`; `None` where nobody looked before.
    pub(super) fn young(absent_at: Option<Millis>, newest: Millis) -> Self {
        let hole = Hole {
            from: BIRTH,
            from_latest: BIRTH,
            earliest: absent_at.unwrap_or(BIRTH),
            to: newest,
        };
        Self {
            holes: vec![hole],
            ..Self::old(newest)
        }
    }

    /// Records a look: a new hole, if samples did not go on at their distance, and the distance itself.
    pub(super) fn observe(&mut self, observation: &Observation) {
        let length = observation.newest - self.newest;
        // The newest sample is still the same, or another Prometheus knows only older ones.
        if length <= 0 {
            return;
        }
        let before = observation.before.filter(|_| !observation.broken);
        let between_looks = before.map(|before| observation.at - before);
        if !self.is_continuous(length, before.zip(between_looks), observation.lag) {
            self.add(Hole {
                from: self.newest,
                from_latest: self.newest + between_looks.unwrap_or_default(),
                earliest: before.map_or(self.newest, |before| before - observation.lag),
                to: observation.newest,
            });
        }
        if !observation.broken {
            // Where samples are closer together than looks, the newest one moves by two looks at most: late
            // once, then in time. A longer move (2.2 with the tolerance) has no unseen sample in between, so
            // it is exact.
            let is_exact = between_looks.is_some_and(|between| length * 10 > between * 22);
            self.last.rotate_left(1);
            if let Some(last) = self.last.last_mut() {
                *last = (u32::try_from(length).unwrap_or(u32::MAX), is_exact);
            }
        }
        self.newest = observation.newest;
    }

    /// Whether samples went on at their distance while the newest one moved by `length`. `looked` is the
    /// moment of the look before, and how long ago that was.
    fn is_continuous(&self, length: Millis, looked: Option<(Millis, Millis)>, lag: Millis) -> bool {
        let Some(distance) = self.sample_distance() else {
            // While the distance is unknown, a move by two looks is taken for closer samples.
            return looked.is_some_and(|(_, between)| length * 10 <= between * 22);
        };
        let Some((before, between)) = looked else {
            return length <= and_a_tenth(distance);
        };
        // Either the next sample came in time, or several samples came between the two looks: then the newest
        // one was in time at the look before, and moved by no more than the time between the looks and one
        // distance.
        let was_in_time = before - self.newest - lag <= and_a_tenth(distance);
        length <= and_a_tenth(distance) || (was_in_time && length <= between + and_a_tenth(distance))
    }

    /// Adds the latest hole.
    fn add(&mut self, hole: Hole) {
        let is_full = self.holes.len() >= MAX_HOLES;
        match self.holes.last_mut() {
            Some(last) if is_full => last.to = hole.to,
            _ => self.holes.push(hole),
        }
    }

    /// The distance between samples now; `None` while only one distance was seen, which may be a hole.
    ///
    /// The distance from a history counts more than those that polls saw. The newest samples of two
    /// Prometheus servers behind one address, or of two targets of one pod, interleave: two of them may be a
    /// second apart where each is scraped every 15 s. Polls count more in two cases: their five latest
    /// distances are exact and agree on another interval (within a fifth), or all five are at most a third of
    /// the distance from the history.
    pub(super) fn sample_distance(&self) -> Option<Millis> {
        let lengths = || {
            let seen = self.last.iter().filter(|(length, _)| *length > 0);
            seen.map(|(length, _)| Millis::from(*length))
        };
        let (Some(smallest), Some(largest)) = (lengths().min(), lengths().max()) else {
            return self.distance;
        };
        let Some(distance) = self.distance else {
            return recurring(lengths().collect());
        };
        let is_full = lengths().count() == LAST;
        let do_agree = self.last.iter().all(|(_, exact)| *exact) && largest * 5 <= smallest * 6;
        let is_new = is_full && (do_agree || largest * 3 <= distance);
        Some(if is_new { smallest } else { distance })
    }

    /// Whether this newest sample has a time at which none is due: it is older than the one before, or its
    /// distance is no multiple of the usual one (within a tenth). The samples of another Prometheus look like
    /// that. An example with samples every 15 s: a distance of 30 s is a missed scrape, one of 22 s comes
    /// from another Prometheus.
    pub(super) fn is_unscheduled(&self, newest: Millis) -> bool {
        let length = newest - self.newest;
        let is_exact = self.last.iter().all(|(length, exact)| *length > 0 && *exact);
        let off = match self.sample_distance() {
            Some(distance) if is_exact && distance > 0 => {
                let after = length.rem_euclid(distance);
                after.min(distance - after) * 10 > distance
            }
            _ => false,
        };
        length < 0 || off
    }

    /// Whether looks saw a distance longer than `length` that may hide unseen samples, so that samples may be
    /// closer together.
    pub(super) fn is_coarse(&self, length: Millis) -> bool {
        self.last
            .iter()
            .any(|(seen, exact)| !exact && Millis::from(*seen) > length)
    }

    /// Forgets the holes that end before the window starts.
    pub(super) fn forget(&mut self, start: Millis) {
        self.holes.retain(|hole| hole.to > start);
    }

    /// The hole that contains a moment.
    pub(super) fn hole_at(&self, at: Millis) -> Option<Hole> {
        let mut holes = self.holes.iter().copied();
        holes.find(|hole| (hole.from..hole.to).contains(&at))
    }

    /// The number of holes that begin at a moment or later, and their total length.
    pub(super) fn holes_from(&self, at: Millis) -> (Millis, Millis) {
        let after = self.holes.iter().filter(|hole| hole.from >= at);
        after.fold((0, 0), |(count, length), hole| {
            (count + 1, length + hole.to - hole.from)
        })
    }
}
