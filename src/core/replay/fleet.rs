//! The pods of one policy.

use std::collections::VecDeque;

use super::Millis;

/// How long a pod takes from its creation until it is Ready, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeToReady {
    /// Share of the pods, from 0 to 1, and the time that they take at most; both never fall.
    quantiles: Vec<(f64, f64)>,
}

impl TimeToReady {
    /// All pods take so many seconds.
    #[must_use]
    pub fn constant(seconds: f64) -> Self {
        Self {
            quantiles: vec![(0.0, seconds)],
        }
    }

    /// Shares of the pods and the seconds that they take at most, such as `(0.5, 20.0)` and `(0.99, 60.0)`. Between two
    /// of them the time grows evenly; below the first and above the last it is theirs. `None` if there is none, a share
    /// is not within 0 and 1, a time is negative or above a day, or either falls.
    #[must_use]
    pub fn quantiles(quantiles: Vec<(f64, f64)>) -> Option<Self> {
        let within =
            |&(share, time): &(f64, f64)| (0.0..=1.0).contains(&share) && (0.0..=86_400.0).contains(&time);
        let rises = quantiles.windows(2).all(|pair| match pair {
            [(share, time), (next, later)] => share < next && time <= later,
            _ => true,
        });
        (!quantiles.is_empty() && quantiles.iter().all(within) && rises).then_some(Self { quantiles })
    }

    /// The same with each time multiplied.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        let quantiles = self.quantiles.iter();
        Self {
            quantiles: quantiles.map(|(share, time)| (*share, time * factor)).collect(),
        }
    }

    /// The longest time that a pod takes, in seconds.
    #[must_use]
    pub fn longest(&self) -> f64 {
        self.quantiles.last().map_or(0.0, |(_, time)| *time)
    }

    /// The time of the pod with this number. The numbers go evenly over the shares, by the golden ratio, so that a
    /// replay needs no random numbers: of any hundred pods in a row, about half take the median or less.
    fn of(&self, number: u32) -> Millis {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let share = (f64::from(number) * GOLDEN).fract();
        let mut before: Option<(f64, f64)> = None;
        let mut time = self.longest();
        for &(next, later) in &self.quantiles {
            if share <= next {
                time = before.map_or(later, |(from, earlier)| {
                    earlier + (later - earlier) * (share - from) / (next - from)
                });
                break;
            }
            before = Some((next, later));
        }
        millis(time)
    }
}

/// Whole milliseconds of seconds that are not negative, and at most some years.
#[expect(clippy::cast_possible_truncation, reason = "callers bound the time")]
pub(super) fn millis(seconds: f64) -> Millis {
    (seconds * 1000.0).round() as Millis
}

/// Pods that were created together and become Ready together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) created: Millis,
    pub(super) ready: Millis,
    pub(super) count: u32,
}

/// The pods of one policy, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct Fleet<'a> {
    time: &'a TimeToReady,
    groups: VecDeque<Group>,
    replicas: u32,
    /// Number of the next pod.
    next: u32,
}

/// How old a fleet's first pods are: old enough for every window.
const LONG_AGO: Millis = -86_400_000;

impl<'a> Fleet<'a> {
    /// So many pods that have been Ready for a day.
    pub(super) fn of(replicas: u32, time: &'a TimeToReady) -> Self {
        let group = Group {
            created: LONG_AGO,
            ready: LONG_AGO,
            count: replicas,
        };
        Self {
            time,
            groups: [group].into(),
            replicas,
            next: 0,
        }
    }

    pub(super) fn replicas(&self) -> u32 {
        self.replicas
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// Creates pods, or removes the youngest, as a `ReplicaSet` does: pods that are not Ready yet go first.
    pub(super) fn scale(&mut self, to: u32, now: Millis) {
        for _ in self.replicas..to {
            let ready = now + self.time.of(self.next);
            self.next = self.next.wrapping_add(1);
            match self.groups.back_mut() {
                Some(last) if last.created == now && last.ready == ready => last.count += 1,
                _ => self.groups.push_back(Group {
                    created: now,
                    ready,
                    count: 1,
                }),
            }
        }
        let mut surplus = self.replicas.saturating_sub(to);
        while surplus > 0 {
            // The last one to become Ready, and of several the youngest.
            let Some((place, group)) = self
                .groups
                .iter_mut()
                .enumerate()
                .max_by_key(|(_, group)| group.ready)
            else {
                break;
            };
            let removed = group.count.min(surplus);
            group.count -= removed;
            surplus -= removed;
            if group.count == 0 {
                self.groups.remove(place);
            }
        }
        self.replicas = to;
    }

    /// Pods that are Ready.
    pub(super) fn ready(&self, now: Millis) -> u32 {
        let ready = self.groups.iter().filter(|group| group.ready <= now);
        ready.map(|group| group.count).sum()
    }

    /// When the next pods after this moment become Ready.
    pub(super) fn next_ready(&self, now: Millis) -> Option<Millis> {
        let later = self
            .groups
            .iter()
            .map(|group| group.ready)
            .filter(|ready| *ready > now);
        later.min()
    }

    /// Makes one group of all pods that have been Ready since before this moment, so that the number of groups
    /// stays small. Nobody asks how old they are.
    pub(super) fn settle(&mut self, before: Millis) {
        let old = |group: &Group| group.ready < before;
        while let (Some(first), Some(second)) = (self.groups.front().copied(), self.groups.get(1).copied()) {
            if !(old(&first) && old(&second)) {
                break;
            }
            self.groups.pop_front();
            if let Some(front) = self.groups.front_mut() {
                front.count += first.count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_become_ready_later_and_the_youngest_go_first() {
        let time = TimeToReady::constant(30.0);
        let mut fleet = Fleet::of(2, &time);
        fleet.scale(5, 1000);
        assert_eq!(
            (fleet.replicas(), fleet.ready(1000), fleet.next_ready(1000)),
            (5, 2, Some(31_000))
        );
        fleet.scale(6, 20_000);
        assert_eq!((fleet.ready(31_000), fleet.next_ready(31_000)), (5, Some(50_000)));
        fleet.scale(4, 32_000);
        assert_eq!(
            (fleet.replicas(), fleet.ready(32_000), fleet.next_ready(32_000)),
            (4, 4, None)
        );
        fleet.settle(32_000);
        assert_eq!(fleet.groups().count(), 1);
        assert_eq!(fleet.ready(32_000), 4);
    }

    #[test]
    fn times_to_ready_follow_their_quantiles() {
        let time = TimeToReady::quantiles(vec![(0.5, 20.0), (1.0, 60.0)]).unwrap();
        let all: Vec<Millis> = (0..1000).map(|number| time.of(number)).collect();
        let within = |bound| all.iter().filter(|time| **time <= bound).count();
        assert!((499..=502).contains(&within(20_000)), "{}", within(20_000));
        assert!((749..=752).contains(&within(40_000)), "{}", within(40_000));
        assert_eq!(within(60_000), 1000);
        assert_eq!(TimeToReady::constant(7.0).of(12), 7000);
        for wrong in [
            vec![],
            vec![(0.5, 2.0), (0.5, 3.0)],
            vec![(0.1, 3.0), (0.9, 2.0)],
            vec![(1.1, 1.0)],
            vec![(0.5, -1.0)],
        ] {
            assert_eq!(TimeToReady::quantiles(wrong), None);
        }
    }
}
