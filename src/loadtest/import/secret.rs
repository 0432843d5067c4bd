//! Secrets: values that a scenario file, which people share, must not have. They are left out and asked for.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// Words in the names of headers and query parameters whose values are secrets.
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
/// Names of query parameters whose values are secrets, besides those with one of the words.
const PARAMETERS: [&str; 5] = ["code", "key", "pwd", "sig", "sid"];
/// Words in bodies that have a secret.
const IN_BODIES: [&str; 3] = ["passw", "secret", "token"];
/// What stands in a query in the place of a secret.
const INSTEAD: &str = "SECRET";

/// Whether the value of a header of this name is a secret.
pub(super) fn is_header(name: &str) -> bool {
    let name = letters(name);
    WORDS.iter().any(|word| name.contains(word))
}

/// The name in small letters, without the marks between its words.
fn letters(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, '-' | '_' | '.'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Secrets that were left out, and how often.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    headers: BTreeMap<String, usize>,
    parameters: BTreeMap<String, usize>,
    bodies: usize,
}

impl Secrets {
    /// Counts a header that was left out.
    pub(super) fn add(&mut self, name: &str) {
        let name = name.trim().to_ascii_lowercase();
        *self.headers.entry(name).or_default() += 1;
    }

    /// A path or URL without the secrets in its query.
    pub(super) fn address(&mut self, address: &str) -> String {
        let Some((path, query)) = address.split_once('?') else {
            return address.to_owned();
        };
        let parameters = query.split('&').map(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else {
                return parameter.to_owned();
            };
            let plain = percent_decode_str(name).decode_utf8_lossy();
            let secret = is_header(&plain) || PARAMETERS.contains(&letters(&plain).as_str());
            if !secret || value.is_empty() {
                return parameter.to_owned();
            }
            *self.parameters.entry(plain.into_owned()).or_default() += 1;
            format!("{name}={INSTEAD}")
        });
        format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
    }

    /// Counts a body that seems to have a secret. The request would be another one without it, so it stays.
    pub(super) fn see_body(&mut self, body: &str) {
        let body = body.to_ascii_lowercase();
        self.bodies += usize::from(IN_BODIES.iter().any(|word| body.contains(word)));
    }

    /// What the user has to do about them.
    pub(super) fn to_do(&self) -> Vec<String> {
        let headers = self.headers.iter().map(|(name, count)| {
            format!("give the header {name}, which {count} request(s) had, with --header-file: its value is a secret")
        });
        let parameters = self.parameters.iter().map(|(name, count)| {
            format!("write the value of {name} in place of {INSTEAD} in the query of {count} request(s): it is a secret")
        });
        let bodies = (self.bodies > 0).then(|| {
            format!(
                "{} body(s) seem to have a password or a token: look at them before you share the scenario",
                self.bodies
            )
        });
        headers.chain(parameters).chain(bodies).collect()
    }
}
