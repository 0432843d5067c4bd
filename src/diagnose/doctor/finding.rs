//! The result of a check: its severity, the object, a message and a fix.

use std::fmt;

use vas_core::wording::one_line;

/// How bad a finding is, from harmless to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The object is as it should be.
    Ok,
    /// The state is not known, because something could not be read or there is nothing to check. Never counts
    /// as ok.
    Skipped,
    /// It works now, but will or may fail.
    Warning,
    /// It does not work.
    Problem,
}

/// One statement of a check about one object.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// How bad the finding is.
    pub severity: Severity,
    /// The object, as `Kind namespace/name` or `Kind name`.
    pub object: String,
    /// One line: the field and what is wrong with it, or what was found.
    pub message: String,
    /// A command or an edit that helps; `None` if there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// The object is as it should be.
    pub fn ok(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Ok, object, message)
    }

    /// The state of the object is not known.
    pub fn skipped(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Skipped, object, message)
    }

    /// It works now, but will or may fail.
    pub fn warning(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, object, message)
    }

    /// It does not work.
    pub fn problem(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Problem, object, message)
    }

    /// Adds a command or an edit that helps.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    fn new(severity: Severity, object: impl fmt::Display, message: impl Into<String>) -> Self {
        // A message of the API server or of Prometheus may contain line breaks, but a finding is one line.
        Self {
            severity,
            object: object.to_string(),
            message: one_line(&message.into()),
            fix: None,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Skipped => "skip",
            Self::Warning => "WARN",
            Self::Problem => "FAIL",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_a_problem_outweighs_all_else() {
        assert_eq!(Finding::ok("A b", "one\n  two").message, "one two");
        let mut all = [
            Severity::Warning,
            Severity::Problem,
            Severity::Ok,
            Severity::Skipped,
        ];
        all.sort();
        assert_eq!(all.last(), Some(&Severity::Problem));
    }
}
