//! Text of others as text of a scenario.

use std::collections::BTreeMap;

use super::scenario::Step;

/// Headers that the load engine or the connection sets, or that make a server answer from a cache.
const OURS: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
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

/// Headers whose values are secrets. A scenario is a file that people share, so they are never written.
const SECRET: [&str; 5] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-auth-token",
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

/// Puts a header into a step. Returns its name when the value is a secret, which is left out.
pub(super) fn header(step: &mut Step, name: &str, value: &str) -> Result<Option<String>, &'static str> {
    let low = name.to_ascii_lowercase();
    if low.starts_with(':') || OURS.contains(&low.as_str()) {
        return Ok(None);
    }
    if SECRET.contains(&low.as_str()) {
        return Ok(Some(name.to_owned()));
    }
    step.headers.insert(name.to_owned(), constant(value)?);
    Ok(None)
}

/// Secret headers that were left out, and how often.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    by_name: BTreeMap<String, usize>,
}

impl Secrets {
    /// Counts one that was left out.
    pub(super) fn add(&mut self, name: &str) {
        *self.by_name.entry(name.to_ascii_lowercase()).or_default() += 1;
    }

    /// What the user has to do about them.
    pub(super) fn to_do(&self) -> impl Iterator<Item = String> {
        self.by_name.iter().map(|(name, count)| {
            format!("give the header {name}, which {count} request(s) had, with --header-file: its value is a secret")
        })
    }
}

/// A body as `application/x-www-form-urlencoded`.
pub(super) fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}
