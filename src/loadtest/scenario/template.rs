//! Text with variables, such as `/api/sessions/{{session}}/messages`. A variable is extracted from an earlier
//! answer of the same user, or comes from the scenario's [`Inputs`](super::inputs::Inputs).

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::environment::{Environment, EnvironmentError};
use vas_core::k8s::percent::encode;

/// Text with variables.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    /// Whether a value of the environment or of the setup is in the text.
    secret: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
    /// A variable whose value is percent-encoded.
    Encoded(String),
}

/// Why a template was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{{` has no `}}`.
    #[error("\"{{{{\" is not closed by \"}}}}\" in {0:?}")]
    Open(String),
    /// The name of a variable has other characters than it may.
    #[error(
        "{0:?} is not the name of a variable: use letters, digits and \"_\", DATA.COLUMN for a column of data, and \" | urlencode\" behind it to encode its value"
    )]
    Name(String),
    /// A variable of the environment has no value.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
}

/// A variable has no value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{{{{{0}}}}} has no value: no earlier step of the journey extracted it")]
pub struct Unset(pub String);

/// Whether a text is the name of a variable.
pub(super) fn is_word(text: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    !text.is_empty() && text.chars().all(word)
}

impl Template {
    /// Text without variables. `{{` and `${` have no meaning in it.
    pub fn text(text: &str) -> Self {
        Self {
            parts: vec![Part::Text(text.to_owned())],
            secret: false,
        }
    }

    /// Parses text with variables. `${` has no meaning in it.
    ///
    /// # Errors
    /// When a variable is not closed, or its name is malformed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, behind) = after
                .split_once("}}")
                .ok_or_else(|| TemplateError::Open(text.to_owned()))?;
            let (name, encoded) = match name.split_once('|') {
                Some((name, filter)) if filter.trim() == "urlencode" => (name.trim(), true),
                _ => (name.trim(), false),
            };
            let known = match name.split_once('.') {
                Some((data, column)) => is_word(data) && is_word(column),
                None => is_word(name),
            };
            if !known {
                return Err(TemplateError::Name(name.to_owned()));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(if encoded {
                Part::Encoded(name.to_owned())
            } else {
                Part::Variable(name.to_owned())
            });
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts, secret: false })
    }

    /// Parses text with variables, of which `${NAME}` are those of the environment.
    ///
    /// # Errors
    /// As [`Self::parse`]; when a variable of the environment has no value.
    pub(super) fn parse_in(text: &str, environment: &mut Environment<'_>) -> Result<Self, TemplateError> {
        let mut template = Self::parse(text)?;
        for part in &mut template.parts {
            if let Part::Text(text) = part {
                let (expanded, taken) = environment.expand(text)?;
                *text = expanded;
                template.secret |= taken;
            }
        }
        Ok(template)
    }

    /// The same text, which must not be shown if any of these variables is in it.
    #[must_use]
    pub fn with_secrets(mut self, names: &BTreeSet<String>) -> Self {
        let has_secret = self.variables().any(|name| names.contains(name));
        self.secret |= has_secret;
        self
    }

    /// The same text percent-encoded: its constant parts and the values of its variables.
    pub(super) fn encoded(self) -> Self {
        let parts = self.parts.into_iter().map(|part| match part {
            Part::Text(text) => Part::Text(encode(&text)),
            Part::Variable(name) | Part::Encoded(name) => Part::Encoded(name),
        });
        Self {
            parts: parts.collect(),
            secret: self.secret,
        }
    }

    /// One text after another.
    pub(super) fn joined(templates: impl IntoIterator<Item = Self>) -> Self {
        let (mut parts, mut secret) = (Vec::new(), false);
        for template in templates {
            secret |= template.secret;
            for part in template.parts {
                match (parts.last_mut(), part) {
                    (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
                    (_, part) => parts.push(part),
                }
            }
        }
        Self { parts, secret }
    }

    /// The text if it has no variables; `None` otherwise.
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether a value of the environment or of the setup is in the text, so that the text must not be shown.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The parts of the text between its variables.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Variable(_) | Part::Encoded(_) => None,
        })
    }

    /// Names of the variables, in the order in which they appear.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) | Part::Encoded(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// As [`Self::render`], without a copy where the text has no variables.
    ///
    /// # Errors
    /// When a variable has no value.
    pub fn resolve(&self, values: &BTreeMap<String, String>) -> Result<Cow<'_, str>, Unset> {
        match self.constant() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.render(values).map(Cow::Owned),
        }
    }

    /// The text with each variable replaced by its value. Values are put in as they are, unless the variable
    /// is written `{{name | urlencode}}`.
    ///
    /// # Errors
    /// When a variable has no value.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<String, Unset> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable(name) => text.push_str(value(values, name)?),
                Part::Encoded(name) => text.push_str(&encode(value(values, name)?)),
            }
        }
        Ok(text)
    }
}

fn value<'a>(values: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, Unset> {
    let value = values.get(name).ok_or_else(|| Unset(name.to_owned()))?;
    Ok(value)
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret {
            return f.write_str("Template(***)");
        }
        f.debug_tuple("Template").field(&self.parts).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_as_they_are() {
        let template = Template::parse("/s/{{ id }}/m?u={{user}}").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["id", "user"]);
        let values = BTreeMap::from([
            ("id".to_owned(), "a{{b}}".to_owned()),
            ("user".to_owned(), "7".to_owned()),
        ]);
        assert_eq!(template.render(&values).unwrap(), "/s/a{{b}}/m?u=7");
        assert_eq!(template.constant(), None);
        let encoded = Template::parse("/?id={{ id | urlencode }}").unwrap();
        assert_eq!(encoded.variables().collect::<Vec<_>>(), ["id"]);
        assert_eq!(encoded.render(&values).unwrap(), "/?id=a%7B%7Bb%7D%7D");
    }

    #[test]
    fn texts_are_joined_and_encoded_with_their_values() {
        let part = |text: &str| Template::parse(text).unwrap();
        let joined = Template::joined([
            part("a="),
            part("x y{{v}}").encoded(),
            part("&b="),
            part("ä").encoded(),
        ]);
        let values = BTreeMap::from([("v".to_owned(), "&".to_owned())]);
        assert_eq!(joined.render(&values).unwrap(), "a=x%20y%26&b=%C3%A4");
        assert_eq!(Template::joined([part("a"), part("b")]).constant(), Some("ab"));
    }

    #[test]
    fn without_variables_it_is_constant() {
        for text in ["", "/health", "}} {", "${TOKEN}"] {
            assert_eq!(Template::parse(text).unwrap().constant(), Some(text));
        }
    }

    #[test]
    fn values_of_the_environment_are_text_that_is_not_shown() {
        let value = |name: &str| (name == "TOKEN").then(|| "s3cr3t {{x}}".to_owned());
        let mut environment = Environment::new(&value);
        let mut parse = |text: &str| Template::parse_in(text, &mut environment);
        let template = parse("Bearer ${TOKEN}").unwrap();
        assert_eq!(template.constant(), Some("Bearer s3cr3t {{x}}"));
        assert!(template.is_secret() && !format!("{template:?}").contains("s3cr3t"));
        assert!(!parse("$${TOKEN}").unwrap().is_secret());
        assert!(parse("{{a}}${NONE}").is_err());
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        for name in ["a b", "", "a.b.c", "a.", ".b", "a | upper"] {
            let refused = Template::parse(&format!("{{{{{name}}}}}"));
            assert_eq!(refused.unwrap_err(), TemplateError::Name(name.into()));
        }
        assert_eq!(
            Template::parse("{{x").unwrap_err(),
            TemplateError::Open("{{x".into())
        );
        let unset = Template::parse("{{token}}")
            .unwrap()
            .render(&BTreeMap::new())
            .unwrap_err();
        assert_eq!(
            unset.to_string(),
            "{{token}} has no value: no earlier step of the journey extracted it"
        );
    }
}
