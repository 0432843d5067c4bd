//! A value against the schema.

use serde_json::Value;

use super::{
    SchemaViolation, Step,
    node::{Kind, Node, Unique},
    words::{counted, pattern_words, unknown_field},
};

impl Node {
    /// Adds what the schema refuses at `place` and below.
    pub(super) fn check(&self, value: &Value, place: &mut Vec<Step>, found: &mut Vec<SchemaViolation>) {
        if value.is_null() && self.nullable {
            return;
        }
        if let Some(rule) = self.rule_against(value) {
            found.push(SchemaViolation {
                place: place.clone(),
                value: value.to_string(),
                rule,
            });
            return;
        }
        match value {
            Value::Object(fields) => self.check_fields(fields, place, found),
            Value::Array(items) => self.check_items(items, place, found),
            _ => {}
        }
    }

    /// The rule that the value itself breaks, its insides apart.
    fn rule_against(&self, value: &Value) -> Option<String> {
        if !self.kind.admits(value) {
            return Some(format!("must be {}", self.kind.words()));
        }
        if let Some(allowed) = &self.allowed
            && !allowed.contains(value)
        {
            let words: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
            return Some(format!("must be one of {}", words.join(", ")));
        }
        let (least, most) = self.size;
        let (size, unit) = match value {
            Value::String(text) => (text.chars().count(), ("character", "characters")),
            Value::Array(items) => (items.len(), ("entry", "entries")),
            Value::Object(fields) => (fields.len(), ("entry", "entries")),
            Value::Number(number) => return self.bound_against(number.as_f64()?),
            Value::Null | Value::Bool(_) => return None,
        };
        if size < least {
            return Some(format!("must have at least {}", counted(least, unit)));
        }
        if let Some(most) = most
            && size > most
        {
            return Some(format!("must have at most {}", counted(most, unit)));
        }
        let pattern = self.pattern.as_ref()?;
        let text = value.as_str()?;
        (!pattern.is_match(text)).then(|| pattern_words(pattern.as_str()))
    }

    fn bound_against(&self, number: f64) -> Option<String> {
        match (self.minimum, self.maximum) {
            (Some(minimum), _) if number < minimum => Some(format!("must be at least {minimum}")),
            (_, Some(maximum)) if number > maximum => Some(format!("must be at most {maximum}")),
            _ => None,
        }
    }

    fn check_fields(
        &self,
        fields: &serde_json::Map<String, Value>,
        place: &mut Vec<Step>,
        found: &mut Vec<SchemaViolation>,
    ) {
        for name in &self.required {
            if fields.get(name).is_none_or(Value::is_null) {
                place.push(Step::Field(name.clone()));
                found.push(SchemaViolation {
                    place: place.clone(),
                    value: Value::Null.to_string(),
                    rule: "is required".to_owned(),
                });
                place.pop();
            }
        }
        for (name, value) in fields {
            if let Some(node) = self.properties.get(name) {
                if !(value.is_null() && self.required.contains(name)) {
                    place.push(Step::Field(name.clone()));
                    node.check(value, place, found);
                    place.pop();
                }
            } else if let Some(node) = &self.values {
                place.push(Step::Key(name.clone()));
                node.check(value, place, found);
                place.pop();
            } else if self.kind == Kind::Object {
                place.push(Step::Field(name.clone()));
                found.push(SchemaViolation {
                    place: place.clone(),
                    value: value.to_string(),
                    rule: unknown_field(name, self.properties.keys().map(String::as_str)),
                });
                place.pop();
            }
        }
    }

    fn check_items(&self, items: &[Value], place: &mut Vec<Step>, found: &mut Vec<SchemaViolation>) {
        let identity = |item: &Value| match &self.unique {
            Unique::No => None,
            Unique::Value => Some(item.clone()),
            Unique::Key(key) => item.get(key).cloned(),
        };
        let mut seen = Vec::new();
        for (index, item) in items.iter().enumerate() {
            place.push(Step::Index(index));
            if let Some(identity) = identity(item) {
                if seen.contains(&identity) {
                    found.push(SchemaViolation {
                        place: place.clone(),
                        value: identity.to_string(),
                        rule: "is there twice; names and values of a list are unique".to_owned(),
                    });
                }
                seen.push(identity);
            }
            if let Some(node) = &self.items {
                node.check(item, place, found);
            }
            place.pop();
        }
    }
}
