//! Values over time. Each value holds until the next one.

use super::Moment;

/// Values in the order of their moments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Track<T> {
    points: Vec<(Moment, T)>,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { points: Vec::new() }
    }
}

impl<T> Track<T> {
    /// Adds a value that holds from `at` on. Moments must not go back.
    pub(crate) fn push(&mut self, at: Moment, value: T) {
        self.points.push((at, value));
    }

    /// The value at a moment: the last one from before or at it.
    pub(crate) fn at(&self, moment: Moment) -> Option<&T> {
        let next = self.points.partition_point(|(at, _)| *at <= moment);
        self.points.get(next.checked_sub(1)?).map(|(_, value)| value)
    }

    /// Every value that held at some moment between `from` and `to`.
    pub(crate) fn during(&self, from: Moment, to: Moment) -> impl Iterator<Item = &T> {
        let first = self.points.partition_point(|(at, _)| *at <= from);
        let end = self.points.partition_point(|(at, _)| *at <= to);
        self.points
            .get(first.saturating_sub(1)..end)
            .unwrap_or_default()
            .iter()
            .map(|(_, value)| value)
    }

    /// All values with the moment from which they hold.
    pub(crate) fn points(&self) -> impl DoubleEndedIterator<Item = (Moment, &T)> {
        self.points.iter().map(|(at, value)| (*at, value))
    }
}

impl<T> FromIterator<(Moment, T)> for Track<T> {
    fn from_iter<I: IntoIterator<Item = (Moment, T)>>(points: I) -> Self {
        Self {
            points: points.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_until_the_next() {
        let track: Track<i32> = [(1.0, 10), (3.0, 30)].into_iter().collect();
        assert_eq!(track.at(0.9), None);
        assert_eq!(track.at(1.0), Some(&10));
        assert_eq!(track.at(2.9), Some(&10));
        assert_eq!(track.at(3.0), Some(&30));
    }

    #[test]
    fn a_period_has_the_value_it_began_with_and_all_changes() {
        let track: Track<i32> = [(1.0, 10), (3.0, 30), (5.0, 50)].into_iter().collect();
        assert_eq!(track.during(2.0, 3.5).collect::<Vec<_>>(), [&10, &30]);
        assert_eq!(track.during(0.0, 0.5).count(), 0);
        assert_eq!(track.during(6.0, 9.0).collect::<Vec<_>>(), [&50]);
    }
}
