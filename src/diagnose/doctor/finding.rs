//! What a check says.

use std::fmt;

/// How bad it is. The order is that of importance: the worst of several counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Not known, because something could not be read or there is nothing to look at. Never taken for fine.
    Skipped,
    /// Works, and will or may hurt.
    Warning,
    /// Does not work.
    Problem,
}

/// One thing a check has to say.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The object it is about, as `Kind namespace/name` or `Kind name`.
    pub object: String,
    /// One line: the field and what is wrong with it, or what was found.
    pub message: String,
    /// A command or an edit that helps; `None` where nothing needs to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Ok, object, message)
    }

    /// It is not known whether all is well.
    pub fn skipped(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Skipped, object, message)
    }

    /// Works, and will or may hurt.
    pub fn warning(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, object, message)
    }

    /// Does not work.
    pub fn problem(object: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::new(Severity::Problem, object, message)
    }

    /// With what helps.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    fn new(severity: Severity, object: impl fmt::Display, message: impl Into<String>) -> Self {
        // A message of the API server or of Prometheus may hold line breaks; a finding is one line.
        let message = message.into();
        Self {
            severity,
            object: object.to_string(),
            message: message.split_whitespace().collect::<Vec<_>>().join(" "),
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
