//! Checks a value against the schema.

use serde_json::Value;

use super::{
    Breach, SchemaViolation, Step, Vocabulary,
    hint::{self, Level, Unknown},
    node::{Kind, Node, Unique},
    words::{counted, pattern_words},
};

/// A walk down a value and its schema.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    vocabulary: Vocabulary,
    place: Vec<Step>,
    /// The objects around the current one, the outermost first.
    around: Vec<Level<'a>>,
    found: Vec<SchemaViolation>,
}

impl<'a> Walk<'a> {
    /// A walk that begins at a place.
    pub(super) fn at(place: Vec<Step>, vocabulary: Vocabulary) -> Self {
        Self {
            vocabulary,
            place,
            around: Vec::new(),
            found: Vec::new(),
        }
    }

    /// All violations that the walk found.
    pub(super) fn into_found(self) -> Vec<SchemaViolation> {
        self.found
    }

    fn refuse(&mut self, value: &Value, breach: Breach, rule: String) {
        self.found.push(SchemaViolation {
            place: self.place.clone(),
            value: value.to_string(),
            breach,
            rule,
        });
    }

    fn inside(&mut self, step: Step, look: impl FnOnce(&mut Self)) {
        self.place.push(step);
        look(self);
        self.place.pop();
    }

    /// Adds a violation for each value that the schema refuses, at the current place and below.
    pub(super) fn check(&mut self, node: &'a Node, value: &'a Value) {
        if value.is_null() && node.nullable {
            return;
        }
        if let Some((breach, rule)) = rule_against(node, value) {
            let hint = hint::of_value(self.vocabulary, node, value);
            let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
            self.refuse(value, breach, rule + &hint);
            return;
        }
        // Only a value that is right itself is entered: insides of a wrong one would add messages, not facts.
        match value {
            Value::Object(fields) => {
                let depth = self.place.len();
                self.check_fields(Level { node, value, depth }, fields);
            }
            Value::Array(items) => self.check_items(node, items),
            _ => {}
        }
    }

    fn check_fields(&mut self, holder: Level<'a>, fields: &'a serde_json::Map<String, Value>) {
        let node = holder.node;
        for name in &node.required {
            if fields.get(name).is_none_or(Value::is_null) {
                self.inside(Step::Field(name.clone()), |walk| {
                    walk.refuse(&Value::Null, Breach::Missing, "is required".to_owned());
                });
            }
        }
        for (name, value) in fields {
            if let Some(known) = node.properties.get(name) {
                // A required field that is null was reported above.
                if !(value.is_null() && node.required.contains(name)) {
                    self.around.push(holder);
                    self.inside(Step::Field(name.clone()), |walk| walk.check(known, value));
                    self.around.pop();
                }
            } else if let Some(values) = &node.values {
                self.inside(Step::Key(name.clone()), |walk| walk.check(values, value));
            } else if node.kind == Kind::Object {
                let unknown = Unknown {
                    name,
                    vocabulary: self.vocabulary,
                    place: &self.place,
                    holder,
                    around: &self.around,
                };
                let rule = unknown.rule();
                self.inside(Step::Key(name.clone()), |walk| {
                    walk.refuse(value, Breach::Unknown, rule);
                });
            }
        }
    }

    fn check_items(&mut self, node: &'a Node, items: &'a [Value]) {
        let identity = |item: &Value| match &node.unique {
            Unique::No => None,
            Unique::Value => Some(item.clone()),
            Unique::Key(key) => item.get(key).cloned(),
        };
        let mut seen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            self.inside(Step::Index(index), |walk| {
                if let Some(identity) = identity(item) {
                    if seen.contains(&identity) {
                        walk.refuse(
                            &identity,
                            Breach::Twice,
                            "is there twice; names and values of a list are unique".to_owned(),
                        );
                    }
                    seen.push(identity);
                }
                if let Some(node) = &node.items {
                    walk.check(node, item);
                }
            });
        }
    }
}

/// The rule that the value itself breaks. Values inside it are not checked.
fn rule_against(node: &Node, value: &Value) -> Option<(Breach, String)> {
    if node.kind.admits(value) {
        content_against(node, value).map(|rule| (Breach::Content, rule))
    } else {
        Some((Breach::Type, format!("must be {}", node.kind.words())))
    }
}

/// The rule that the content of a value of the right type breaks.
fn content_against(node: &Node, value: &Value) -> Option<String> {
    if let Some(allowed) = &node.allowed
        && !allowed.contains(value)
    {
        let words: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
        let one_of = if words.len() == 1 { "" } else { "one of " };
        return Some(format!("must be {one_of}{}", words.join(", ")));
    }
    let (least, most) = node.size;
    let (size, unit) = match value {
        Value::String(text) => (text.chars().count(), ("character", "characters")),
        Value::Array(items) => (items.len(), ("entry", "entries")),
        Value::Object(fields) => (fields.len(), ("entry", "entries")),
        Value::Number(number) => return bound_against(node, number.as_f64()?),
        Value::Null | Value::Bool(_) => return None,
    };
    // The words of a pattern explain more than a length does, unless the text is empty or too long.
    let pattern = node.pattern.as_ref().zip(value.as_str());
    if let Some((pattern, text)) = pattern
        && !pattern.is_match(text)
        && most.is_none_or(|most| size <= most)
        && size > 0
    {
        return Some(pattern_words(pattern.as_str()));
    }
    if size < least {
        return Some(format!("must have at least {}", counted(least, unit)));
    }
    let most = most.filter(|most| size > *most)?;
    Some(format!("must have at most {}, here {size}", counted(most, unit)))
}

fn bound_against(node: &Node, number: f64) -> Option<String> {
    match (node.minimum, node.maximum) {
        (Some(minimum), _) if number < minimum => Some(format!("must be at least {minimum}")),
        (_, Some(maximum)) if number > maximum => Some(format!("must be at most {maximum}")),
        _ => None,
    }
}
