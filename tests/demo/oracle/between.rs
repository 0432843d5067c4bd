//! A count of which only a range is known.

/// All counts from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Between {
    /// The smallest possible count.
    pub low: i32,
    /// The largest possible count.
    pub high: i32,
}

impl Between {
    /// A count that is known.
    pub(crate) fn exactly(count: i32) -> Self {
        Self {
            low: count,
            high: count,
        }
    }

    /// The smallest range that contains all counts; `None` without counts.
    pub(crate) fn hull(counts: impl IntoIterator<Item = i32>) -> Option<Self> {
        counts.into_iter().map(Self::exactly).reduce(Self::or)
    }

    /// The smallest range that contains both ranges.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// The range after a function that never falls was applied to it.
    pub(crate) fn map(self, rising: impl Fn(i32) -> i32) -> Self {
        Self {
            low: rising(self.low),
            high: rising(self.high),
        }
    }

    /// Whether the count is possible.
    pub(crate) fn holds(self, count: i32) -> bool {
        (self.low..=self.high).contains(&count)
    }
}

impl std::fmt::Display for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{} to {}", self.low, self.high)
        }
    }
}
