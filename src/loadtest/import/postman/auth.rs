//! The credentials that a request, a folder or a collection asks for.

use serde_json::Value;

use super::super::credentials::Place;

/// The auth of a request, a folder or a collection; `None` where it takes that of what it is in.
pub(super) fn of(item: &Value) -> Option<&Value> {
    item.get("auth").filter(|auth| auth.get("type").is_some())
}

/// Where a request has the credentials of this auth.
///
/// # Errors
/// What the user has to do about an auth that is computed for each request.
pub(super) fn places(auth: &Value) -> Result<Vec<Place>, String> {
    let kind = auth.get("type").and_then(Value::as_str).unwrap_or_default();
    let place = match kind {
        "noauth" => return Ok(Vec::new()),
        "oauth2" if field(auth, kind, "addTokenTo") == Some("queryParams") => {
            Place::Query("access_token".to_owned())
        }
        "bearer" | "oauth2" => Place::Bearer,
        "basic" => Place::Basic,
        "apikey" => {
            let name = field(auth, kind, "key").unwrap_or("X-API-Key").to_owned();
            match field(auth, kind, "in") {
                Some("query") => Place::Query(name),
                _ => Place::Header(name),
            }
        }
        _ => {
            return Err(
                "give the credentials that its auth asks for with --header-file: they are computed"
                    .to_owned(),
            );
        }
    };
    Ok(vec![place])
}

/// A field of an auth: in format 2.1 a list of names and values, in 2.0 an object.
fn field<'a>(auth: &'a Value, kind: &str, name: &str) -> Option<&'a str> {
    let fields = auth.get(kind)?;
    let listed = || {
        let mut all = fields.as_array()?.iter();
        all.find(|field| field.get("key").and_then(Value::as_str) == Some(name))?
            .get("value")
    };
    fields.get(name).or_else(listed)?.as_str()
}
