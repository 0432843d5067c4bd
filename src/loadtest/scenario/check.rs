//! Checks of an answer, or of a message: `contains TEXT`, `json /status == "ok"`, `not header x-debug`.

use super::{
    environment::Environment,
    pattern::Pattern,
    template::{Template, TemplateError},
};

/// A check of an answer, or of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Whether the check holds where its subject does not.
    pub negated: bool,
    /// What is looked at.
    pub subject: Subject,
    /// The check as the scenario has it, without the `not` before it. Values of the environment are not in
    /// it, so that it can be shown.
    pub text: String,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// The body contains this text.
    Contains(Template),
    /// The body has a match.
    Matches(Pattern),
    /// The body is JSON and has a value at this pointer.
    Json(String),
    /// The body is JSON, and the value at this pointer equals this one or not.
    JsonIs(String, Equality, Template),
    /// The body has so many bytes, after decoding.
    Size(Comparison, u64),
    /// The answer has the header of this name, in lower case.
    Header(String),
    /// The header of this name equals this text or not.
    HeaderIs(String, Equality, Template),
    /// The header of this name has a match.
    HeaderMatches(String, Pattern),
}

/// Whether two values are to be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// They are equal.
    Equal,
    /// There is a value, and it is another one.
    Different,
}

/// How two sizes compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
}

impl Comparison {
    /// Whether a size compares so with a bound.
    pub fn holds(self, size: u64, bound: u64) -> bool {
        match self {
            Self::Less => size < bound,
            Self::AtMost => size <= bound,
            Self::More => size > bound,
            Self::AtLeast => size >= bound,
            Self::Equal => size == bound,
        }
    }
}

/// Why a text is no check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The text has none of the known forms.
    #[error(
        "{0:?} must be \"contains TEXT\", \"matches REGEX\", \"json /POINTER\", \"json /POINTER == VALUE\", \"size < BYTES\", \"header NAME\", \"header NAME == TEXT\" or \"header NAME matches REGEX\", with != for other values and \"not \" before it for the opposite"
    )]
    Form(String),
    /// A size is no number of bytes.
    #[error("{0:?} is not a size: write 512, 10kB, 10KiB, 1MB or 1MiB")]
    Size(String),
    /// The pattern is malformed.
    #[error("{0}")]
    Pattern(String),
    /// The text has a malformed variable.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Check {
    /// Reads a check. Texts and values may have variables.
    ///
    /// # Errors
    /// When the text is no check.
    pub(super) fn parse(text: &str, environment: &mut Environment<'_>) -> Result<Self, CheckError> {
        let (negated, rest) = match text.strip_prefix("not ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        Ok(Self {
            negated,
            subject: subject(rest, environment)?.ok_or_else(|| CheckError::Form(text.to_owned()))?,
            text: rest.to_owned(),
        })
    }

    /// Whether the check looks at the body.
    pub fn is_of_body(&self) -> bool {
        !matches!(
            self.subject,
            Subject::Header(_) | Subject::HeaderIs(..) | Subject::HeaderMatches(..)
        )
    }

    /// Names of the variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let template = match &self.subject {
            Subject::Contains(template)
            | Subject::JsonIs(_, _, template)
            | Subject::HeaderIs(_, _, template) => Some(template),
            Subject::Matches(_)
            | Subject::Json(_)
            | Subject::Size(..)
            | Subject::Header(_)
            | Subject::HeaderMatches(..) => None,
        };
        template.into_iter().flat_map(Template::variables)
    }
}

/// Reads what a check looks at; `None` where it has none of the known forms.
fn subject(text: &str, environment: &mut Environment<'_>) -> Result<Option<Subject>, CheckError> {
    let Some((word, rest)) = text.split_once(' ') else {
        return Ok(None);
    };
    let pattern = |text: &str| Pattern::parse(text).map_err(CheckError::Pattern);
    Ok(match word {
        "contains" => Some(Subject::Contains(Template::parse_in(rest, environment)?)),
        "matches" => Some(Subject::Matches(pattern(rest)?)),
        "json" if rest.starts_with('/') => Some(match compared(rest) {
            None => Subject::Json(rest.trim_end().to_owned()),
            Some((pointer, equality, value)) => {
                let value = Template::parse_in(value, environment)?;
                Subject::JsonIs(pointer.to_owned(), equality, value)
            }
        }),
        "size" => size(rest)?,
        "header" => {
            if let Some((name, equality, value)) = compared(rest) {
                let value = Template::parse_in(value, environment)?;
                name_of(name).map(|name| Subject::HeaderIs(name, equality, value))
            } else if let Some((name, expression)) = rest.split_once(" matches ") {
                let expression = pattern(expression)?;
                name_of(name).map(|name| Subject::HeaderMatches(name, expression))
            } else {
                name_of(rest).map(Subject::Header)
            }
        }
        _ => None,
    })
}

/// The sides of a text with ` == ` or ` != `, whichever comes first.
fn compared(text: &str) -> Option<(&str, Equality, &str)> {
    let both = [(" == ", Equality::Equal), (" != ", Equality::Different)];
    let places = both
        .into_iter()
        .filter_map(|(sign, equality)| Some((text.find(sign)?, sign, equality)));
    let (place, sign, equality) = places.min_by_key(|(place, ..)| *place)?;
    let value = text.get(place + sign.len()..)?;
    Some((text.get(..place)?.trim(), equality, value.trim()))
}

/// The name of a header in lower case, if it can be one.
fn name_of(text: &str) -> Option<String> {
    let name = text.trim();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!name.is_empty() && name.bytes().all(token)).then(|| name.to_ascii_lowercase())
}

/// Reads `< 10KiB`.
fn size(text: &str) -> Result<Option<Subject>, CheckError> {
    let text = text.trim();
    let signs = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("==", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::More),
    ];
    let found = signs
        .into_iter()
        .find_map(|(sign, comparison)| Some((comparison, text.strip_prefix(sign)?)));
    let Some((comparison, bytes)) = found else {
        return Ok(None);
    };
    let bytes = bytes.trim();
    let number = bytes.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let unit = match bytes.strip_prefix(number).unwrap_or_default() {
        "" | "B" => Some(1),
        "kB" | "KB" => Some(1000),
        "KiB" => Some(1024),
        "MB" => Some(1_000_000),
        "MiB" => Some(1024 * 1024),
        _ => None,
    };
    let number: Option<u64> = number.trim_end().parse().ok();
    let bound = number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit));
    let bound = bound.ok_or_else(|| CheckError::Size(bytes.to_owned()))?;
    Ok(Some(Subject::Size(comparison, bound)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Check, CheckError> {
        Check::parse(text, &mut Environment::new(&|_| None))
    }

    fn text(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn each_form_is_read() {
        use Equality::{Different, Equal};
        for (written, negated, subject) in [
            ("contains a b ", false, Subject::Contains(text("a b "))),
            ("not contains {{x}}", true, Subject::Contains(text("{{x}}"))),
            ("json /a b", false, Subject::Json("/a b".to_owned())),
            ("not json /error", true, Subject::Json("/error".to_owned())),
            (
                "json /a == \"x == y\"",
                false,
                Subject::JsonIs("/a".to_owned(), Equal, text("\"x == y\"")),
            ),
            (
                "json /a != {{b}}",
                false,
                Subject::JsonIs("/a".to_owned(), Different, text("{{b}}")),
            ),
            ("size < 10KiB", false, Subject::Size(Comparison::Less, 10_240)),
            ("size >=1", false, Subject::Size(Comparison::AtLeast, 1)),
            ("size == 2 MB", false, Subject::Size(Comparison::Equal, 2_000_000)),
            ("not header X-Debug", true, Subject::Header("x-debug".to_owned())),
            (
                "header ETag == abc",
                false,
                Subject::HeaderIs("etag".to_owned(), Equal, text("abc")),
            ),
        ] {
            let check = parse(written).unwrap();
            assert_eq!((check.negated, check.subject), (negated, subject), "{written}");
        }
        let check = parse("header content-type matches ^text/").unwrap();
        assert!(matches!(&check.subject, Subject::HeaderMatches(name, _) if name == "content-type"));
        assert!(!check.is_of_body() && parse("matches a+").unwrap().is_of_body());
        let check = parse("json /a == {{b}}").unwrap();
        assert_eq!(check.variables().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn what_is_none_is_refused_with_the_forms_there_are() {
        for (text, words) in [
            ("", "\"contains TEXT\""),
            ("status 200", "\"status 200\" must be"),
            ("json a", "\"json /POINTER\""),
            ("header a b", "\"header NAME\""),
            ("size 10", "\"size < BYTES\""),
            ("size < big", "\"big\" is not a size"),
            ("size < 99999999999999999MB", "is not a size"),
            ("matches (", "unclosed group"),
            ("contains {{", "is not closed"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_value_of_the_environment_is_not_in_the_words_of_a_check() {
        let value = |_: &str| Some("s3cr3t".to_owned());
        let check = Check::parse("json /key == ${KEY}", &mut Environment::new(&value)).unwrap();
        assert!(!format!("{check:?}").contains("s3cr3t"), "{check:?}");
    }
}
