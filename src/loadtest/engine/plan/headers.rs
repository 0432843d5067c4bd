//! Headers of requests: the target's, those of the journey and of the step, and those that each request has.

use std::collections::BTreeMap;

use hyper::{
    HeaderMap,
    header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT},
};

use crate::{
    http::{Detail, Failure, Protocol, Target},
    scenario::{inputs::Shared, template::Template},
};

/// The User-Agent header, unless the scenario sets one.
const AGENT: &str = concat!("vas-test/", env!("CARGO_PKG_VERSION"));

/// Headers of a scenario, whose names HTTP allows. Those with a variable of the setup are secrets.
pub(super) fn header_names(
    headers: &[(String, Template)],
    shared: &Shared,
) -> Result<Vec<(HeaderName, Template)>, String> {
    headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name
                .parse()
                .map_err(|_| format!("{name:?} cannot be the name of a header"))?;
            Ok((name, value.clone().with_secrets(&shared.names)))
        })
        .collect()
}

/// All headers of a request, with the values of their variables.
pub(super) fn rendered_headers(
    target: &Target,
    own: &[(HeaderName, Template)],
    values: &BTreeMap<String, String>,
) -> Result<HeaderMap, Failure> {
    let mut headers = target.headers.clone();
    for (name, template) in own {
        let mut value = HeaderValue::try_from(template.render(values)?).map_err(|_| {
            Failure::Request(format!("the value of header {name} cannot be sent"), Detail::NONE)
        })?;
        value.set_sensitive(template.is_secret());
        headers.insert(name.clone(), value);
    }
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(AGENT));
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    if target.protocol == Protocol::Http1 && !headers.contains_key(HOST) {
        let authority = HeaderValue::try_from(target.authority.as_str())
            .map_err(|_| Failure::Request("the target's name cannot be sent".to_owned(), Detail::NONE))?;
        headers.insert(HOST, authority);
    }
    Ok(headers)
}
