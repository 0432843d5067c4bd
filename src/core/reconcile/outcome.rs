//! The results of a plan's writes, as data. Status and Events are made from them.

use super::child::ChildRef;

/// The result of writing or deleting one child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The child that was written or deleted.
    pub reference: ChildRef,
    /// The part of the resource that the child belongs to.
    pub part: Part,
    /// The change that the API server accepted, or the text of its error.
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

/// A write that the API server accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The child did not exist and was created.
    Created,
    /// The child existed and was changed.
    Updated {
        /// Fields of other managers that the write took back; mostly empty.
        overwrote: Vec<Overwritten>,
    },
    /// The child was deleted, because nothing asks for it any more.
    Deleted,
}

/// Fields that one other manager had set and that were taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overwritten {
    /// Name of the manager, as the server gives it.
    pub manager: String,
    /// Paths of the fields as the server spells them: `.spec.maxReplicas`.
    pub fields: Vec<String>,
}
