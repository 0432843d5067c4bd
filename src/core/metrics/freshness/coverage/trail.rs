//! The samples of one pod, as far as polls saw them: the newest, how far apart they are, and the holes among them.

use super::Millis;

/// Holes that are kept of a pod; further ones are taken as one with the last.
const MAX_HOLES: usize = 8;
/// Distances that are kept. Where all of them are certain and agree they count, whatever was known before: that many
/// in a row are a changed interval, not missed scrapes.
const LAST: usize = 5;
/// Before all samples.
const BIRTH: Millis = Millis::MIN / 4;

/// A stretch without samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    /// The last sample that was seen before it.
    pub from: Millis,
    /// A sample up to here may have come and gone between two looks.
    pub from_latest: Millis,
    /// The first sample after it is not older than this.
    pub earliest: Millis,
    /// Nor younger than this.
    pub to: Millis,
}

/// One look at the newest sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// The look before, whether or not it saw the pod.
    pub before: Option<Millis>,
    pub at: Millis,
    pub newest: Millis,
    /// How long samples take to arrive.
    pub lag: Millis,
    /// Looks in between failed.
    pub broken: bool,
}

/// What is known of the samples of a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trail {
    pub newest: Millis,
    /// How far apart samples are, from a history that sees more than polls do.
    pub distance: Option<Millis>,
    /// The number that was last found right, for the sample that was the newest then.
    pub told: Option<(Millis, f64)>,
    /// The last distances seen, the latest last, and whether no sample can lie in between unseen. Zero: none.
    last: [(u32, bool); LAST],
    holes: Vec<Hole>,
}

impl Hole {
    /// The pod had no sample before, as far as is known.
    pub fn is_birth(self) -> bool {
        self.from == BIRTH
    }

    /// Nobody looked before.
    pub fn is_unknown(self) -> bool {
        self.earliest == BIRTH
    }
}

/// How far apart samples are by these distances: the largest that is there twice, or nearly, and else the smallest.
/// `None` where there is but one, which may be a hole. Of 1, 14, 1 and 14 s it is 14 s: two targets of a pod.
pub(super) fn recurring(mut distances: Vec<Millis>) -> Option<Millis> {
    distances.sort_unstable();
    let pairs = || distances.iter().zip(distances.iter().skip(1));
    let twice = pairs().rfind(|(one, next)| **next <= and_a_tenth(**one));
    twice.or_else(|| pairs().next()).map(|(one, _)| *one)
}

/// A tenth more, as Prometheus allows.
fn and_a_tenth(distance: Millis) -> Millis {
    distance * 11 / 10
}

impl Trail {
    /// A pod that has samples of long ago.
    pub fn old(newest: Millis) -> Self {
        Self {
            newest,
            distance: None,
            told: None,
            last: [(0, false); LAST],
            holes: Vec::new(),
        }
    }

    /// A pod that had none at a moment; `None`: nobody looked.
    pub fn young(absent_at: Option<Millis>, newest: Millis) -> Self {
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

    /// Takes in a look.
    pub fn observe(&mut self, sight: &Sight) {
        let length = sight.newest - self.newest;
        if length <= 0 {
            return;
        }
        let before = sight.before.filter(|_| !sight.broken);
        let between_looks = before.map(|before| sight.at - before);
        if !self.is_continuous(length, before.zip(between_looks), sight.lag) {
            self.add(Hole {
                from: self.newest,
                from_latest: self.newest + between_looks.unwrap_or_default(),
                earliest: before.map_or(self.newest, |before| before - sight.lag),
                to: sight.newest,
            });
        }
        if !sight.broken {
            // Samples that are closer together than looks are at most two looks apart here.
            let is_exact = between_looks.is_some_and(|between| length * 10 > between * 22);
            self.last.rotate_left(1);
            if let Some(last) = self.last.last_mut() {
                *last = (u32::try_from(length).unwrap_or(u32::MAX), is_exact);
            }
        }
        self.newest = sight.newest;
    }

    /// Whether samples went on at their distance for that length. `looked`: the look before, and how long ago it was.
    fn is_continuous(&self, length: Millis, looked: Option<(Millis, Millis)>, lag: Millis) -> bool {
        let Some(apart) = self.apart() else {
            return looked.is_some_and(|(_, between)| length * 10 <= between * 22);
        };
        let Some((before, between)) = looked else {
            return length <= and_a_tenth(apart);
        };
        // Several samples between two looks, and none was late at the first.
        let was_in_time = before - self.newest - lag <= and_a_tenth(apart);
        length <= and_a_tenth(apart) || (was_in_time && length <= between + and_a_tenth(apart))
    }

    fn add(&mut self, hole: Hole) {
        let is_full = self.holes.len() >= MAX_HOLES;
        match self.holes.last_mut() {
            Some(last) if is_full => last.to = hole.to,
            _ => self.holes.push(hole),
        }
    }

    /// How far apart samples are now. One distance alone may be a hole.
    ///
    /// What a history told goes before what polls saw: the newest samples of two Prometheus servers behind one address,
    /// or of two targets of one pod, interleave, and two of them may be a second apart where each is scraped every
    /// 15 s. Polls alone are believed where they agree on another interval, or all saw a third of the told one at most.
    pub fn apart(&self) -> Option<Millis> {
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

    /// Whether this newest sample does not lie where one is due, as those of another Prometheus do not.
    pub fn is_out_of_beat(&self, newest: Millis) -> bool {
        let length = newest - self.newest;
        let is_exact = self.last.iter().all(|(length, exact)| *length > 0 && *exact);
        let off = match self.apart() {
            Some(apart) if is_exact && apart > 0 => {
                let after = length.rem_euclid(apart);
                after.min(apart - after) * 10 > apart
            }
            _ => false,
        };
        length < 0 || off
    }

    /// Whether looks cannot tell a distance that is longer than this from smaller ones.
    pub fn is_coarse(&self, length: Millis) -> bool {
        self.last
            .iter()
            .any(|(seen, exact)| !exact && Millis::from(*seen) > length)
    }

    /// Forgets the holes that end before a window starts.
    pub fn forget(&mut self, start: Millis) {
        self.holes.retain(|hole| hole.to > start);
    }

    /// The hole at a moment.
    pub fn hole_at(&self, at: Millis) -> Option<Hole> {
        let mut holes = self.holes.iter().copied();
        holes.find(|hole| (hole.from..hole.to).contains(&at))
    }

    /// How many holes there are from a moment on, and how long they are together.
    pub fn holes_from(&self, at: Millis) -> (Millis, Millis) {
        let after = self.holes.iter().filter(|hole| hole.from >= at);
        after.fold((0, 0), |(count, length), hole| {
            (count + 1, length + hole.to - hole.from)
        })
    }
}
