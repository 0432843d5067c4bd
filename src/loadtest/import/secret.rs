//! Secrets: values that a scenario file, which people share, must not have. A variable of the environment stands in
//! the place of each, such as `${TARGET_COOKIE}`, so that the scenario runs once they are set.
//!
//! All names begin with `TARGET_`. A file of others chooses what follows, and must not choose a variable that is set
//! for something else: a header `GITHUB_TOKEN` of it would send that token to the target.
//!
//! Invariant: no value of a secret is written or shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use percent_encoding::percent_decode_str;

use super::{Variable, body, scenario::Step, text};

/// Words in the names of headers, query parameters and fields whose values are secrets.
const WORDS: [&str; 12] = [
    "apikey",
    "auth",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "passw",
    "secret",
    "session",
    "signature",
    "subscriptionkey",
    "token",
];
/// Names of query parameters and fields whose values are secrets, besides those with one of the words.
const PARAMETERS: [&str; 5] = ["code", "key", "pwd", "sig", "sid"];
/// Words in the names of fields of bodies whose values are secrets.
const IN_BODIES: [&str; 5] = ["apikey", "csrf", "passw", "secret", "token"];
/// Schemes of the header Authorization, which are no secrets themselves.
const SCHEMES: [&str; 3] = ["Basic", "Bearer", "Token"];
/// What the name of each variable begins with.
const PREFIX: &str = "TARGET_";
/// Greatest length of what follows it.
const LONGEST: usize = 60;

/// Whether the value of a header of this name is a secret.
pub(super) fn is_header(name: &str) -> bool {
    has_word(&WORDS, name)
}

/// Whether the value of a field of this name in a body is a secret.
pub(super) fn is_field(name: &str) -> bool {
    has_word(&IN_BODIES, name) || letters(name) == "pwd"
}

fn has_word(words: &[&str], name: &str) -> bool {
    let name = letters(name);
    words.iter().any(|word| name.contains(word))
}

/// The name in small letters, without the marks and spaces between its words.
fn letters(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '_' | '.' | '+'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// The name of the variable for something of this name: `X-Api-Key` is `TARGET_X_API_KEY`.
fn named(name: &str) -> String {
    let word = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let name: String = name.trim().chars().take(LONGEST).map(word).collect();
    format!("{PREFIX}{name}")
}

/// The secrets of a file, by the variables that stand for them.
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, Found>);

#[derive(Default)]
struct Found {
    /// What the variable is, such as `the header cookie`.
    what: BTreeSet<String>,
    /// Its values in the file, which are shown nowhere.
    values: BTreeSet<String>,
}

impl Secrets {
    /// What stands for a value that is called so. `what` says what it is; an empty value is one that is not known.
    pub(super) fn variable(&mut self, name: &str, value: &str, what: &str) -> String {
        let variable = named(name);
        let found = self.0.entry(variable.clone()).or_default();
        found.what.insert(text::brief(what));
        if !value.is_empty() {
            found.values.insert(value.to_owned());
        }
        format!("${{{variable}}}")
    }

    /// What stands for the value of a header. The scheme of credentials stays.
    pub(super) fn header(&mut self, name: &str, value: &str) -> String {
        let low = name.to_ascii_lowercase();
        let known = value.split_once(' ').and_then(|(scheme, rest)| {
            let known = SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
            Some((known, rest.trim()))
        });
        let Some((scheme, rest)) = known else {
            return self.variable(name, value, &format!("the header {low}"));
        };
        // A file may ask for a token and for a password, which are two values.
        let (name, what) = match *scheme {
            "Basic" => (
                format!("{name}-basic"),
                format!("the header {low} without \"Basic\": USER:PASSWORD in base64"),
            ),
            _ => (name.to_owned(), format!("the header {low} without {scheme:?}")),
        };
        format!("{scheme} {}", self.variable(&name, rest, &what))
    }

    /// A path or URL, which is text of a scenario, without the secrets in its query.
    pub(super) fn address(&mut self, address: &str) -> String {
        let Some((path, query)) = address.split_once('?') else {
            return address.to_owned();
        };
        let is_secret = |name: &str| is_header(name) || PARAMETERS.contains(&letters(name).as_str());
        format!("{path}?{}", self.pairs(query, "query", is_secret))
    }

    /// A form as `application/x-www-form-urlencoded`, which is text of a scenario, without its secrets.
    pub(super) fn form(&mut self, form: &str) -> String {
        self.pairs(form, "body", is_field)
    }

    fn pairs(&mut self, pairs: &str, place: &str, is_secret: impl Fn(&str) -> bool) -> String {
        let pairs = pairs.split('&').map(|pair| {
            let Some((name, value)) = pair.split_once('=') else {
                return pair.to_owned();
            };
            let plain = percent_decode_str(name).decode_utf8_lossy();
            if value.is_empty() || !is_secret(&plain) {
                return pair.to_owned();
            }
            let what = format!("{plain} in the {place}, percent-encoded");
            format!("{name}={}", self.variable(&plain, value, &what))
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A body, which is text of a scenario, without the secrets in its fields: of a form, or of JSON.
    pub(super) fn body(&mut self, kind: &str, text: &str) -> String {
        if kind.contains("x-www-form-urlencoded") {
            return self.form(text);
        }
        body::without_secrets(text, |name, value| {
            let what = format!("{name} in the body, as in a string of JSON");
            self.variable(name, value, &what)
        })
    }

    /// The variables that these steps need.
    pub(super) fn needed(&self, steps: &[Step]) -> Vec<Variable> {
        let needed = self.0.iter().filter_map(|(name, found)| {
            let written = format!("${{{name}}}");
            let requests = steps.iter().filter(|step| step.contains(&written)).count();
            (requests > 0).then(|| Variable {
                name: name.clone(),
                what: found.what.iter().cloned().collect::<Vec<_>>().join("; "),
                requests,
                values: found.values.len(),
            })
        });
        needed.collect()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
