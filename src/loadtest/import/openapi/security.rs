//! The credentials that an operation asks for.

use serde_json::{Map, Value};

use super::{super::credentials::Place, example::Document};

/// The places of an operation's credentials: those of its first requirement whose schemes are all known.
///
/// # Errors
/// What the user has to do where there is no such requirement.
pub(super) fn places(document: Document<'_>, operation: &Map<String, Value>) -> Result<Vec<Place>, String> {
    let own = operation.get("security").or_else(|| document.0.get("security"));
    let requirements: Vec<&Map<String, Value>> = own
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .collect();
    // An empty requirement makes the others optional.
    if requirements.iter().any(|one| one.is_empty()) {
        return Ok(Vec::new());
    }
    let mut all = requirements.iter().map(|requirement| {
        let names = requirement.keys();
        names
            .map(|name| place(document, name))
            .collect::<Option<Vec<_>>>()
    });
    match all.find_map(|places| places) {
        Some(places) => Ok(places),
        None if requirements.is_empty() => Ok(Vec::new()),
        None => {
            Err("give the credentials that its security asks for, with --header-file or --cert".to_owned())
        }
    }
}

/// Where the credentials of a scheme of this name are; `None` for a scheme that is not known.
fn place(document: Document<'_>, name: &str) -> Option<Place> {
    let schemes = document
        .0
        .pointer("/components/securitySchemes")
        .or_else(|| document.0.get("securityDefinitions"))?;
    let scheme = document.resolve(schemes.get(name)?)?;
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let named = || Some(text("name").to_owned()).filter(|name| !name.is_empty());
    match text("type") {
        "basic" => Some(Place::Basic),
        "http" if text("scheme").eq_ignore_ascii_case("basic") => Some(Place::Basic),
        "http" if text("scheme").eq_ignore_ascii_case("bearer") => Some(Place::Bearer),
        "oauth2" | "openIdConnect" => Some(Place::Bearer),
        "apiKey" => match text("in") {
            "header" => named().map(Place::Header),
            "query" => named().map(Place::Query),
            "cookie" => named().map(Place::Cookie),
            _ => None,
        },
        _ => None,
    }
}
