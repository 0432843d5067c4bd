//! The variables of a collection, and texts in which they are replaced by their values.
//!
//! A variable without a value, or whose value is a secret, is a [mark](unknown) in a text until all texts of a step are
//! there. Then a variable of the environment takes its place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{super::text, is_on, unknown};

/// Deepest value of a variable that has variables itself.
const NESTED: usize = 32;
/// Most variables that are replaced in one text.
const REPLACED: usize = 10_000;
/// Greatest length of a text whose variables are replaced, in bytes: 1 MiB.
const LONGEST: usize = 1 << 20;

/// The variables of a collection. A secret has no value here.
pub(super) struct Variables {
    values: BTreeMap<String, Option<String>>,
}

impl Variables {
    pub(super) fn of(file: &Value) -> Self {
        let list = file
            .get("variable")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let values = list
            .filter(|variable| is_on(variable))
            .filter_map(|variable| {
                let name = variable.get("key").or_else(|| variable.get("id"))?.as_str()?;
                let value = match variable.get("value")? {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let is_secret = variable.get("type").and_then(Value::as_str) == Some("secret");
                let value = Some(value).filter(|_| !is_secret);
                (value.as_deref() != Some("")).then(|| (name.to_owned(), value))
            })
            .collect();
        Self { values }
    }

    /// The text with all variables replaced.
    pub(super) fn filled(&self, text: &str) -> Result<String, String> {
        let (mut all, mut left) = (String::new(), REPLACED);
        self.fill(text, NESTED, &mut left, &mut all)?;
        Ok(all)
    }

    /// Adds the text with all variables replaced, of which `left` may still be replaced.
    fn fill(&self, text: &str, depth: usize, left: &mut usize, all: &mut String) -> Result<(), String> {
        let mut text = text;
        while let Some((before, rest)) = text.split_once("{{") {
            add(all, before)?;
            let (name, after) = rest.split_once("}}").ok_or(text::BRACES)?;
            text = after;
            let name = name.trim();
            let Some(Some(value)) = self.values.get(name) else {
                add(all, &unknown::mark(name)?)?;
                continue;
            };
            let depth = depth.checked_sub(1);
            let depth = depth.ok_or("its variables have one another as values")?;
            *left = left
                .checked_sub(1)
                .ok_or_else(|| format!("it has more than {REPLACED} variables"))?;
            self.fill(value, depth, left, all)?;
        }
        add(all, text)
    }
}

/// Adds a text to another one, which has a greatest length.
fn add(all: &mut String, part: &str) -> Result<(), String> {
    if all.len() + part.len() > LONGEST {
        return Err(format!(
            "with its variables it is longer than {} MiB",
            LONGEST >> 20
        ));
    }
    all.push_str(part);
    Ok(())
}
