//! How a list is written in a query.

use serde_json::Value;

/// What stands between the items of a list in a query; `None` where each item has the name before it.
pub(super) fn separator(parameter: &Value) -> Option<&'static str> {
    let text = |key| parameter.get(key).and_then(Value::as_str);
    // Swagger 2.0 has a field of its own for it, and the type in the parameter itself.
    if let Some(format) = text("collectionFormat") {
        return match format {
            "multi" => None,
            "ssv" => Some(" "),
            "tsv" => Some("\t"),
            "pipes" => Some("|"),
            _ => Some(","),
        };
    }
    if parameter.get("schema").is_none() && parameter.get("type").is_some() {
        return Some(",");
    }
    let style = text("style").unwrap_or("form");
    let explode = parameter
        .get("explode")
        .and_then(Value::as_bool)
        .unwrap_or(style == "form");
    match style {
        _ if explode => None,
        "spaceDelimited" => Some(" "),
        "pipeDelimited" => Some("|"),
        _ => Some(","),
    }
}
