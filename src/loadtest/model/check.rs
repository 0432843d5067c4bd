//! One requirement on a run and whether the run met it: a threshold of the scenario, or an assertion on
//! replicas.

/// A check with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked, unique within a run, such as `latency p95 < 500ms`.
    pub name: String,
    /// The part of the grade that this check belongs to.
    pub area: Area,
    /// The measured value with its unit. Where nothing could be measured, the words say what was missing.
    pub measured: String,
    /// Whether the requirement is met. It is not met where nothing could be measured.
    pub passed: bool,
    /// What to change where the check failed; `None` where it passed.
    pub hint: Option<String>,
}

impl Check {
    /// The same check, with `hint` if it failed.
    #[must_use]
    pub fn or(mut self, hint: impl Into<String>) -> Self {
        self.hint = (!self.passed).then(|| hint.into());
        self
    }
}

/// Areas of the grade, one for each check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Latency and errors as the users see them.
    ServiceLevel,
    /// There are enough replicas while they are needed.
    UnderProvisioning,
    /// Time from the rise of the load to Ready replicas.
    TimeToScale,
    /// Replicas do not flap.
    Stability,
    /// There are not many more replicas than needed.
    OverProvisioning,
    /// Replicas are back at the minimum in time.
    ScaleDown,
}
