//! Where the value of a variable is found in an answer: `json:/token`, `regex:id=([0-9]+)`, `css:#csrf@value`.

use std::str::FromStr;

use super::{
    css::{Css, SelectorError},
    pattern::Pattern,
};

/// Where the value of a variable is found in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extract {
    /// A JSON pointer into the body (RFC 6901), such as `/token` or `/items/0/id`.
    Json(String),
    /// The first group of the first match in the body, or the match itself.
    Regex(Pattern),
    /// The text or an attribute of the first element of a page that a CSS selector selects.
    Css(Css),
    /// The value of the header of this name. The name is in lower case.
    Header(String),
    /// The value of the cookie of this name that the answer sets.
    Cookie(String),
}

/// Why a text names no place in an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// The text has none of the known forms.
    #[error("{0:?} must be json:/POINTER, regex:PATTERN, css:SELECTOR@ATTRIBUTE, header:NAME or cookie:NAME")]
    Form(String),
    /// The pattern is malformed.
    #[error("{0}")]
    Pattern(String),
    /// The selector is malformed.
    #[error(transparent)]
    Selector(#[from] SelectorError),
}

impl Extract {
    /// Whether the value is in the body of the answer.
    pub fn is_in_body(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Regex(_) | Self::Css(_))
    }
}

impl FromStr for Extract {
    type Err = ExtractError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("json", pointer)) if pointer.starts_with('/') => Ok(Self::Json(pointer.to_owned())),
            Some(("regex", pattern)) if !pattern.is_empty() => Pattern::parse(pattern)
                .map(Self::Regex)
                .map_err(ExtractError::Pattern),
            Some(("css", selector)) if !selector.is_empty() => Ok(Self::Css(selector.parse()?)),
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header(name.to_ascii_lowercase())),
            Some(("cookie", name)) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            _ => Err(ExtractError::Form(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_and_others_are_refused() {
        let header = Extract::Header("x-id".to_owned());
        assert_eq!("header:X-Id".parse(), Ok(header.clone()));
        assert_eq!("cookie:Sid".parse(), Ok(Extract::Cookie("Sid".to_owned())));
        assert_eq!("json:/a".parse(), Ok(Extract::Json("/a".to_owned())));
        let regex: Extract = "regex:a:(b)".parse().unwrap();
        assert!(regex.is_in_body() && !header.is_in_body());
        for (text, words) in [
            ("json:a", "json:/POINTER"),
            ("body", "regex:PATTERN"),
            ("cookie:", "cookie:NAME"),
            ("css:", "css:SELECTOR"),
            ("css:a,b", "a space or the end"),
            ("regex:(", "unclosed group"),
        ] {
            let error = text.parse::<Extract>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
