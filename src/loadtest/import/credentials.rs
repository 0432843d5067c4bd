//! Credentials that a description asks for without having them: a variable of the environment stands for each.

use super::{scenario::Step, secret::Secrets};
use vas_core::k8s::percent::encode;

/// Where a request has its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Authorization, with the scheme Bearer.
    Bearer,
    /// Authorization, with the scheme Basic.
    Basic,
    /// A header of this name.
    Header(String),
    /// A parameter of this name in the query.
    Query(String),
    /// A cookie of this name.
    Cookie(String),
}

impl Place {
    /// Puts the credentials into a step that does not have them already.
    pub(super) fn fill(&self, step: &mut Step, secrets: &mut Secrets) {
        let (header, value) = match self {
            Self::Bearer => ("Authorization", secrets.header("Authorization", "Bearer ")),
            Self::Basic => ("Authorization", secrets.header("Authorization", "Basic ")),
            Self::Header(name) => (name.as_str(), secrets.header(name, "")),
            Self::Query(name) => return query(step, name, secrets),
            Self::Cookie(name) => {
                let value = secrets.variable(name, "", &format!("the cookie {name}"));
                let own = format!("{name}={value}");
                let before = step
                    .headers
                    .get("Cookie")
                    .map(|before| format!("{before}; {own}"));
                step.headers.insert("Cookie".to_owned(), before.unwrap_or(own));
                return;
            }
        };
        if !step.headers.keys().any(|name| name.eq_ignore_ascii_case(header)) {
            step.headers.insert(header.to_owned(), value);
        }
    }
}

fn query(step: &mut Step, name: &str, secrets: &mut Secrets) {
    let path = step.call.path_mut();
    let query = path.split_once('?').map(|(_, query)| query);
    let has = |query: &str| url::form_urlencoded::parse(query.as_bytes()).any(|(own, _)| own == name);
    if query.is_some_and(has) {
        return;
    }
    let mark = if query.is_some() { '&' } else { '?' };
    let what = format!("{name} in the query, percent-encoded");
    let value = secrets.variable(name, "", &what);
    *path = format!("{path}{mark}{}={value}", encode(name));
}
