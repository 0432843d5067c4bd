//! Text of others as text of a scenario.

use super::{
    scenario::Step,
    secret::{self, Secrets},
};

/// Headers that the load engine or the connection sets, or that make a server answer from a cache.
const OURS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Why text cannot be taken.
pub(super) const BRACES: &str = "it has \"{{\", which begins a variable in a scenario";

/// The text, unless it has `{{`, which would begin a variable. What would name a variable of the environment
/// is written so that it does not.
pub(super) fn constant(text: &str) -> Result<String, &'static str> {
    if text.contains("{{") {
        Err(BRACES)
    } else {
        Ok(text.replace("${", "$${"))
    }
}

/// Puts a header into a step. For a secret a variable of the environment stands there.
pub(super) fn header(
    step: &mut Step,
    secrets: &mut Secrets,
    name: &str,
    value: &str,
) -> Result<(), &'static str> {
    let (name, value) = (name.trim(), value.trim());
    let low = name.to_ascii_lowercase();
    if low.starts_with(':') || OURS.contains(&low.as_str()) {
        return Ok(());
    }
    let value = if secret::is_header(&low) {
        secrets.header(name, value)
    } else {
        constant(value)?
    };
    // A header that is there twice, whatever its letters, counts once.
    step.headers.retain(|other, _| !other.eq_ignore_ascii_case(name));
    step.headers.insert(name.to_owned(), value);
    Ok(())
}

/// Greatest length of a text that is shown, in characters.
const SHOWN: usize = 200;

/// The text in one line, without control characters.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The beginning of the text, in one line.
pub(super) fn brief(text: &str) -> String {
    let mut letters = text.chars();
    let shown = one_line(&letters.by_ref().take(SHOWN).collect::<String>());
    if letters.next().is_some() {
        format!("{shown}...")
    } else {
        shown
    }
}

/// A body as `application/x-www-form-urlencoded`.
pub(super) fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}
