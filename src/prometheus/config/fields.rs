//! Reads the fields of a YAML mapping strictly. A wrong type or an unknown field is a problem with its path,
//! and all problems are found in one pass.

use std::time::Duration;

use serde_json::{Map, Value};

use vas_core::{document::schema::unknown_field, k8s::duration};

/// A problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, for example `prometheusServers[0].url`; empty for the file as a whole.
    pub path: String,
    /// What is wrong, and the fix.
    pub rule: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{separator}{}", self.path, self.rule)
    }
}

/// The fields of one mapping that are not read yet.
pub(super) struct Fields<'a> {
    path: String,
    values: Map<String, Value>,
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// The fields of `value`, whose path in the document is `path`.
    pub(super) fn of(path: &str, value: Value, problems: &'a mut Vec<Problem>) -> Self {
        let values = match value {
            Value::Object(values) => values,
            other => {
                problems.push(Problem {
                    path: path.to_owned(),
                    rule: format!("must be a mapping, not {}", kind(&other)),
                });
                Map::new()
            }
        };
        Self {
            path: path.to_owned(),
            values,
            known: Vec::new(),
            problems,
        }
    }

    /// The path of a field of this mapping.
    pub(super) fn at(&self, field: &str) -> String {
        if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        }
    }

    /// Adds a problem of a field.
    pub(super) fn refuse(&mut self, field: &str, rule: impl std::fmt::Display) {
        let problem = Problem {
            path: self.at(field),
            rule: rule.to_string(),
        };
        self.problems.push(problem);
    }

    /// The list of problems, for reading the values below a field.
    pub(super) fn problems(&mut self) -> &mut Vec<Problem> {
        self.problems
    }

    /// A value of any type. Null counts as absent.
    pub(super) fn value(&mut self, field: &'static str) -> Option<Value> {
        self.known.push(field);
        self.values.remove(field).filter(|value| !value.is_null())
    }

    /// A text, which must not be empty.
    pub(super) fn text(&mut self, field: &'static str) -> Option<String> {
        match self.value(field)? {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::String(_) => {
                self.refuse(field, "must not be empty");
                None
            }
            other => {
                self.refuse(
                    field,
                    format!("must be a text, not {}; put it in quotes", kind(&other)),
                );
                None
            }
        }
    }

    /// A text, which must be present.
    pub(super) fn required_text(&mut self, field: &'static str) -> Option<String> {
        let is_missing = self.values.get(field).is_none_or(Value::is_null);
        if is_missing {
            self.known.push(field);
            self.refuse(field, "is required");
            return None;
        }
        self.text(field)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, field: &'static str) -> Option<bool> {
        match self.value(field)? {
            Value::Bool(value) => Some(value),
            other => {
                self.refuse(field, format!("must be true or false, not {}", kind(&other)));
                None
            }
        }
    }

    /// A duration, which must be positive.
    pub(super) fn duration(&mut self, field: &'static str) -> Option<Duration> {
        let text = self.text(field)?;
        match duration::parse(&text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.refuse(field, error);
                None
            }
        }
    }

    /// A text that is parsed to `T`.
    pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        field: &'static str,
    ) -> Option<T> {
        match self.text(field)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(field, error);
                None
            }
        }
    }

    /// All fields with their texts, which may be empty: for a mapping whose field names are the user's own.
    pub(super) fn all_texts(&mut self) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for (field, value) in std::mem::take(&mut self.values) {
            match value {
                Value::String(text) => texts.push((field, text)),
                other => self.refuse(
                    &field,
                    format!("must be a text, not {}; put it in quotes", kind(&other)),
                ),
            }
        }
        texts
    }

    /// The items of a list, each with its path in the document.
    pub(super) fn list(&mut self, field: &'static str) -> Vec<(String, Value)> {
        match self.value(field) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                let path = self.at(field);
                let items = (0..).zip(items);
                items
                    .map(|(n, item): (usize, _)| (format!("{path}[{n}]"), item))
                    .collect()
            }
            Some(other) => {
                self.refuse(field, format!("must be a list, not {}", kind(&other)));
                Vec::new()
            }
        }
    }

    /// Adds a problem for each field that was not read.
    pub(super) fn finish(mut self) {
        for field in std::mem::take(&mut self.values).keys() {
            let rule = unknown_field(field, self.known.iter().copied());
            self.refuse(field, rule);
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
