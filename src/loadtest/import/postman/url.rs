//! The URL of a request, where it is an object and no text.

use serde_json::Value;

use super::is_on;

/// The URL of an object that has its parts alone.
pub(super) fn of_parts(url: &Value) -> Option<String> {
    let joined = |key: &str, between: &str| match url.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let parts = parts
                .iter()
                .map(|part| part.get("value").unwrap_or(part).as_str());
            Some(parts.collect::<Option<Vec<_>>>()?.join(between))
        }
        _ => None,
    };
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let scheme = text(url, "protocol").unwrap_or_else(|| "http".to_owned());
    let port = text(url, "port")
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let path = joined("path", "/").unwrap_or_default();
    let query = url.get("query").and_then(Value::as_array).into_iter().flatten();
    let query = query.filter(|one| is_on(one)).map(|one| {
        let name = text(one, "key").unwrap_or_default();
        text(one, "value").map_or(name.clone(), |value| format!("{name}={value}"))
    });
    let query = query.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    let (host, path) = (joined("host", ".")?, path.trim_start_matches('/'));
    Some(format!("{scheme}://{host}{port}/{path}{mark}{query}"))
}

/// The value of a variable of the path, which Postman writes as `:id`.
pub(super) fn path_variable(url: &Value, name: &str) -> Option<String> {
    let mut all = url.get("variable")?.as_array()?.iter();
    let found =
        all.find(|one| one.get("key").or_else(|| one.get("id")).and_then(Value::as_str) == Some(name))?;
    match found.get("value")? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
