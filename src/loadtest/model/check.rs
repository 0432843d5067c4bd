//! One thing that a run had to fulfil, and whether it did: a threshold of the scenario, an assertion on replicas.

/// A check with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked, unique within a run, such as `latency p95 < 500ms`.
    pub name: String,
    /// What it belongs to.
    pub area: Area,
    /// What was measured, with its unit; what was missing where nothing could be measured.
    pub measured: String,
    /// Whether it holds. What could not be measured does not hold.
    pub passed: bool,
    /// What to change where it does not hold.
    pub hint: Option<String>,
}

impl Check {
    /// The same check with a hint where it does not hold.
    #[must_use]
    pub fn or(mut self, hint: impl Into<String>) -> Self {
        self.hint = (!self.passed).then(|| hint.into());
        self
    }
}

/// What a check belongs to: the parts of the grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Latency and errors as the users see them.
    ServiceLevel,
    /// Enough replicas while they were needed.
    UnderProvisioning,
    /// Time from load to Ready replicas.
    TimeToScale,
    /// No flapping.
    Stability,
    /// Not many more replicas than needed.
    OverProvisioning,
    /// Back to the minimum in time.
    ScaleDown,
}
