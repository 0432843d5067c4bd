//! What came of a plan, as data: the input of the status and of events.

use super::child::ChildRef;

/// What came of one child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which child.
    pub reference: ChildRef,
    /// What it was written or deleted for.
    pub part: Part,
    /// What happened.
    pub result: Result<Change, String>,
}

/// The part of a resource that a write is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A child of the workload of this name.
    Workload(String),
    /// A namespace-wide child.
    Limits,
    /// A child that nothing asks for any more.
    Leftovers,
}

/// A write that the server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// It was there; `overwrote` lists what others had set.
    Updated {
        /// Empty unless fields of other managers were taken back.
        overwrote: Vec<Overwritten>,
    },
    /// Nothing asked for it any more.
    Deleted,
}

/// Fields that one other manager had set and that were taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overwritten {
    /// The manager as the server describes it.
    pub manager: String,
    /// The fields, as the server spells them.
    pub fields: Vec<String>,
}
