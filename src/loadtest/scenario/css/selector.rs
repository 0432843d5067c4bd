//! Reads selectors.

use std::str::FromStr;

/// Longest selector, in bytes.
const LONGEST: usize = 256;
/// Most elements that a selector names, one inside the other.
pub(super) const MOST: usize = 16;

/// A selector: the elements that it names, the outermost first. The last one is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(Vec<Part>);

/// One element that a selector names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Whether it must be directly inside the one before it.
    pub(super) direct: bool,
    /// Its name, in lower case; `None` for any.
    pub(super) element: Option<String>,
    /// What its attributes must be.
    pub(super) conditions: Vec<Condition>,
}

/// What an attribute must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// Name of the attribute, in lower case.
    pub(super) attribute: String,
    pub(super) wanted: Wanted,
}

/// What the value of an attribute must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Anything,
    Equal(String),
    Begins(String),
    Ends(String),
    Contains(String),
    /// One of the words of the value.
    Word(String),
}

/// Makes what is wanted of the value in a selector.
type Wanting = fn(String) -> Wanted;

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// The text is too long.
    #[error("the CSS selector has {0} bytes, more than {LONGEST}")]
    Long(usize),
    /// The selector names too many elements.
    #[error("the CSS selector names more than {MOST} elements inside each other")]
    Deep,
    /// The text has a place that is not understood.
    #[error(
        "the CSS selector has {found} where {wanted} should be; known are NAME, *, #ID, .CLASS, [ATTRIBUTE], \
         [ATTRIBUTE=VALUE], a space for \"inside\", > for \"directly inside\", and @ATTRIBUTE at the end"
    )]
    Form {
        /// The rest of the text, cut.
        found: String,
        /// What was expected.
        wanted: &'static str,
    },
}

impl Selector {
    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        if text.len() > LONGEST {
            return Err(SelectorError::Long(text.len()));
        }
        let mut rest = text.trim();
        let (mut parts, mut direct) = (Vec::new(), false);
        loop {
            if parts.len() == MOST {
                return Err(SelectorError::Deep);
            }
            let (part, behind) = part(rest, direct)?;
            parts.push(part);
            rest = behind.trim_start();
            if rest.is_empty() {
                return Ok(Self(parts));
            }
            match rest.strip_prefix('>') {
                Some(inside) => (rest, direct) = (inside.trim_start(), true),
                // Without a space the part would have gone on.
                None if behind.len() > rest.len() => direct = false,
                None => return Err(form(rest, "a space or the end")),
            }
        }
    }
}

/// The name of an attribute that stands alone.
pub(super) fn name(text: &str) -> Result<String, SelectorError> {
    match word(text.trim()) {
        (name, "") if !name.is_empty() => Ok(name.to_ascii_lowercase()),
        _ => Err(form(text, "the name of an attribute")),
    }
}

/// Reads one element. Returns what follows it.
fn part(text: &str, direct: bool) -> Result<(Part, &str), SelectorError> {
    let (element, mut rest) = if let Some(rest) = text.strip_prefix('*') {
        (None, rest)
    } else {
        let (name, rest) = word(text);
        (
            Some(name.to_ascii_lowercase()).filter(|name| !name.is_empty()),
            rest,
        )
    };
    let mut conditions = Vec::new();
    loop {
        let (condition, behind) = if let Some(id) = rest.strip_prefix('#') {
            named("id", id, Wanted::Equal)?
        } else if let Some(class) = rest.strip_prefix('.') {
            named("class", class, Wanted::Word)?
        } else if let Some(attribute) = rest.strip_prefix('[') {
            bracketed(attribute)?
        } else {
            break;
        };
        conditions.push(condition);
        rest = behind;
    }
    if rest.len() == text.len() {
        return Err(form(text, "an element"));
    }
    let part = Part {
        direct,
        element,
        conditions,
    };
    Ok((part, rest))
}

/// Reads the name behind `#` or `.`.
fn named<'t>(attribute: &str, text: &'t str, wanted: Wanting) -> Result<(Condition, &'t str), SelectorError> {
    let (name, rest) = word(text);
    if name.is_empty() {
        return Err(form(text, "a name"));
    }
    let condition = Condition {
        attribute: attribute.to_owned(),
        wanted: wanted(name.to_owned()),
    };
    Ok((condition, rest))
}

/// Reads what stands behind `[`, up to the `]`.
fn bracketed(text: &str) -> Result<(Condition, &str), SelectorError> {
    let (attribute, rest) = word(text.trim_start());
    if attribute.is_empty() {
        return Err(form(text, "the name of an attribute"));
    }
    let rest = rest.trim_start();
    let operators: [(&str, Wanting); 5] = [
        ("=", Wanted::Equal),
        ("^=", Wanted::Begins),
        ("$=", Wanted::Ends),
        ("*=", Wanted::Contains),
        ("~=", Wanted::Word),
    ];
    let operator = operators
        .into_iter()
        .find_map(|(sign, wanted)| Some((rest.strip_prefix(sign)?, wanted)));
    let (wanted, rest) = match operator {
        None => (Wanted::Anything, rest),
        Some((rest, wanted)) => {
            let (value, rest) = value(rest.trim_start())?;
            (wanted(value.to_owned()), rest)
        }
    };
    let rest = rest
        .trim_start()
        .strip_prefix(']')
        .ok_or_else(|| form(rest, "]"))?;
    let condition = Condition {
        attribute: attribute.to_ascii_lowercase(),
        wanted,
    };
    Ok((condition, rest))
}

/// Reads a value: in quotes, or a name.
fn value(text: &str) -> Result<(&str, &str), SelectorError> {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted
                .split_once(quote)
                .ok_or_else(|| form(text, "a closed quote"));
        }
    }
    match word(text) {
        ("", _) => Err(form(text, "a value")),
        found => Ok(found),
    }
}

/// The name that a text begins with, empty if it begins with none, and what follows.
fn word(text: &str) -> (&str, &str) {
    let is_of_a_name = |char: char| char.is_alphanumeric() || ['-', '_'].contains(&char);
    let end = text.find(|char| !is_of_a_name(char)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn form(found: &str, wanted: &'static str) -> SelectorError {
    let found = match found.chars().take(20).collect::<String>() {
        nothing if nothing.is_empty() => "nothing".to_owned(),
        some => format!("{some:?}"),
    };
    SelectorError::Form { found, wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_refused_and_the_place_is_named() {
        for (text, words) in [
            ("", "nothing where an element"),
            ("a,b", "\",b\" where a space or the end"),
            ("a + b", "\"+ b\" where an element"),
            ("a >", "nothing where an element"),
            ("a:first-child", "\":first-child\" where a space or the end"),
            ("a[b", "nothing where ]"),
            ("a[b='c]", "\"'c]\" where a closed quote"),
            ("a[b|=c]", "\"|=c]\" where ]"),
            ("a.", "nothing where a name"),
            ("a]", "\"]\" where a space or the end"),
        ] {
            let error = text.parse::<Selector>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        let long = "a".repeat(LONGEST + 1).parse::<Selector>().unwrap_err();
        assert_eq!(long, SelectorError::Long(257));
        assert_eq!(
            "a ".repeat(MOST + 1).parse::<Selector>(),
            Err(SelectorError::Deep)
        );
        assert!("a ".repeat(MOST).parse::<Selector>().is_ok());
    }
}
