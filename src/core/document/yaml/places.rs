//! Finds the line and column of a field by the path that messages use.

use std::collections::BTreeMap;

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// Line in the whole text, not in the document, counted from 1.
    pub line: u64,
    /// Character in the line, counted from 1.
    pub column: u64,
}

/// The places of a value and of all values inside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Place of the field's name, or of the start of an item or document.
    start: Place,
    inside: Inside,
}

/// The places inside a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Inside {
    #[default]
    Nothing,
    Fields(BTreeMap<String, Places>),
    Items(Vec<Places>),
}

/// One step of a path.
enum Step<'p> {
    Field(std::borrow::Cow<'p, str>),
    Item(usize),
}

impl Place {
    pub(super) fn of(location: serde_saphyr::Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Places {
    pub(super) fn new(start: Place, inside: Inside) -> Self {
        Self { start, inside }
    }

    /// The place of a path such as `spec.limits.resourceQuota.hard["requests.cpu"]`. If the field is not in
    /// the text, the result is the place of the nearest value around it.
    #[must_use]
    pub fn find(&self, path: &str) -> Place {
        let mut here = self;
        let mut rest = path;
        while let Some((step, after)) = next_step(rest) {
            let inner = match (&here.inside, step) {
                (Inside::Fields(fields), Step::Field(name)) => fields.get(&*name),
                (Inside::Items(items), Step::Item(position)) => items.get(position),
                _ => None,
            };
            let Some(inner) = inner else { break };
            here = inner;
            rest = after;
        }
        here.start
    }

    /// The places of the item at `position` of the list in `field`.
    #[must_use]
    pub fn item(&self, field: &str, position: usize) -> Option<&Self> {
        let Inside::Fields(fields) = &self.inside else {
            return None;
        };
        match &fields.get(field)?.inside {
            Inside::Items(items) => items.get(position),
            Inside::Fields(_) | Inside::Nothing => None,
        }
    }
}

/// The first step of a path, and the rest. `None` at the end of the path, and at a step by name (`[name=x]`),
/// which stands for an item that does not exist.
fn next_step(path: &str) -> Option<(Step<'_>, &str)> {
    let Some(bracket) = path.strip_prefix('[') else {
        let path = path.strip_prefix('.').unwrap_or(path);
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let (name, rest) = path.split_at_checked(end)?;
        return (!name.is_empty()).then_some((Step::Field(name.into()), rest));
    };
    // A quoted key may hold brackets and escaped quotes, so a JSON reader finds its end.
    if bracket.starts_with('"') {
        let mut quoted = serde_json::Deserializer::from_str(bracket).into_iter::<String>();
        let key = quoted.next()?.ok()?;
        let rest = bracket.get(quoted.byte_offset()..)?.strip_prefix(']')?;
        return Some((Step::Field(key.into()), rest));
    }
    let (position, rest) = bracket.split_once(']')?;
    Some((Step::Item(position.parse().ok()?), rest))
}
