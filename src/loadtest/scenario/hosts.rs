//! Other hosts that steps go to instead of the target, by name.
//!
//! Invariant: a URL is one of http or https with a host, and with neither query nor fragment, so that the path
//! of a step can be put behind it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{model::Journey, problem::Problems, template::is_word};
use crate::http::{masked, url_of_host};

/// Most other hosts of one scenario.
const MOST: usize = 16;

/// The URL of another host.
#[derive(Clone, PartialEq, Eq)]
pub struct HostUrl(String);

/// Why a text is not the URL of another host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostUrlError {
    /// It is no URL of http or https.
    #[error("must be a URL such as https://auth.example")]
    Url,
    /// It has a query or a fragment.
    #[error("must have neither a query nor a fragment: the path of a step is put behind it")]
    Query,
}

impl HostUrl {
    /// The URL, with its credentials if it has some.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Its credentials are shown nowhere.
impl fmt::Debug for HostUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for HostUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

impl FromStr for HostUrl {
    type Err = HostUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = url_of_host(text).ok_or(HostUrlError::Url)?;
        if ![Some("http"), Some("https")].contains(&url.scheme_str()) {
            return Err(HostUrlError::Url);
        }
        // A URL of HTTP has no fragment, so the parser drops it.
        if url.query().is_some() || text.contains('#') {
            return Err(HostUrlError::Query);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The other hosts of a scenario, by name.
pub type Hosts = BTreeMap<String, HostUrl>;

/// What is wrong with the names of hosts, and with their number: the field, and the rule that it breaks.
pub(crate) fn misnamed<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    if names.len() > MOST {
        wrong.push(("hosts".to_owned(), format!("must have {MOST} at most")));
    }
    for name in names.filter(|name| !is_word(name)) {
        let rule = "its name must have letters, digits and \"_\" alone";
        wrong.push((format!("hosts.{name}"), rule.to_owned()));
    }
    wrong
}

/// Reads the hosts.
pub(super) fn read(documents: &BTreeMap<String, String>, problems: &mut Problems) -> Hosts {
    for (path, rule) in misnamed(documents.keys()) {
        problems.add(path, rule);
    }
    let mut hosts = Hosts::new();
    for (name, url) in documents {
        let path = format!("hosts.{name}");
        match url.parse() {
            Ok(url) => {
                hosts.insert(name.clone(), url);
            }
            Err(error) => problems.add(path, HostUrlError::to_string(&error)),
        }
    }
    hosts
}

/// Refuses steps that go to a host which the scenario does not name.
pub(super) fn named(
    path: &str,
    journey: &Journey,
    documents: &BTreeMap<String, String>,
    problems: &mut Problems,
) {
    for (step, field) in journey.steps.iter().zip(journey.fields()) {
        let Some(host) = step.host.as_ref().filter(|host| !documents.contains_key(*host)) else {
            continue;
        };
        let names: Vec<&str> = documents.keys().map(String::as_str).collect();
        let known = if names.is_empty() {
            "the scenario has no hosts".to_owned()
        } else {
            format!("hosts has {}", names.join(", "))
        };
        let path = format!("{path}.{field}.host");
        problems.add(path, format!("{host:?} has no URL: {known}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_url_of_one_and_its_credentials_are_shown_nowhere() {
        for text in ["http://127.0.0.1:9", "https://auth.example/api/", "http://[::1]"] {
            assert_eq!(text.parse::<HostUrl>().unwrap().as_str(), text);
        }
        for (text, error) in [
            ("auth.example", HostUrlError::Url),
            ("ftp://auth.example", HostUrlError::Url),
            ("/login", HostUrlError::Url),
            ("http://auth.example/?a", HostUrlError::Query),
            ("http://auth.example/#a", HostUrlError::Query),
        ] {
            assert_eq!(text.parse::<HostUrl>(), Err(error), "{text}");
        }
        let url: HostUrl = "http://user:s3cret@auth.example".parse().unwrap();
        assert!(!format!("{url} {url:?}").contains("s3cret"));
    }
}
