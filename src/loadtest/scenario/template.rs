//! Text with variables, such as `/api/sessions/{{session}}/messages`. A variable is extracted from an earlier
//! answer of the same user, or is one that every user has ([`GIVEN`](super::model::GIVEN)).

use std::collections::BTreeMap;

/// Text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

/// Why a template was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{{` has no `}}`.
    #[error("\"{{{{\" is not closed by \"}}}}\" in {0:?}")]
    Open(String),
    /// The name of a variable has characters other than letters, digits and `_`.
    #[error("{0:?} is not the name of a variable: use letters, digits and \"_\"")]
    Name(String),
}

/// A variable has no value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{{{{{0}}}}} has no value: no earlier step of the journey extracted it")]
pub struct Unset(pub String);

impl Template {
    /// Text without variables. `{{` has no meaning in it.
    pub fn text(text: &str) -> Self {
        Self {
            parts: vec![Part::Text(text.to_owned())],
        }
    }

    /// Parses text with variables.
    ///
    /// # Errors
    /// When a variable is not closed, or its name is malformed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, behind) = after
                .split_once("}}")
                .ok_or_else(|| TemplateError::Open(text.to_owned()))?;
            let name = name.trim();
            let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
            if name.is_empty() || !name.chars().all(word) {
                return Err(TemplateError::Name(name.to_owned()));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The text if it has no variables; `None` otherwise.
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Names of the variables, in the order in which they appear.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with each variable replaced by its value. Values are not escaped.
    ///
    /// # Errors
    /// When a variable has no value.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<String, Unset> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable(name) => {
                    text.push_str(values.get(name).ok_or_else(|| Unset(name.clone()))?);
                }
            }
        }
        Ok(text)
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
    }

    #[test]
    fn without_variables_it_is_constant() {
        for text in ["", "/health", "}} {"] {
            assert_eq!(Template::parse(text).unwrap().constant(), Some(text));
        }
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        assert_eq!(
            Template::parse("{{x").unwrap_err(),
            TemplateError::Open("{{x".into())
        );
        assert_eq!(
            Template::parse("{{a b}}").unwrap_err(),
            TemplateError::Name("a b".into())
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
