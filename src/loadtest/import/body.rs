//! The secrets of a body of JSON, which are taken out without another change of its text.

use serde::de::IgnoredAny;

use super::secret;

/// The text, with the value of each secret field that is a string replaced by what `instead` gives for its name and
/// value. A text that is no JSON stays as it is.
///
/// Example: `{"user": "a", "password": "x"}` becomes `{"user": "a", "password": "${TARGET_PASSWORD}"}`.
pub(super) fn without_secrets(text: &str, mut instead: impl FnMut(&str, &str) -> String) -> String {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return text.to_owned();
    }
    let (mut all, mut rest) = (String::with_capacity(text.len()), text);
    let mut field: Option<String> = None;
    while let Some((before, string, after)) = next_string(rest) {
        all.push_str(before);
        let is_value = before.trim() == ":";
        match field.take() {
            Some(name) if is_value && !string.is_empty() && secret::is_field(&name) => {
                all.push('"');
                all.push_str(&instead(&name, string));
                all.push('"');
            }
            _ => {
                all.push('"');
                all.push_str(string);
                all.push('"');
            }
        }
        if after.trim_start().starts_with(':') {
            // A name with escapes reads as it is written; that is enough for the words that are looked for.
            field = Some(string.to_owned());
        }
        rest = after;
    }
    all.push_str(rest);
    all
}

/// What stands before the next string of JSON, its inside as it is written, and what stands behind it.
fn next_string(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('"')?;
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some((before, rest.get(..end)?, rest.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_of_secret_fields_that_are_strings_are_replaced() {
        for (text, without) in [
            (
                r#"{"user": "a", "password" : "x\"y", "n": 7}"#,
                r#"{"user": "a", "password" : "<password>", "n": 7}"#,
            ),
            (
                r#"[{"a":{"api_key":"k"}},"token","z"]"#,
                r#"[{"a":{"api_key":"<api_key>"}},"token","z"]"#,
            ),
            (r#"{"token":7,"x":"y"}"#, r#"{"token":7,"x":"y"}"#),
            (r#"{"token":{"x":"y"}}"#, r#"{"token":{"x":"y"}}"#),
            (r#"{"x":"password","y":""}"#, r#"{"x":"password","y":""}"#),
            (r#"{"token":""}"#, r#"{"token":""}"#),
            (r#"password: "x""#, r#"password: "x""#),
        ] {
            let found = without_secrets(text, |name, _| format!("<{name}>"));
            assert_eq!(found, without, "{text}");
        }
    }
}
