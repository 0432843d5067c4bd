//! Statements: SQL with a name.

/// One statement. Its name is the label under which metrics count it.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// `feature.what`, unique.
    pub name: &'static str,
    /// The text, with `$1` and so on for values.
    pub sql: &'static str,
}

impl Statement {
    /// A statement of this name and text.
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql }
    }

    /// All statements of the service, for tests that prepare and explain them.
    pub fn all() -> Vec<&'static Self> {
        [
            crate::gateway::STATEMENTS,
            &[
                crate::identity::STATEMENTS,
                crate::knowledge::STATEMENTS,
                crate::queue::STATEMENTS,
            ],
            &[crate::worker::STATEMENTS, crate::database::STATEMENTS],
        ]
        .concat()
        .concat()
    }
}
