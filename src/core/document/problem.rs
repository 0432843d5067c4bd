//! What is wrong with one field of a document.

use std::fmt;

/// A field with a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the field, such as `journeys[0].steps[2].think`; empty for the document as a whole.
    pub path: String,
    /// What is wrong, and the fix.
    pub rule: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{separator}{}", self.path, self.rule)
    }
}
